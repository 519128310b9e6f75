"""The ledger in dictionaries: the model that every other ledger is tested against. Not durable."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from interlock.core.delivery import Delivery, Lease
from interlock.core.entry import Attempt, Entry
from interlock.core.errors import Conflict, TooMany
from interlock.core.event import Event
from interlock.core.handoff import Handoff, Receipt
from interlock.core.step import OPEN, Step
from interlock.ports import Admission, Change, Clock, Filter, Record

Row = TypeVar("Row")


@dataclass(slots=True)
class _Held:
    """A delivery's row: what is owed, and who has it in hand until when."""

    delivery: Delivery
    steps: dict[str, Step] = field(default_factory=dict[str, Step])
    fence: int = 0
    until: datetime | None = None


@dataclass(slots=True)
class MemoryLedger:
    """See Ledger."""

    clock: Clock
    _events: dict[str, Event] = field(default_factory=dict[str, Event])
    _first: dict[str, str] = field(default_factory=dict[str, str])
    _handoffs: dict[str, Handoff] = field(default_factory=dict[str, Handoff])
    _held: dict[str, _Held] = field(default_factory=dict[str, _Held])
    _attempts: list[Attempt] = field(default_factory=list[Attempt])
    _entries: list[Entry] = field(default_factory=list[Entry])
    _cursors: dict[str, int] = field(default_factory=dict[str, int])
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def admit(self, admission: Admission, term: timedelta) -> Receipt:
        """See Ledger."""
        event, handoff = admission.event, admission.handoff
        first = self._events.get(event.key)
        if first is not None:
            return self._again(first, admission)
        for target in {delivery.target for delivery in admission.deliveries}:
            open_ = [h for h in self._held.values() if h.delivery.state in OPEN]
            if sum(h.delivery.target == target for h in open_) >= admission.pending_max:
                raise TooMany.at(target, admission.pending_max)
        self._events[event.key] = event
        self._first[event.key] = handoff.id
        self._handoffs[handoff.id] = handoff
        for delivery in admission.deliveries:
            held = _Held(delivery)
            if delivery.id in admission.leased:
                held.fence, held.until = 1, self.clock.now() + term
            self._held[delivery.id] = held
        self._write(admission.entry)
        for change in admission.begun:
            self._keep(change, term)
        return Receipt(
            handoff=handoff.id,
            event=event.key,
            deliveries=tuple(delivery.id for delivery in admission.deliveries),
        )

    def _again(self, first: Event, admission: Admission) -> Receipt:
        event, handoff = admission.event, self._first[admission.event.key]
        kind = "duplicate" if first.digest == event.digest else "conflict"
        self._write(replace(admission.entry, kind=kind, handoff=handoff, detail=admission.again))
        if kind == "conflict":
            raise Conflict.between(event, first.digest)
        owed = [each for each, held in self._held.items() if held.delivery.handoff == handoff]
        return Receipt(handoff=handoff, event=event.key, duplicate=True, deliveries=tuple(owed))

    async def record(self, entry: Entry) -> None:
        """See Ledger."""
        self._write(entry)

    async def claim(self, permits: Mapping[str, int], term: timedelta) -> Sequence[Lease]:
        """See Ledger."""
        now, left, leases = self.clock.now(), dict(permits), list[Lease]()
        for held in sorted(self._held.values(), key=lambda h: h.delivery.limits.deadline):
            delivery = held.delivery
            free = held.until is None or held.until <= now
            due = delivery.state in OPEN and delivery.not_before <= now
            if free and due and left.get(delivery.target, 0) > 0:
                left[delivery.target] -= 1
                held.fence, held.until = held.fence + 1, now + term
                leases.append(self._lease(held))
        return leases

    def _lease(self, held: _Held) -> Lease:
        handoff = self._handoffs[held.delivery.handoff]
        return Lease(
            event=self._events[handoff.event],
            handoff=handoff,
            delivery=held.delivery,
            steps=tuple(held.steps.values()),
            fence=held.fence,
        )

    async def save(self, change: Change, term: timedelta) -> bool:
        """See Ledger."""
        if self._held[change.delivery.id].fence != change.fence:
            return False
        self._keep(change, term)
        return True

    def _keep(self, change: Change, term: timedelta) -> None:
        held = self._held[change.delivery.id]
        held.delivery = change.delivery
        held.steps |= {step.key: step for step in change.steps}
        held.until = None if change.release else self.clock.now() + term
        self._attempts.extend(change.attempts)
        self._write(change.entry)

    async def void(self) -> int:
        """See Ledger."""
        leased = [held for held in self._held.values() if held.until]
        for held in leased:
            held.until = None
        return len(leased)

    async def entries(self, after: int, limit: int) -> Sequence[Entry]:
        """See Ledger."""
        return self._entries[after : after + limit]

    async def news(self, after: int) -> None:
        """See Ledger."""
        while len(self._entries) <= after:
            self._news.clear()
            await self._news.wait()

    async def last(self) -> int:
        """See Ledger."""
        return len(self._entries)

    async def cursor(self, follower: str) -> int:
        """See Ledger."""
        return self._cursors.get(follower, 0)

    async def move(self, follower: str, position: int) -> None:
        """See Ledger."""
        self._cursors[follower] = position

    async def trace(self, handoff: str) -> Record | None:
        """See Ledger."""
        if handoff not in self._handoffs:
            return None
        found = self._record(self._handoffs[handoff])
        ids = {d.id for d in found.deliveries}
        steps = {d: tuple(self._held[d].steps.values()) for d in ids}
        of_steps = {step.id for each in steps.values() for step in each}
        return replace(
            found,
            steps=steps,
            attempts=tuple(a for a in self._attempts if a.step in of_steps),
        )

    async def history(self, handoff: str) -> Sequence[Entry]:
        """See Ledger."""
        return [entry for entry in self._entries if entry.handoff == handoff]

    async def handoffs(self, wanted: Filter) -> Sequence[Record]:
        """See Ledger."""
        newest = sorted(self._handoffs.values(), key=lambda h: h.id, reverse=True)
        fitting = [h for h in newest if _fits(wanted, self._events[h.event], h)]
        return [self._record(h) for h in _page(fitting, [h.id for h in fitting], wanted)]

    async def deliveries(self, wanted: Filter) -> Sequence[tuple[Event, Handoff, Delivery]]:
        """See Ledger."""
        rows = []
        for held in self._held.values():
            delivery = held.delivery
            handoff = self._handoffs[delivery.handoff]
            event = self._events[handoff.event]
            if _fits(wanted, event, handoff) and _owes(wanted, delivery):
                rows.append((event, handoff, delivery))
        rows.sort(key=lambda row: row[2].id, reverse=True)
        return _page(rows, [delivery.id for _, _, delivery in rows], wanted)

    def _record(self, handoff: Handoff) -> Record:
        owed = [h.delivery for h in self._held.values() if h.delivery.handoff == handoff.id]
        return Record(event=self._events[handoff.event], handoff=handoff, deliveries=tuple(owed))

    def _write(self, entry: Entry) -> None:
        self._entries.append(replace(entry, position=len(self._entries) + 1))
        self._news.set()


def _fits(wanted: Filter, event: Event, handoff: Handoff) -> bool:
    pairs: Iterable[tuple[str, str | None]] = (
        (wanted.source, handoff.source),
        (wanted.event, event.id),
        (wanted.type, event.type),
        (wanted.subject, event.subject),
        (wanted.handoff, handoff.id),
    )
    recent = wanted.since is None or handoff.accepted_at >= wanted.since
    return recent and all(not want or want == have for want, have in pairs)


def _owes(wanted: Filter, delivery: Delivery) -> bool:
    return (
        (not wanted.route or wanted.route == delivery.route)
        and (not wanted.target or wanted.target == delivery.target)
        and (wanted.state is None or wanted.state is delivery.state)
    )


def _page(rows: list[Row], ids: list[str], wanted: Filter) -> list[Row]:
    """Ids are in the order of time, so a page begins behind `after` even if that fits no more."""
    after = wanted.after
    behind = [row for row, each in zip(rows, ids, strict=True) if not after or each < after]
    return behind[: wanted.limit]
