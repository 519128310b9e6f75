"""`interlock handoffs`: search them."""

from collections.abc import Iterator
from datetime import datetime

import click

from interlock.client import Result
from interlock.surfaces.cli.calling import ask, show
from interlock.surfaces.cli.options import verb
from interlock.surfaces.cli.paging import note_rest, paged
from interlock.surfaces.cli.text import Look, age, columns, iso


@click.command()
@click.option("--source", default="", help="The configured name of a source.")
@click.option("--type", "type_", default="", help="The event's type.")
@click.option("--subject", default="", help="The event's subject.")
@click.option("--event", default="", help="The event's id.")
@paged
@verb
def handoffs(  # noqa: PLR0913, PLR0917 - one parameter for each option
    source: str,
    type_: str,
    subject: str,
    event: str,
    since: str | None,
    after: str,
    limit: int,
    url: str | None,
    as_json: bool,
) -> None:
    """Search the hand-offs, newest first."""
    answer = ask(
        url,
        lambda client: client.handoffs(
            source=source,
            type=type_,
            subject=subject,
            event=event,
            since=since,
            after=after,
            limit=limit,
        ),
    )
    show(answer, _lines, as_json=as_json)
    note_rest(answer, len(answer["handoffs"]))


def _lines(answer: Result, look: Look, now: datetime) -> Iterator[str]:
    heading = ("STATE", "ACCEPTED", "", "TYPE", "SUBJECT", "SOURCE", "HAND-OFF")
    rows = [_row(each, look, now) for each in answer["handoffs"]]
    if rows:
        yield from columns([heading, *rows])


def _row(handoff: Result, look: Look, now: datetime) -> tuple[str, ...]:
    accepted, event = datetime.fromisoformat(handoff["accepted_at"]), handoff["event"]
    return (
        look.state(handoff["state"]),
        age(accepted, now),
        iso(accepted),
        event["type"],
        event["subject"] or "",
        handoff["source"],
        handoff["id"],
    )
