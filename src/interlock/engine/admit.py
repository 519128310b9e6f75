"""Admission: the one way in. Identify, decide, route, record; then answer."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from interlock.core.context import context_of
from interlock.core.decision import Decision, Question, Resource
from interlock.core.delivery import Delivery, unplannable
from interlock.core.entry import Entry
from interlock.core.errors import NotAllowed, NotIdentified
from interlock.core.event import Event, Json
from interlock.core.handoff import Cause, Handoff, Receipt
from interlock.core.ids import delivery_id, handoff_id
from interlock.core.principal import Principal
from interlock.core.retry import Limits
from interlock.core.route import matching
from interlock.core.site import Site
from interlock.engine.dispatch import Dispatch
from interlock.engine.work import LEASE
from interlock.ports import (
    Admission,
    Authorizer,
    Clock,
    Ledger,
    Mapper,
    MappingError,
    Verifier,
)

STRANGERS_MAX = 20  # entries a second: enough to see an attack, too few to be one


@dataclass(slots=True)
class Strangers:
    """How many callers nobody knows came this second, and how many of them went unrecorded.

    Attributes:
        most: how many are recorded in a second.
    """

    most: int = STRANGERS_MAX
    _second: datetime | None = None
    _seen: int = 0
    _unrecorded: int = 0

    def count(self, now: datetime) -> tuple[bool, int]:
        """Count one more. Whether to record it, and how many went unrecorded since the last."""
        second = now.replace(microsecond=0)
        if second != self._second:
            self._second, self._seen = second, 0
        self._seen += 1
        if self._seen > self.most:
            self._unrecorded += 1
            return False, 0
        unrecorded, self._unrecorded = self._unrecorded, 0
        return True, unrecorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Admit:
    """Take an event in. The caller is answered only once the record is durable."""

    site: Site
    verifier: Verifier
    authorizer: Authorizer
    mapper: Mapper
    ledger: Ledger
    dispatch: Dispatch
    clock: Clock
    strangers: Strangers = field(default_factory=Strangers)

    async def identify(self, credential: str) -> Principal:
        """The principal behind `credential`. Raises NotIdentified; a refusal is recorded too."""
        try:
            return await self.verifier.verify(credential)
        except NotIdentified as refusal:
            await self._record_stranger(refusal)
            raise

    async def _record_stranger(self, refusal: NotIdentified) -> None:
        """Record it; only count it if there were many this second: nobody floods the record."""
        now = self.clock.now()
        recorded, unrecorded = self.strangers.count(now)
        if recorded:
            detail: dict[str, Json] = {"code": refusal.code, "why": refusal.detail}
            if unrecorded:
                detail["unrecorded_before"] = unrecorded
            await self.ledger.record(Entry(kind="refused", at=now, detail=detail))

    async def __call__(self, event: Event, principal: Principal) -> Receipt:
        """Admit `event`. Raises NotAllowed (recorded), Conflict, TooMany or NotReady."""
        handoff = self.proposed(event, principal)
        if not handoff.decision.allowed:
            await self._refuse(event, handoff)
        deliveries = tuple(self.owed(event, handoff))
        at_once = self.dispatch.reserve(event, handoff, deliveries)
        fresh = False
        try:
            admission = Admission(
                event=event,
                handoff=handoff,
                deliveries=deliveries,
                entry=_accepted(event, handoff, deliveries),
                pending_max=self.site.pending_max,
                leased=frozenset(work.lease.delivery.id for work in at_once),
                begun=tuple(change for work in at_once if (change := work.begin())),
            )
            receipt = await self.ledger.admit(admission, LEASE)
            fresh = not receipt.duplicate
            return receipt
        finally:
            (self.dispatch.start if fresh else self.dispatch.give_back)(at_once)

    def proposed(self, event: Event, principal: Principal) -> Handoff:
        """The hand-off that accepting `event` from `principal` would make, decision included."""
        now = self.clock.now()
        source = self.site.source_of(event.source)
        return Handoff(
            id=handoff_id(event.key, Cause.SUBMIT, 1, now),
            event=event.key,
            source=source.name if source else "",
            cause=Cause.SUBMIT,
            principal=principal,
            decision=self.authorizer.decide(
                Question(
                    principal=principal,
                    action=Cause.SUBMIT,
                    resource=source.resource,
                    context=context_of(event, principal, self.site, now),
                )
            )
            if source
            else Decision(allowed=False, error="no source is configured for this uri"),
            config_rev=self.site.rev,
            accepted_at=now,
        )

    def owed(self, event: Event, handoff: Handoff) -> Iterator[Delivery]:
        """What the routes owe for `event`. A mapping that fails makes a failed delivery."""
        for route in matching(event, self.site.routes):
            owed = Delivery(
                id=delivery_id(handoff.id, route.name),
                handoff=handoff.id,
                route=route.name,
                target=route.target,
                action=route.action,
                params={},
                limits=Limits(
                    admitted=handoff.accepted_at, within=route.within, on_unknown=route.on_unknown
                ),
                not_before=handoff.accepted_at,
            )
            try:
                params = self.mapper.render(route, event, handoff.principal)
            except MappingError as err:
                yield unplannable(owed, f"mapping: {err}")
            else:
                yield replace(owed, params=params)

    async def _refuse(self, event: Event, handoff: Handoff) -> None:
        source = self.site.sources.get(handoff.source)
        asked = Resource(type="Source", id=handoff.source or event.source)
        owner = source.owner if source else ""
        detail: dict[str, Json] = {
            "code": NotAllowed.code,
            "principal": str(handoff.principal),
            "action": str(handoff.cause),
            "resource": str(asked),
            "owner": owner,
            "rules": list(handoff.decision.rules),
            "why": handoff.decision.why,
            "event": {"source": event.source, "id": event.id, "type": event.type},
        }
        await self.ledger.record(
            Entry(kind="refused", at=handoff.accepted_at, handoff=handoff.id, detail=detail)
        )
        raise NotAllowed(
            f"{handoff.principal} may not {handoff.cause} to {asked}. "
            f"To see what was recorded: interlock trace {handoff.id}",
            action=str(handoff.cause),
            resource=str(asked),
            owner=owner,
            trace=handoff.id,
        )


def _accepted(event: Event, handoff: Handoff, deliveries: tuple[Delivery, ...]) -> Entry:
    return Entry(
        kind="accepted",
        at=handoff.accepted_at,
        handoff=handoff.id,
        detail={
            "principal": str(handoff.principal),
            "type": event.type,
            "owed": [delivery.route for delivery in deliveries],
        },
    )
