"""The options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

DEFAULT_URL = "http://127.0.0.1:8470"

Command = TypeVar("Command", bound=Callable[..., object])


def verb(command: Command) -> Command:
    """Give the command the options of every verb."""
    url = click.option("--url", help=f"The gateway; else INTERLOCK_URL, else {DEFAULT_URL}.")
    return url(json_too(command))


def json_too(command: Command) -> Command:
    """Give the command its --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")(
        command
    )


def configured(command: Command) -> Command:
    """Give the command its --config."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        default="interlock.yaml",
        show_default=True,
        help="The configuration file.",
    )(command)
