"""What callers are shown: JSON made of values, the same for HTTP and the command line."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from interlock.core.delivery import Delivery
from interlock.core.entry import Attempt, Entry
from interlock.core.event import Event, Json
from interlock.core.handoff import Handoff, Receipt
from interlock.core.plan import Left, Plan
from interlock.core.principal import Principal
from interlock.core.step import SAID, Step, overall
from interlock.ports import Record


def receipt_view(receipt: Receipt) -> dict[str, Json]:
    """A receipt."""
    return {
        "handoff": receipt.handoff,
        "event": receipt.event,
        "duplicate": receipt.duplicate,
        "deliveries": list(receipt.deliveries),
    }


def handoff_view(record: Record) -> dict[str, Json]:
    """One line of the list of hand-offs."""
    handoff = record.handoff
    return {
        "id": handoff.id,
        "state": overall(delivery.state for delivery in record.deliveries).value,
        "event": event_view(record.event),
        "source": handoff.source,
        "cause": handoff.cause.value,
        "principal": str(handoff.principal),
        "accepted_at": _time(handoff.accepted_at),
        "deliveries": [delivery_view(delivery) for delivery in record.deliveries],
    }


def trace_view(record: Record, history: Iterable[Entry], *, payload: bool) -> dict[str, Json]:
    """One hand-off whole; with the event's data, and what was made of it, if `payload`."""
    attempts: dict[str, list[Json]] = {}
    for attempt in record.attempts:
        attempts.setdefault(attempt.step, []).append(_attempt(attempt, payload=payload))
    deliveries: list[Json] = [
        delivery_view(delivery)
        | {
            "notes": dict(delivery.notes),
            "steps": [
                _step(step, payload=payload) | {"attempts": attempts.get(step.id, [])}
                for step in record.steps.get(delivery.id, ())
            ],
        }
        | ({"params": dict(delivery.params), "reason": delivery.reason} if payload else {})
        for delivery in record.deliveries
    ]
    handoff = record.handoff
    return handoff_view(record) | {
        "event": event_view(record.event) | ({"data": record.event.data} if payload else {}),
        "identity": _identity(handoff.principal),
        "decision": {"allowed": handoff.decision.allowed, "rules": list(handoff.decision.rules)},
        "config_rev": handoff.config_rev,
        "deliveries": deliveries,
        "history": [entry_view(entry, payload=payload) for entry in history],
    }


def refused_view(handoff: str, history: Iterable[Entry]) -> dict[str, Json]:
    """What is on record of an event that never became a hand-off."""
    return {
        "id": handoff,
        "state": "refused",
        "history": [entry_view(each, payload=True) for each in history],
    }


def delivery_view(delivery: Delivery) -> dict[str, Json]:
    """One line of the list of deliveries."""
    return {
        "id": delivery.id,
        "handoff": delivery.handoff,
        "route": delivery.route,
        "target": delivery.target,
        "action": delivery.action,
        "state": delivery.state.value,
        "reason": _brief(delivery.reason),
        "deadline": _time(delivery.limits.deadline),
        "not_before": _time(delivery.not_before),
    }


def event_view(event: Event) -> dict[str, Json]:
    """An event without its data."""
    return {
        "source": event.source,
        "id": event.id,
        "type": event.type,
        "subject": event.subject,
        "time": _time(event.time) if event.time else None,
        "digest": event.digest,
    }


def entry_view(entry: Entry, *, payload: bool) -> dict[str, Json]:
    """A line of the ledger; with what targets said in it if `payload`."""
    return {
        "position": entry.position,
        "at": _time(entry.at),
        "kind": entry.kind,
        "delivery": entry.delivery,
        "detail": {
            name: value if payload or not isinstance(value, str) else _brief(value)
            for name, value in entry.detail.items()
        },
    }


def plan_view(handoff: Handoff, deliveries: Iterable[Mapping[str, Json]]) -> dict[str, Json]:
    """What accepting an event would come to."""
    decision = handoff.decision
    return {
        "principal": str(handoff.principal),
        "source": handoff.source,
        "decision": {
            "allowed": decision.allowed,
            "rules": list(decision.rules),
            "why": decision.why,
        },
        "deliveries": [dict(each) for each in deliveries],
    }


def planned_view(delivery: Delivery, plan: Plan | None, problem: str) -> dict[str, Json]:
    """What one delivery would come to; `problem` if it could not be planned."""
    steps = plan.steps if plan else ()
    return {
        "route": delivery.route,
        "target": delivery.target,
        "action": delivery.action,
        "params": dict(delivery.params),
        "problem": problem,
        "touched": [{"key": s.key, "asset": str(s.resource), "why": s.why} for s in steps],
        "left": _left(plan.left if plan else ()),
        "possible": _left(plan.possible if plan else ()),
    }


def _left(things: Iterable[Left]) -> list[Json]:
    return [{"asset": each.asset, "why": each.why} for each in things]


def _step(step: Step, *, payload: bool) -> dict[str, Json]:
    made: dict[str, Json] = {"call": dict(step.call), "result": dict(step.result)}
    return {
        "id": step.id,
        "key": step.key,
        "action": step.action,
        "resource": str(step.resource),
        "repeat": step.repeat.value,
        "after": list(step.after),
        "state": step.state.value,
        "reason": step.reason if payload else _brief(step.reason),
        "reference": step.reference,
        **(made if payload else {}),
    }


def _brief(reason: str) -> str:
    """The reason without what the target said, which may quote the event's data."""
    return reason.partition(SAID)[0]


def _attempt(attempt: Attempt, *, payload: bool) -> dict[str, Json]:
    return {
        "number": attempt.number,
        "asked": attempt.asked,
        "began_at": _time(attempt.began_at),
        "took_ms": round((attempt.ended_at - attempt.began_at).total_seconds() * 1_000, 1),
        "outcome": attempt.outcome,
        "detail": attempt.detail if payload else _brief(attempt.detail),
    }


def _identity(principal: Principal) -> dict[str, Json]:
    groups: list[Json] = [*sorted(principal.groups)]
    return {
        "principal": str(principal),
        "groups": groups,
        "verified_at": _time(principal.verified_at),
        "acting_for": _identity(principal.acting_for) if principal.acting_for else None,
    }


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
