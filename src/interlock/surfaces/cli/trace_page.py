"""One hand-off on one screen, for someone who was woken by it: what, who, why, what came of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from interlock.client import Result
from interlock.surfaces.cli.text import (
    AT_REST,
    GAP,
    Look,
    age,
    columns,
    count,
    due,
    indented,
    iso,
    labelled,
    moment,
    some,
    span,
)

STEPS = 12  # of a delivery, those that are not done first; a screen has some 50 lines
REFERENCE_CHARS = 40  # of the target's own name for the work, where not all is asked for
ENTRIES = 10  # of the history, the latest


def trace_lines(answer: Result, look: Look, now: datetime, *, whole: bool) -> Iterator[str]:
    """The page. Unless `whole`, long lists are cut, and say so."""
    if answer["state"] == "refused":
        yield from _refused(answer, look, now)
    else:
        yield from _accepted(answer, look, now)
        for delivery in answer["deliveries"]:
            yield ""
            yield from _delivery(delivery, answer["history"], look, now, whole=whole)
    yield ""
    yield from _history(answer, whole=whole)


def _accepted(answer: Result, look: Look, now: datetime) -> Iterator[str]:
    event, data = answer["event"], answer["event"].get("data")
    what = GAP.join(filter(None, [event["type"], event["subject"]]))
    ago = age(datetime.fromisoformat(answer["accepted_at"]), now)
    yield GAP.join([look.state(answer["state"]), look.strong(what), ago])
    yield ""
    if isinstance(data, dict) and data.get("run_id"):
        yield from labelled("run", look.strong(_told(data["run_id"])))
    elif "data" not in event:
        yield from labelled("run", "not shown: you may not read this event's payload")
    happened = f"happened {moment(event['time'], now)}" if event["time"] else ""
    yield from labelled("event", f"{event['id']} from {event['source']}", happened)
    yield from labelled(
        "hand-off",
        answer["id"],
        f"{answer['cause']}, accepted {moment(answer['accepted_at'], now)}",
    )
    yield from _who(answer["identity"], now)
    rules = ", ".join(answer["decision"]["rules"])
    yield from labelled(
        "allowed", f"by {rules}, source {answer['source']}, configuration {answer['config_rev']}"
    )
    if not answer["deliveries"]:
        yield from labelled("owes", "nothing: no route wanted it")


def _who(identity: Mapping[str, Any] | None, now: datetime) -> Iterator[str]:
    label = "who"
    while identity:
        groups = f"in {', '.join(identity['groups'])}" if identity["groups"] else "in no group"
        verified = f"verified {moment(identity['verified_at'], now)}"
        yield from labelled(label, f"{identity['principal']} {groups}", verified)
        label, identity = "  for", identity["acting_for"]


def _delivery(
    delivery: Result, history: Sequence[Result], look: Look, now: datetime, *, whole: bool
) -> Iterator[str]:
    where = f"{delivery['target']}.{delivery['action']}"
    yield f"{look.strong(delivery['route'])} -> {where}{GAP}{delivery['id']}"
    yield f"{GAP}{look.state(delivery['state'])}, {_timing(delivery, history, now)}"
    yield from indented(labelled("why", delivery["reason"]))
    notes = delivery["notes"]
    if delivery["steps"]:
        yield from indented(_steps(delivery["steps"], notes["touched"], look, whole=whole))
    elif notes:
        yield f"{GAP}touched nothing"
    yield from indented(some("possibly affected", notes.get("possible", ()), whole=whole))
    yield from indented(some("left alone", notes.get("left", ()), whole=whole))


def _timing(delivery: Result, history: Sequence[Result], now: datetime) -> str:
    """How it stands to its deadline: where it came to rest, or now."""
    deadline = datetime.fromisoformat(delivery["deadline"])
    ends = [
        datetime.fromisoformat(entry["at"])
        for entry in history
        if entry["delivery"] == delivery["id"] and entry["kind"] == delivery["state"]
    ]
    if delivery["state"] in AT_REST and ends:
        spare = deadline - ends[-1]
        how = "before its" if ends[-1] <= deadline else "AFTER its"
        return f"{span(abs(spare))} {how} deadline ({iso(deadline)})"
    again = datetime.fromisoformat(delivery["not_before"])
    waits = delivery["state"] not in AT_REST and again > now
    later = f", taken up again {age(again, now)}" if waits else ""
    return f"{due(delivery['state'], deadline, now)} ({iso(deadline)}){later}"


def _steps(
    steps: Sequence[Result], touched: Sequence[Mapping[str, str]], look: Look, *, whole: bool
) -> Iterator[str]:
    why = {each["key"]: each["why"] for each in touched}
    ordered = sorted(steps, key=lambda step: bool(step["state"] == "done"))
    shown = ordered if whole else ordered[:STEPS]
    rows = [
        (look.state(step["state"]), step["resource"], _summary(step, whole=whole)) for step in shown
    ]
    yield f"touched ({len(steps)})"
    for step, line in zip(shown, columns(rows), strict=True):
        yield GAP + line
        if reason := why.get(step["key"]):
            yield from indented([reason], 3)
        if whole or not _went_well(step):
            yield from indented(_attempts(step), 3)
    if len(shown) < len(steps):
        yield f"{GAP}and {len(steps) - len(shown)} more: --all shows them"


def _went_well(step: Result) -> bool:
    """Done, and nothing odd on the way: there is nothing to tell beside it."""
    odd = [each for each in step["attempts"] if each["outcome"] not in {"Started", "Done"}]
    return step["state"] == "done" and not odd


def _summary(step: Result, *, whole: bool) -> str:
    """What the step was and what it took: `post, 12 ms, reference 7`."""
    took = sum(attempt["took_ms"] for attempt in step["attempts"])
    parts = [step["key"]]
    if len(step["attempts"]) > 1:
        parts.append(count(len(step["attempts"]), "attempt"))
    if step["attempts"]:
        parts.append(f"{took:.0f} ms")
    if step["reference"]:
        reference = step["reference"]
        short = whole or len(reference) <= REFERENCE_CHARS
        parts.append(f"reference {reference if short else reference[:REFERENCE_CHARS] + '...'}")
    return ", ".join(parts)


def _attempts(step: Result) -> Iterator[str]:
    rows = [
        (
            f"#{each['number']}",
            "asked" if each["asked"] else "sent",
            each["outcome"],
            f"{each['took_ms']:.0f} ms",
            iso(datetime.fromisoformat(each["began_at"])),
            each["detail"],
        )
        for each in step["attempts"]
    ]
    if rows:
        yield from columns(rows)
    elif step["reason"]:
        yield step["reason"]


def _refused(answer: Result, look: Look, now: datetime) -> Iterator[str]:
    latest = answer["history"][-1]
    detail = latest["detail"]
    event = detail.get("event", {})
    yield f"{look.state('refused')}{GAP}{look.strong(event.get('type', ''))}"
    yield ""
    yield from labelled("event", f"{event.get('id')} from {event.get('source')}")
    yield from labelled("hand-off", f"{answer['id']}, never made", moment(latest["at"], now))
    yield from labelled("who", detail["principal"])
    yield from labelled("asked", f"to {detail.get('action')} to {detail.get('resource')}")
    rules = ", ".join(detail.get("rules", ())) or "none permits it"
    yield from labelled("refused", f"{detail['code']}: {detail.get('why')}", f"rules: {rules}")
    owner = detail.get("owner") or f"whoever owns {detail.get('resource')}"
    yield from labelled("ask", f"{owner}, for a rule that permits it")


def _history(answer: Result, *, whole: bool) -> Iterator[str]:
    entries = answer["history"] if whole else answer["history"][-ENTRIES:]
    earlier = len(answer["history"]) - len(entries)
    routes = {each["id"]: each["route"] for each in answer.get("deliveries", ())}
    yield "history" + (f" ({earlier} earlier: --all shows them)" if earlier else "")
    rows = [
        (
            iso(datetime.fromisoformat(entry["at"])),
            entry["kind"],
            routes.get(entry["delivery"], ""),
            "; ".join(f"{name} {_told(value)}" for name, value in entry["detail"].items()),
        )
        for entry in entries
    ]
    yield from indented(columns(rows))


def _told(value: object) -> str:
    """A value of JSON in a line of text."""
    if isinstance(value, list):
        return ", ".join(map(_told, value)) or "none"
    return value if isinstance(value, str) else json.dumps(value)
