"""What the lists have in common: since when, how many, from where on."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import click

from interlock.app.outside import system_clock
from interlock.client import Result
from interlock.surfaces.cli.calling import note

ROWS_MAX = 500  # what the gateway gives at once
ROWS = 50

_AGO = re.compile(r"(\d{1,6})([smhd])\Z")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Command = TypeVar("Command", bound=Callable[..., object])


class Since(click.ParamType[str]):
    """`2h` ago, or a time with its offset."""

    name = "TIME"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """RFC 3339. Fails for what is neither."""
        if ago := _AGO.match(value):
            length = timedelta(**{_UNITS[ago[2]]: int(ago[1])})
            return (system_clock().now() - length).isoformat()
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            self.fail("give 90s, 10m, 2h or 1d, or a time like 2026-01-01T12:00:00Z", param, ctx)
        return at.isoformat()


def paged(command: Command) -> Command:
    """Give the command the options of every list."""
    since = click.option("--since", type=Since(), help="Not older: 2h, 1d, 2026-01-01T12:00:00Z.")
    after = click.option("--after", default="", metavar="ID", help="Go on behind this one.")
    limit = click.option(
        "--limit", type=click.IntRange(1, ROWS_MAX), default=ROWS, show_default=True, help="Rows."
    )
    return since(after(limit(command)))


def note_rest(answer: Result, rows: int) -> None:
    """Say where the list goes on, or that it is empty."""
    if answer["next"]:
        note(f"There may be more: --after {answer['next']}")
    elif not rows:
        note("None. You see what you may read and what fits every option.")
