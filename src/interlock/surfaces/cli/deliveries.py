"""`interlock deliveries`: search them."""

from collections.abc import Iterator
from datetime import datetime

import click

from interlock.client import Result
from interlock.core.step import State
from interlock.surfaces.cli.calling import ask, show
from interlock.surfaces.cli.options import verb
from interlock.surfaces.cli.paging import note_rest, paged
from interlock.surfaces.cli.text import GAP, Look, columns, due, iso


class _ListsByDefault(click.Group):
    """`interlock deliveries --state failed` is `interlock deliveries list --state failed`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See click."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListsByDefault)
def deliveries() -> None:
    """Search the deliveries: without a command, `list`."""


@deliveries.command("list")
@click.option("--state", type=click.Choice([state.value for state in State]), help="Where it is.")
@click.option("--route", default="", help="A route's name.")
@click.option("--target", default="", help="A target's name.")
@click.option("--handoff", default="", metavar="ID", help="A hand-off's id.")
@paged
@verb
def list_(  # noqa: PLR0913, PLR0917 - one parameter for each option
    state: str | None,
    route: str,
    target: str,
    handoff: str,
    since: str | None,
    after: str,
    limit: int,
    url: str | None,
    as_json: bool,
) -> None:
    """List deliveries, newest first."""
    answer = ask(
        url,
        lambda client: client.deliveries(
            state=state,
            route=route,
            target=target,
            handoff=handoff,
            since=since,
            after=after,
            limit=limit,
        ),
    )
    show(answer, _lines, as_json=as_json)
    note_rest(answer, len(answer["deliveries"]))


def _lines(answer: Result, look: Look, now: datetime) -> Iterator[str]:
    heading = ("STATE", "DEADLINE", "", "ROUTE", "TARGET", "EVENT", "HAND-OFF")
    found = answer["deliveries"]
    if not found:
        return
    first, *lines = columns([heading, *(_row(each, look, now) for each in found)])
    yield first
    for each, line in zip(found, lines, strict=True):
        yield line
        if each["reason"]:
            yield f"{GAP}{each['reason']}"


def _row(delivery: Result, look: Look, now: datetime) -> tuple[str, ...]:
    deadline = datetime.fromisoformat(delivery["deadline"])
    return (
        look.state(delivery["state"]),
        due(delivery["state"], deadline, now),
        iso(deadline),
        delivery["route"],
        f"{delivery['target']}.{delivery['action']}",
        delivery["event"]["id"],
        delivery["handoff"],
    )
