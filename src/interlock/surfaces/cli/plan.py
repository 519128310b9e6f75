"""`interlock plan`: what an event would do."""

from collections.abc import Iterator
from typing import BinaryIO

import click

from interlock.client import Result
from interlock.surfaces.cli.calling import Denied, Failed, ask, show
from interlock.surfaces.cli.options import verb
from interlock.surfaces.cli.text import Look, count, indented, labelled, some


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--all", "whole", is_flag=True, help="Show all that is left alone.")
@verb
def plan(file: BinaryIO, whole: bool, url: str | None, as_json: bool) -> None:
    """What an event would do, without doing it.

    FILE holds one CloudEvent as JSON; `-` is stdin. Fails as submitting it would.
    """
    body = file.read()
    answer = ask(url, lambda client: client.plan(body))
    show(answer, lambda found, look, _: _lines(found, look, whole=whole), as_json=as_json)
    if not answer["decision"]["allowed"]:
        asked = f"ask whoever owns the source {answer['source']} for a rule that permits it"
        nowhere = "name a source in the configuration whose uri covers the event's"
        raise Denied("it would be refused", asked if answer["source"] else nowhere)
    if problems := [each["route"] for each in answer["deliveries"] if each["problem"]]:
        raise Failed(f"it cannot be planned: {', '.join(problems)}", "see the reason above")


def _lines(answer: Result, look: Look, *, whole: bool) -> Iterator[str]:
    decision = answer["decision"]
    rules = ", ".join(decision["rules"])
    why = f"by {rules}" if rules else decision["why"] or "no rule permits it"
    yield from labelled("who", answer["principal"])
    yield from labelled("source", answer["source"] or "none is configured for this uri")
    yield from labelled("allowed" if decision["allowed"] else look.state("refused"), why)
    yield from labelled("owes", count(len(answer["deliveries"]), "delivery", "deliveries"))
    for each in answer["deliveries"]:
        yield ""
        yield f"{look.strong(each['route'])} -> {each['target']}.{each['action']}"
        yield from indented(_delivery(each, whole=whole))


def _delivery(planned: Result, *, whole: bool) -> Iterator[str]:
    yield from labelled("problem", planned["problem"])
    yield from some("would touch", planned["touched"], whole=True)
    yield from some("possibly affected", planned["possible"], whole=whole)
    yield from some("left alone", planned["left"], whole=whole)
