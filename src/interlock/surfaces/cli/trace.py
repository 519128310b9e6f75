"""`interlock trace`: one hand-off whole."""

import re

import click

from interlock.surfaces.cli.calling import ask, show
from interlock.surfaces.cli.options import verb
from interlock.surfaces.cli.trace_page import trace_lines

_ID = re.compile(r"h-[0-9a-f]{24}\Z")


def _handoff_id(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not _ID.match(value):
        raise click.BadParameter(
            "a hand-off's id is h- and 24 hex digits; interlock handoffs and interlock deliveries "
            "list them"
        )
    return value


@click.command()
@click.argument("id_", metavar="ID", callback=_handoff_id)
@click.option("--all", "whole", is_flag=True, help="Show every asset, attempt and entry.")
@verb
def trace(id_: str, whole: bool, url: str | None, as_json: bool) -> None:
    """One hand-off whole: who, which rule, what was done, and what came of it."""
    answer = ask(url, lambda client: client.trace(id_))
    show(
        answer,
        lambda found, look, now: trace_lines(found, look, now, whole=whole),
        as_json=as_json,
    )
