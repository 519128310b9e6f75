"""`interlock submit`: hand over an event, or a batch of them."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import BinaryIO

import click

from interlock.app.verbs import WAIT_S_MAX
from interlock.client import BATCH, STRUCTURED, Result
from interlock.surfaces.cli.calling import CHOOSE_ID, DENIED, Denied, Failed, ask, show
from interlock.surfaces.cli.options import verb
from interlock.surfaces.cli.text import Look, count, labelled

ENDED_BADLY = frozenset({"failed", "held", "cancelled"})


@click.command()
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--type", "type_", help="Instead of FILE: what happened.")
@click.option("--source", help="Instead of FILE: the system that reports it, a URI reference.")
@click.option("--subject", help="Instead of FILE: what it happened to.")
@click.option("--id", "id_", help="Instead of FILE: names the fact, unique in its source.")
@click.option("--data", help="Instead of FILE: more about it, JSON.")
@click.option(
    "--wait",
    type=click.IntRange(1, int(WAIT_S_MAX)),
    metavar="SECONDS",
    help=f"Answer when all is delivered, or after SECONDS, at most {WAIT_S_MAX:.0f}.",
)
@verb
def submit(  # noqa: PLR0913, PLR0917 - one parameter for each option
    file: BinaryIO | None,
    type_: str | None,
    source: str | None,
    subject: str | None,
    id_: str | None,
    data: str | None,
    wait: int | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Hand over an event: recorded once, then delivered.

    FILE holds a CloudEvent as JSON, or an array of them; `-` is stdin. Or build one with --type,
    --source and --id. With --wait it fails if a delivery does.
    """
    parts = {"type": type_, "source": source, "id": id_, "subject": subject, "data": data}
    given = {name: value for name, value in parts.items() if value is not None}
    if (file is None) == (not given):
        raise click.UsageError("give FILE (or - for stdin), or build an event with --type ...")
    body = file.read() if file else _built(given)
    kind = BATCH if body.lstrip()[:1] == b"[" else STRUCTURED
    answer = ask(url, lambda client: client.submit(body, kind, wait or 0))
    show(answer, _lines, as_json=as_json)
    _judge(answer)


def _built(given: Mapping[str, str]) -> bytes:
    """The event of the options. Its id is never invented: only the caller knows the fact."""
    for name in ("type", "source", "id"):
        if not given.get(name):
            why = f" {CHOOSE_ID}" if name == "id" else ""
            raise click.UsageError(f"--{name} is missing.{why}")
    event: dict[str, object] = {"specversion": "1.0", **given}
    if "data" in given:
        try:
            event["data"] = json.loads(given["data"])
        except ValueError as err:
            raise click.BadParameter(f"not JSON: {err}", param_hint="--data") from err
    return json.dumps(event).encode()


def _lines(answer: Result, look: Look, _now: datetime) -> Iterator[str]:
    for each in answer.get("events", [answer]):
        if "handoff" in each:
            yield from _receipt(each, look)
        else:
            yield f"{look.state('refused')}  {each['title']}: {each['detail']} [{each['code']}]"


def _receipt(receipt: Result, look: Look) -> Iterator[str]:
    was = "was on record before" if receipt["duplicate"] else "recorded"
    owed = count(len(receipt["deliveries"]), "delivery", "deliveries") + " owed"
    if not receipt["deliveries"]:
        owed = "no route wants it (interlock plan shows what a route would do)"
    yield f"{look.strong(receipt['handoff'])}  {was}, {owed}"
    if "state" in receipt:
        yield from labelled("now", look.state(receipt["state"]))


def _judge(answer: Result) -> None:
    """Raise what the exit code must say: refused events first, then deliveries that ended badly."""
    events = answer.get("events", [answer])
    refused = [each["status"] for each in events if "handoff" not in each]
    if refused:
        all_denied = len(refused) == len(events) and set(refused) <= DENIED
        raise (Denied if all_denied else Failed)(
            f"{len(refused)} of {count(len(events), 'event')} refused",
            "correct those and send them again; the others are recorded",
        )
    for each in events:
        if each.get("state") in ENDED_BADLY:
            raise Failed(f"it ended {each['state']}", f"interlock trace {each['handoff']}")
