"""The verbs: what callers can do, as one table; every surface renders exactly these."""

from collections.abc import Sequence
from dataclasses import dataclass

from interlock.app.views import (
    delivery_view,
    handoff_view,
    plan_view,
    planned_view,
    receipt_view,
    refused_view,
    trace_view,
)
from interlock.core.decision import Question, Resource
from interlock.core.delivery import Delivery, Lease
from interlock.core.entry import Entry
from interlock.core.errors import NotFound
from interlock.core.event import Event, Json
from interlock.core.handoff import Handoff
from interlock.core.plan import Plan
from interlock.core.principal import Principal
from interlock.core.site import Site
from interlock.core.step import State
from interlock.engine.admit import Admit
from interlock.engine.follow import Settled
from interlock.ports import Filter, Ledger

WAIT_S_MAX = 60.0  # `Prefer: wait`: as long as proxies keep a quiet request


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One thing a caller can do, and what it is called on each surface."""

    name: str
    method: str
    path: str
    command: str
    summary: str


VERBS = (
    Verb(
        name="submit",
        method="POST",
        path="/v1/events",
        command="submit",
        summary="Hand over an event: recorded once, then delivered.",
    ),
    Verb(
        name="plan",
        method="POST",
        path="/v1/plan",
        command="plan",
        summary="What an event would do, without doing it.",
    ),
    Verb(
        name="handoffs",
        method="GET",
        path="/v1/handoffs",
        command="handoffs",
        summary="Search the hand-offs.",
    ),
    Verb(
        name="trace",
        method="GET",
        path="/v1/handoffs/{id}",
        command="trace",
        summary="One hand-off whole: who, which rule, what was done, and what came of it.",
    ),
    Verb(
        name="deliveries",
        method="GET",
        path="/v1/deliveries",
        command="deliveries",
        summary="Search the deliveries.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The verbs, done here. Each takes the principal that `admit.identify` returned."""

    admit: Admit
    settled: Settled

    @property
    def site(self) -> Site:
        """What the configuration says."""
        return self.admit.site

    @property
    def ledger(self) -> Ledger:
        """The record."""
        return self.admit.ledger

    async def submit(
        self, event: Event, principal: Principal, wait_s: float = 0
    ) -> dict[str, Json]:
        """The receipt; with the `state` reached if the caller waits, up to WAIT_S_MAX."""
        receipt = await self.admit(event, principal)
        answer = receipt_view(receipt)
        if wait_s > 0:
            await self.settled.wait(receipt.handoff, min(wait_s, WAIT_S_MAX))
            [record] = await self.ledger.handoffs(Filter(handoff=receipt.handoff))
            answer["state"] = handoff_view(record)["state"]
        return answer

    async def plan(self, event: Event, principal: Principal) -> dict[str, Json]:
        """What submitting `event` would come to. Nothing is recorded and nothing is changed."""
        handoff = self.admit.proposed(event, principal)
        owed = self.admit.owed(event, handoff) if handoff.decision.allowed else ()
        return plan_view(handoff, [await self._planned(event, handoff, each) for each in owed])

    async def _planned(self, event: Event, handoff: Handoff, delivery: Delivery) -> dict[str, Json]:
        if delivery.state is not State.PENDING:
            return planned_view(delivery, None, delivery.reason)
        lease = Lease(event=event, handoff=handoff, delivery=delivery, fence=0)
        plan = await self.admit.dispatch.planner(delivery.target).propose(lease)
        if isinstance(plan, Plan):
            return planned_view(delivery, plan, "")
        return planned_view(delivery, None, plan.reason)

    async def handoffs(self, wanted: Filter, principal: Principal) -> dict[str, Json]:
        """The hand-offs that fit and that the principal may read, newest first.

        `next` is what `after` must be for the page behind; None on the last one. A page holds
        fewer than `limit` where the principal may not read some.
        """
        found = await self.ledger.handoffs(wanted)
        readers = _Readers(self, principal)
        shown: list[Json] = [
            handoff_view(record)
            for record in found
            if readers.may_read(self._source(record.handoff.source))
        ]
        return {"handoffs": shown, "next": _next([r.handoff.id for r in found], wanted)}

    async def deliveries(self, wanted: Filter, principal: Principal) -> dict[str, Json]:
        """The deliveries that fit and whose target the principal may read; as `handoffs`."""
        found = await self.ledger.deliveries(wanted)
        readers = _Readers(self, principal)
        shown: list[Json] = [
            delivery_view(delivery) | {"event": {"source": event.source, "id": event.id}}
            for event, _, delivery in found
            if readers.may_read(self._target(delivery.target))
        ]
        return {"deliveries": shown, "next": _next([d.id for _, _, d in found], wanted)}

    async def trace(self, handoff: str, principal: Principal) -> dict[str, Json]:
        """One hand-off whole. Raises NotFound, also where the principal may not read it."""
        record = await self.ledger.trace(handoff)
        history = await self.ledger.history(handoff)
        readers = _Readers(self, principal)
        if record and readers.may_read(source := self._source(record.handoff.source)):
            payload = readers.may(source, "readPayload")
            return trace_view(record, history, payload=payload)
        refused = [entry for entry in history if _is_about(entry, principal)]
        if refused:
            return refused_view(handoff, refused)
        raise NotFound(f"there is no hand-off {handoff}, or you may not read it")

    def _source(self, name: str) -> Resource:
        source = self.site.sources.get(name)
        return (
            source.resource
            if source
            else Resource(type="Source", id=name, attributes={"owner": "", "uri": ""})
        )

    def _target(self, name: str) -> Resource:
        target = self.admit.dispatch.targets.get(name)
        return (
            target.resource
            if target
            else Resource(type="Target", id=name, attributes={"owner": ""})
        )


def _next(ids: Sequence[str], wanted: Filter) -> str | None:
    return ids[-1] if len(ids) == wanted.limit else None


def _is_about(entry: Entry, principal: Principal) -> bool:
    """A refusal may be read by whoever was refused."""
    return entry.kind == "refused" and entry.detail.get("principal") == str(principal)


class _Readers:
    """What one principal may read, decided once for each resource of a request."""

    def __init__(self, gateway: Gateway, principal: Principal) -> None:
        self._gateway = gateway
        self._principal = principal
        self._answers: dict[tuple[str, str], bool] = {}

    def may_read(self, resource: Resource) -> bool:
        """Whether policy permits `read`."""
        return self.may(resource, "read")

    def may(self, resource: Resource, action: str) -> bool:
        """Whether policy permits the action."""
        asked = (str(resource), action)
        if asked not in self._answers:
            self._answers[asked] = self._gateway.admit.authorizer.decide(
                Question(
                    principal=self._principal,
                    action=action,
                    resource=resource,
                    context={
                        "now": self._gateway.admit.clock.now(),
                        "environment": self._gateway.site.environment,
                    },
                )
            ).allowed
        return self._answers[asked]
