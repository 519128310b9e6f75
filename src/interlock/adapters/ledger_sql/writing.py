"""Writing: one batch of requests in one transaction, on the connection of the one writer.

Law: a batch is written whole or not at all; one that fails is rolled back and each of its requests
is tried alone, so that no event shares another's fate.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ClauseElement,
    Connection,
    CursorResult,
    Dialect,
    Select,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from interlock.adapters.ledger_sql import rows
from interlock.adapters.ledger_sql.rows import Row
from interlock.adapters.ledger_sql.schema import (
    attempts,
    cursors,
    deliveries,
    entries,
    event_keys,
    events,
    handoffs,
    steps,
)
from interlock.core.entry import Entry
from interlock.core.errors import Conflict, Refusal, TooMany
from interlock.core.handoff import Receipt
from interlock.core.ids import children
from interlock.ports import Admission, Change

_PROGRESS = ("state", "open", "planned", "tries", "not_before", "reason", "notes", "lease_until")
_ATTEMPT = ("step", "number", "asked", "began_at", "ended_at", "outcome", "detail")
_MUTABLE = ("state", "attempts", "not_before", "reference", "result", "reason")


class StaleError(Exception):
    """A change in the batch carries an old fence."""


@dataclass(frozen=True, slots=True)
class Admitting:
    """Record this, and lease for `term` what it says it takes in hand."""

    admission: Admission
    term: timedelta


@dataclass(frozen=True, slots=True)
class Saving:
    """Write this if the fence is current, and extend the lease by `term`."""

    change: Change
    term: timedelta


@dataclass(frozen=True, slots=True)
class Claiming:
    """Lease what is due."""

    permits: Mapping[str, int]
    term: timedelta


@dataclass(frozen=True, slots=True)
class Voiding:
    """End every lease."""


@dataclass(frozen=True, slots=True)
class Moving:
    """Remember a follower's position."""

    follower: str
    position: int


Request = Admitting | Saving | Claiming | Voiding | Moving | Entry


class Batch:
    """The statements of one transaction. `entries` collects what is written at its end."""

    def __init__(self, connection: Connection, statements: "Statements", now: int) -> None:
        self._on = connection
        self._say = statements
        self._now = now
        self._entries: list[Entry] = []
        self._open: Counter[str] = Counter()

    def _do(self, statement: "Spelt", *wanted: Row) -> CursorResult[Any]:
        """Run it once for each row."""
        given = statement.given
        filled = [{**given, **row} for row in wanted] if given else list(wanted)
        return self._on.exec_driver_sql(statement.text, filled if len(filled) > 1 else filled[0])

    def admit(self, asked: Sequence[Admitting]) -> list[Receipt | Refusal]:
        """A receipt or a refusal for each, in the order asked."""
        known: dict[str, tuple[Any, ...]] = {}
        fresh: list[Admitting] = []
        answers: list[Receipt | Refusal] = []
        for each in asked:
            admission = each.admission
            key = admission.event.key
            row = known.get(key) or tuple(self._do(self._say.known, {"key": key}).first() or ())
            if row:
                digest, first = row
                answers.append(self._again(admission, digest, first, fresh))
            elif full := self._full(admission):
                answers.append(full)
            else:
                known[key] = (admission.event.digest, admission.handoff.id)
                fresh.append(each)
                answers.append(_receipt(admission))
        if fresh:
            self._insert(sorted(fresh, key=lambda each: each.admission.event.key))
        return answers

    def _full(self, admission: Admission) -> TooMany | None:
        """The refusal, if a target it owes to is full; else its deliveries count from here on."""
        most, owed = admission.pending_max, Counter(d.target for d in admission.deliveries)
        for target in owed:
            if target not in self._open:  # counted once a batch: a long backlog takes milliseconds
                counted = self._do(self._say.open, {"of": target, "most": most})
                self._open[target] = counted.scalar_one()
            if self._open[target] >= most:
                return TooMany.at(target, most)
        self._open.update(owed)
        return None

    def _again(
        self, admission: Admission, digest: str, first: str, fresh: Iterable[Admitting]
    ) -> Receipt | Conflict:
        same = admission.event.digest == digest
        kind = "duplicate" if same else "conflict"
        self.record(replace(admission.entry, kind=kind, handoff=first, detail=admission.again))
        if not same:
            return Conflict.between(admission.event, digest)
        for each in fresh:  # the first is in this very batch
            if each.admission.handoff.id == first:
                return replace(_receipt(each.admission), duplicate=True)
        low, high = children("d", first)
        owed = self._do(self._say.owed, {"low": low, "high": high})
        return Receipt(
            handoff=first,
            event=admission.event.key,
            duplicate=True,
            deliveries=tuple(owed.scalars()),
        )

    def _insert(self, fresh: Sequence[Admitting]) -> None:
        found = [each.admission for each in fresh]
        keys = [
            {"key": a.event.key, "digest": a.event.digest, "handoff": a.handoff.id} for a in found
        ]
        self._do(self._say.insert[event_keys], *keys)
        self._do(self._say.insert[events], *[rows.event_row(a.event, a.handoff.id) for a in found])
        self._do(
            self._say.insert[handoffs], *[rows.handoff_row(a.handoff, a.handoff.id) for a in found]
        )
        owed = [
            self._owed(each, seq) for each in fresh for seq in range(len(each.admission.deliveries))
        ]
        if owed:
            self._do(self._say.insert[deliveries], *owed)
        for admission in found:
            self.record(admission.entry)
        begun = [change for admission in found for change in admission.begun]
        self._steps(begun)
        for change in begun:
            self.record(change.entry)

    def _owed(self, asked: Admitting, seq: int) -> Row:
        delivery = asked.admission.deliveries[seq]
        for change in asked.admission.begun:
            if change.delivery.id == delivery.id:
                delivery = change.delivery
        leased = delivery.id in asked.admission.leased
        until = self._now + asked.term // timedelta(microseconds=1) if leased else 0
        return rows.delivery_row(delivery, seq, int(leased), until)

    def save(self, asked: Sequence[Saving]) -> None:
        """Write every change. Raises StaleError if a fence is old: commit nothing then."""
        changes = [each.change for each in asked]
        progress = [
            rows.delivery_progress(each.change.delivery)
            | {
                "lease_until": 0
                if each.change.release
                else self._now + each.term // timedelta(microseconds=1),
                "on_id": each.change.delivery.id,
                "on_fence": each.change.fence,
            }
            for each in asked
        ]
        if self._do(self._say.save, *progress).rowcount != len(progress):
            raise StaleError
        self._steps(changes)
        made = [rows.attempt_row(attempt) for change in changes for attempt in change.attempts]
        if made:
            self._do(self._say.attempt, *made)
        for change in changes:
            self.record(change.entry)

    def _steps(self, changes: Sequence[Change]) -> None:
        made = [
            rows.step_row(step, change.delivery.id, seq)
            for change in changes
            if change.planned
            for seq, step in enumerate(change.steps)
        ]
        moved = [
            rows.step_progress(step) | {"on_id": step.id}
            for change in changes
            if not change.planned
            for step in change.steps
        ]
        if made:
            self._do(self._say.insert[steps], *made)
        if moved:
            self._do(self._say.step, *moved)

    def claim(self, asked: Claiming) -> list[str]:
        """Lease what is due, earliest deadline first; the ids, in that order."""
        due = [
            row
            for target, most in asked.permits.items()
            for row in self._do(self._say.due, {"of": target, "now": self._now, "most": most})
        ]
        if due:
            until = self._now + asked.term // timedelta(microseconds=1)
            self._do(self._say.lease, *[{"on_id": row.id, "until": until} for row in due])
        return [row.id for row in sorted(due, key=lambda row: row.deadline)]

    def void(self) -> int:
        """End every lease; how many there were."""
        return self._do(self._say.void, {}).rowcount

    def move(self, asked: Moving) -> None:
        """Remember the follower's position."""
        row = {"follower": asked.follower, "position": asked.position}
        self._do(self._say.move, row)

    def carry_out(self, request: Claiming | Voiding | Moving | Entry) -> list[str] | int | None:
        """Do what one request asks; its answer."""
        match request:
            case Claiming():
                return self.claim(request)
            case Voiding():
                return self.void()
            case Moving():
                self.move(request)
            case Entry():
                self.record(request)
        return None

    def record(self, entry: Entry) -> None:
        """Write the entry when the batch ends."""
        self._entries.append(entry)

    def end(self) -> int:
        """Give the batch's entries the next positions, without a gap; the last position."""
        last: int = self._do(self._say.last, {}).scalar_one()
        if self._entries:
            made = [rows.entry_row(entry, last + n) for n, entry in enumerate(self._entries, 1)]
            self._do(self._say.entry, *made)
        return last + len(self._entries)


def _receipt(admission: Admission) -> Receipt:
    return Receipt(
        handoff=admission.handoff.id,
        event=admission.event.key,
        deliveries=tuple(delivery.id for delivery in admission.deliveries),
    )


def _moving(dialect: Dialect) -> ClauseElement:
    """Insert or update a cursor: spelt alike by both dialects, with a construct each."""
    made: Any = (postgresql if dialect.name == "postgresql" else sqlite).insert(cursors)
    upsert: ClauseElement = made.on_conflict_do_update(
        index_elements=["follower"], set_={"position": made.excluded.position}
    )
    return upsert


class Spelt(NamedTuple):
    """A statement as text, and the parameters that are part of it, such as a literal 1."""

    text: str
    given: Mapping[str, Any]


class Statements:
    """The text of each statement in one dialect: compiled once, for a batch has a dozen of them."""

    def __init__(self, dialect: Dialect) -> None:
        def spelt(statement: ClauseElement) -> Spelt:
            compiled = statement.compile(dialect=dialect)
            given = {name: value for name, value in compiled.params.items() if value is not None}
            return Spelt(str(compiled), given)

        self._rows(spelt)
        self._queue(spelt)
        self.move = spelt(_moving(dialect))
        self.last = spelt(LAST)

    def _rows(self, spelt: Callable[[ClauseElement], Spelt]) -> None:
        """What records events and progress."""
        held = (deliveries.c.id == bindparam("on_id"), deliveries.c.fence == bindparam("on_fence"))
        self.insert = {
            table: spelt(insert(table))
            for table in (event_keys, events, handoffs, deliveries, steps)
        }
        self.attempt = spelt(insert(attempts).values({c: bindparam(c) for c in _ATTEMPT}))
        self.entry = spelt(insert(entries))
        self.save = spelt(
            update(deliveries).where(*held).values({name: bindparam(name) for name in _PROGRESS})
        )
        self.step = spelt(
            update(steps)
            .where(steps.c.id == bindparam("on_id"))
            .values({name: bindparam(name) for name in _MUTABLE})
        )
        self.known = spelt(
            select(event_keys.c.digest, event_keys.c.handoff).where(
                event_keys.c.key == bindparam("key")
            )
        )
        self.owed = spelt(
            select(deliveries.c.id)
            .where(deliveries.c.id > bindparam("low"), deliveries.c.id < bindparam("high"))
            .order_by(deliveries.c.seq)
        )

    def _queue(self, spelt: Callable[[ClauseElement], Spelt]) -> None:
        """What is due, and who has it."""
        of_target = (deliveries.c.target == bindparam("of"), deliveries.c.open)
        due = (
            deliveries.c.not_before <= bindparam("now"),
            deliveries.c.lease_until <= bindparam("now"),
        )
        self.due = spelt(
            select(deliveries.c.id, deliveries.c.deadline)
            .where(*of_target, *due)
            .order_by(deliveries.c.deadline)
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
        )
        counted = select(deliveries.c.id).where(*of_target).limit(bindparam("most")).subquery()
        self.open = spelt(select(func.count()).select_from(counted))
        self.lease = spelt(
            update(deliveries)
            .where(deliveries.c.id == bindparam("on_id"))
            .values(lease_until=bindparam("until"), fence=deliveries.c.fence + 1)
        )
        self.void = spelt(
            update(deliveries).where(deliveries.c.lease_until > 0).values(lease_until=0)
        )


LAST: Select[int] = select(func.coalesce(func.max(entries.c.position), text("0")))
