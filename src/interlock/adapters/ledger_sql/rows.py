"""Values to rows and back. A row is a dict by column name, as SQLAlchemy takes it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import orjson
from sqlalchemy import RowMapping

from interlock.core.decision import Decision, Resource
from interlock.core.delivery import Delivery
from interlock.core.entry import Attempt, Entry
from interlock.core.event import Event
from interlock.core.handoff import Cause, Handoff
from interlock.core.principal import Kind, Principal
from interlock.core.retry import Limits, OnUnknown
from interlock.core.step import OPEN, Repeat, State, Step

Row: TypeAlias = dict[str, Any]
Found: TypeAlias = Mapping[str, Any] | RowMapping

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def ticks(at: datetime) -> int:
    """Whole microseconds since 1970 UTC."""
    return (at - _EPOCH) // _TICK


def moment(at: int) -> datetime:
    """The time `at` microseconds after 1970 UTC."""
    return _EPOCH + at * _TICK


def text(value: object) -> str:
    """The value as JSON."""
    return orjson.dumps(value).decode()


def event_row(event: Event, first: str) -> Row:
    """For `events`."""
    return {
        "first": first,
        "key": event.key,
        "source": event.source,
        "id": event.id,
        "type": event.type,
        "subject": event.subject,
        "digest": event.digest,
        "body": event.body,
    }


def handoff_row(handoff: Handoff, first: str) -> Row:
    """For `handoffs`."""
    return {
        "id": handoff.id,
        "first": first,
        "event": handoff.event,
        "source": handoff.source,
        "cause": handoff.cause.value,
        "generation": handoff.generation,
        "principal": text(_principal_json(handoff.principal)),
        "decision": text(
            {
                "allowed": handoff.decision.allowed,
                "rules": handoff.decision.rules,
                "error": handoff.decision.error,
            }
        ),
        "config_rev": handoff.config_rev,
        "accepted_at": ticks(handoff.accepted_at),
        "hop": handoff.hop,
    }


def handoff_of(row: Found) -> Handoff:
    """From `handoffs`."""
    decision = orjson.loads(row["decision"])
    return Handoff(
        id=row["id"],
        event=row["event"],
        source=row["source"],
        cause=Cause(row["cause"]),
        generation=row["generation"],
        principal=_principal_of(orjson.loads(row["principal"])),
        decision=Decision(
            allowed=decision["allowed"], rules=tuple(decision["rules"]), error=decision["error"]
        ),
        config_rev=row["config_rev"],
        accepted_at=moment(row["accepted_at"]),
        hop=row["hop"],
    )


def delivery_progress(delivery: Delivery) -> Row:
    """What changes in `deliveries` as work goes on."""
    return {
        "state": delivery.state.value,
        "open": delivery.state in OPEN,
        "planned": delivery.planned,
        "tries": delivery.tries,
        "not_before": ticks(delivery.not_before),
        "reason": delivery.reason,
        "notes": text(delivery.notes),
    }


def delivery_row(delivery: Delivery, seq: int, fence: int, lease_until: int) -> Row:
    """For `deliveries`."""
    return delivery_progress(delivery) | {
        "id": delivery.id,
        "handoff": delivery.handoff,
        "seq": seq,
        "route": delivery.route,
        "target": delivery.target,
        "action": delivery.action,
        "params": text(delivery.params),
        "admitted": ticks(delivery.limits.admitted),
        "deadline": ticks(delivery.limits.deadline),
        "on_unknown": delivery.limits.on_unknown.value,
        "fence": fence,
        "lease_until": lease_until,
    }


def delivery_of(row: Found) -> Delivery:
    """From `deliveries`."""
    admitted = moment(row["admitted"])
    return Delivery(
        id=row["id"],
        handoff=row["handoff"],
        route=row["route"],
        target=row["target"],
        action=row["action"],
        params=orjson.loads(row["params"]),
        limits=Limits(
            admitted=admitted,
            within=moment(row["deadline"]) - admitted,
            on_unknown=OnUnknown(row["on_unknown"]),
        ),
        state=State(row["state"]),
        planned=row["planned"],
        tries=row["tries"],
        not_before=moment(row["not_before"]),
        reason=row["reason"],
        notes=orjson.loads(row["notes"]),
    )


def step_progress(step: Step) -> Row:
    """What changes in `steps` as work goes on."""
    return {
        "state": step.state.value,
        "attempts": step.attempts,
        "not_before": ticks(step.not_before),
        "reference": step.reference,
        "result": text(step.result),
        "reason": step.reason,
    }


def step_row(step: Step, delivery: str, seq: int) -> Row:
    """For `steps`."""
    return step_progress(step) | {
        "id": step.id,
        "delivery": delivery,
        "seq": seq,
        "key": step.key,
        "action": step.action,
        "resource": text(_resource_json(step.resource)),
        "call": text(step.call),
        "repeat": step.repeat.value,
        "after": text(step.after),
    }


def step_of(row: Found) -> Step:
    """From `steps`."""
    return Step(
        id=row["id"],
        key=row["key"],
        action=row["action"],
        resource=_resource_of(orjson.loads(row["resource"])),
        call=orjson.loads(row["call"]),
        repeat=Repeat(row["repeat"]),
        after=tuple(orjson.loads(row["after"])),
        state=State(row["state"]),
        attempts=row["attempts"],
        not_before=moment(row["not_before"]),
        reference=row["reference"],
        result=orjson.loads(row["result"]),
        reason=row["reason"],
    )


def attempt_row(attempt: Attempt) -> Row:
    """For `attempts`."""
    return {
        "step": attempt.step,
        "number": attempt.number,
        "asked": attempt.asked,
        "began_at": ticks(attempt.began_at),
        "ended_at": ticks(attempt.ended_at),
        "outcome": attempt.outcome,
        "detail": attempt.detail,
    }


def attempt_of(row: Found) -> Attempt:
    """From `attempts`."""
    return Attempt(
        step=row["step"],
        number=row["number"],
        asked=row["asked"],
        began_at=moment(row["began_at"]),
        ended_at=moment(row["ended_at"]),
        outcome=row["outcome"],
        detail=row["detail"],
    )


def entry_row(entry: Entry, position: int) -> Row:
    """For `entries`."""
    return {
        "position": position,
        "at": ticks(entry.at),
        "kind": str(entry.kind),
        "handoff": entry.handoff,
        "delivery": entry.delivery,
        "detail": text(entry.detail),
    }


def entry_of(row: Found) -> Entry:
    """From `entries`."""
    return Entry(
        kind=row["kind"],
        at=moment(row["at"]),
        position=row["position"],
        handoff=row["handoff"],
        delivery=row["delivery"],
        detail=orjson.loads(row["detail"]),
    )


def _principal_json(principal: Principal) -> Row:
    return {
        "kind": principal.kind.value,
        "id": principal.id,
        "groups": sorted(principal.groups),
        "verified_at": ticks(principal.verified_at),
        "expires_at": ticks(principal.expires_at) if principal.expires_at else None,
        "acting_for": _principal_json(principal.acting_for) if principal.acting_for else None,
    }


def _principal_of(value: Found) -> Principal:
    return Principal(
        kind=Kind(value["kind"]),
        id=value["id"],
        groups=frozenset(value["groups"]),
        verified_at=moment(value["verified_at"]),
        expires_at=moment(value["expires_at"]) if value["expires_at"] is not None else None,
        acting_for=_principal_of(value["acting_for"]) if value["acting_for"] else None,
    )


def _resource_json(resource: Resource) -> Row:
    return {
        "type": resource.type,
        "id": resource.id,
        "attributes": dict(resource.attributes),
        "parent": _resource_json(resource.parent) if resource.parent else None,
    }


def _resource_of(value: Found) -> Resource:
    return Resource(
        type=value["type"],
        id=value["id"],
        attributes={
            name: tuple(each) if isinstance(each, list) else each
            for name, each in value["attributes"].items()
        },
        parent=_resource_of(value["parent"]) if value["parent"] else None,
    )
