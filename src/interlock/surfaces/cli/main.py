"""`interlock`: its commands, each loaded only when it is asked for.

Exit codes: 0 ok, 1 failed, 2 usage, 3 denied, 4 stale, 5 unreachable.
"""

import io
import sys
from collections.abc import Mapping
from importlib import import_module

import click

from interlock import __version__

COMMANDS: Mapping[str, str] = {
    "demo": "The whole story on this machine: no account, nothing left behind.",
    "serve": "Run the gateway.",
    "check": "Check a configuration and its policies, offline.",
    "schema": "Print the JSON Schema of interlock.yaml.",
    "login": "Log in with your browser, here or on another device.",
    "submit": "Hand over an event: recorded once, then delivered.",
    "plan": "What an event would do, without doing it.",
    "handoffs": "Search the hand-offs.",
    "trace": "One hand-off whole: who, which rule, what was done, and what came of it.",
    "deliveries": "Search the deliveries.",
}
"""Each command and its summary; it is what the module of its name here calls by that name too."""


class LazyGroup(click.Group):
    """Knows its commands by name, and imports the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """See click."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """See click."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"interlock.surfaces.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """See click; says what it says without a single import."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="interlock %(version)s")
def cli() -> None:
    """Hand work from one data system to the next: identified, allowed, once, on record.

    A gateway runs with `interlock serve`; the other commands ask it. They find it at --url or
    INTERLOCK_URL, and know you by INTERLOCK_TOKEN_FILE or `interlock login`.

    Exit codes: 0 ok, 1 failed, 2 usage, 3 denied, 4 stale, 5 unreachable.
    """


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what the terminal cannot show is no error
            stream.reconfigure(errors="backslashreplace")
    cli(prog_name="interlock")
