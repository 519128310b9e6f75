"""Reading: what the record says, on connections that never write."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, and_, or_, select

from interlock.adapters.ledger_sql import rows
from interlock.adapters.ledger_sql.schema import (
    attempts,
    cursors,
    deliveries,
    entries,
    events,
    handoffs,
    steps,
)
from interlock.core.delivery import Delivery, Lease
from interlock.core.entry import Entry
from interlock.core.event import Event
from interlock.core.handoff import Handoff
from interlock.core.ids import children, first_id
from interlock.core.step import Step
from interlock.ports import Filter, Record

RANGES_MAX = 400  # in one statement; SQLite takes expressions 1,000 deep

ReadEvent = Callable[[bytes], Event]


class Reader:
    """The questions that can be asked of the record. `read_event` parses a stored body."""

    def __init__(self, connection: Connection, read_event: ReadEvent) -> None:
        self._on = connection
        self._read_event = read_event

    def entries(self, after: int, limit: int) -> list[Entry]:
        """Up to `limit` entries behind `after`."""
        query = (
            select(entries)
            .where(entries.c.position > after)
            .order_by(entries.c.position)
            .limit(limit)
        )
        return [rows.entry_of(row) for row in self._all(query)]

    def history(self, handoff: str) -> list[Entry]:
        """Every entry about the hand-off."""
        query = select(entries).where(entries.c.handoff == handoff).order_by(entries.c.position)
        return [rows.entry_of(row) for row in self._all(query)]

    def cursor(self, follower: str) -> int:
        """The follower's position; 0 for a new one."""
        query = select(cursors.c.position).where(cursors.c.follower == follower)
        return self._on.execute(query).scalar_one_or_none() or 0

    def leases(self, ids: Sequence[str]) -> list[Lease]:
        """The deliveries of these ids with all that work on them needs, in that order."""
        found = {
            row["id"]: row for row in self._all(select(deliveries).where(deliveries.c.id.in_(ids)))
        }
        accepted = self._handoffs([row["handoff"] for row in found.values()])
        facts = self._events(list(accepted.values()))
        planned = self._steps(ids)
        leases = []
        for each in ids:
            handoff = accepted[found[each]["handoff"]]
            leases.append(
                Lease(
                    event=facts[handoff.event],
                    handoff=handoff,
                    delivery=rows.delivery_of(found[each]),
                    steps=tuple(planned.get(each, ())),
                    fence=found[each]["fence"],
                )
            )
        return leases

    def trace(self, handoff: str) -> Record | None:
        """One hand-off whole."""
        for accepted in self._handoffs([handoff]).values():
            [record] = self._records([accepted])
            planned = self._steps([delivery.id for delivery in record.deliveries])
            ids = [step.id for each in planned.values() for step in each]
            query = select(attempts).where(attempts.c.step.in_(ids)).order_by(attempts.c.n)
            return Record(
                event=record.event,
                handoff=accepted,
                deliveries=record.deliveries,
                steps={d.id: tuple(planned.get(d.id, ())) for d in record.deliveries},
                attempts=tuple(rows.attempt_of(row) for row in self._all(query)),
            )
        return None

    def handoffs(self, wanted: Filter) -> list[Record]:
        """Hand-offs that fit, newest first."""
        query = (
            select(handoffs)
            .join(events, events.c.first == handoffs.c.first)
            .where(*_fits(wanted), *_from(handoffs, wanted, "h"))
            .order_by(handoffs.c.id.desc())
            .limit(wanted.limit)
        )
        return self._records([rows.handoff_of(row) for row in self._all(query)])

    def deliveries(self, wanted: Filter) -> list[tuple[Event, Handoff, Delivery]]:
        """Deliveries that fit, newest first."""
        query = (
            select(deliveries)
            .join(handoffs, handoffs.c.id == deliveries.c.handoff)
            .join(events, events.c.first == handoffs.c.first)
            .where(*_fits(wanted), *_owes(wanted), *_from(deliveries, wanted, "d"))
            .order_by(deliveries.c.id.desc())
            .limit(wanted.limit)
        )
        owed = [rows.delivery_of(row) for row in self._all(query)]
        accepted = self._handoffs([delivery.handoff for delivery in owed])
        facts = self._events(list(accepted.values()))
        return [(facts[(h := accepted[d.handoff]).event], h, d) for d in owed]

    def _records(self, accepted: Sequence[Handoff]) -> list[Record]:
        facts = self._events(accepted)
        ids = [handoff.id for handoff in accepted]
        query = select(deliveries).order_by(deliveries.c.seq)
        owed = [rows.delivery_of(row) for row in self._of_parents(query, deliveries.c.id, "d", ids)]
        return [
            Record(
                event=facts[handoff.event],
                handoff=handoff,
                deliveries=tuple(d for d in owed if d.handoff == handoff.id),
            )
            for handoff in accepted
        ]

    def _handoffs(self, ids: Sequence[str]) -> dict[str, Handoff]:
        query = select(handoffs).where(handoffs.c.id.in_(set(ids)))
        return {row["id"]: rows.handoff_of(row) for row in self._all(query)}

    def _events(self, of: Sequence[Handoff]) -> dict[str, Event]:
        query = (
            select(events.c.key, events.c.body)
            .join(handoffs, handoffs.c.first == events.c.first)
            .where(handoffs.c.id.in_({handoff.id for handoff in of}))
        )
        return {row["key"]: self._read_event(row["body"]) for row in self._all(query)}

    def _steps(self, of: Sequence[str]) -> dict[str, list[Step]]:
        found: dict[str, list[Step]] = {}
        for row in self._of_parents(select(steps).order_by(steps.c.seq), steps.c.id, "s", of):
            found.setdefault(row["delivery"], []).append(rows.step_of(row))
        return found

    def _of_parents(
        self,
        query: Select[Any],
        column: Any,  # noqa: ANN401 - an SQL expression
        kind: str,
        parents: Sequence[str],
    ) -> Iterator[RowMapping]:
        """The rows whose id in `column` belongs to one of `parents`."""
        for first in range(0, len(parents), RANGES_MAX):
            ranges = [children(kind, each) for each in parents[first : first + RANGES_MAX]]
            yield from self._all(
                query.where(or_(*(and_(column > low, column < high) for low, high in ranges)))
            )

    def _all(self, query: Select[Any]) -> Sequence[RowMapping]:
        return self._on.execute(query).mappings().all()


def _fits(wanted: Filter) -> list[Any]:
    pairs = (
        (wanted.source, handoffs.c.source),
        (wanted.handoff, handoffs.c.id),
        (wanted.event, events.c.id),
        (wanted.type, events.c.type),
        (wanted.subject, events.c.subject),
    )
    return [column == value for value, column in pairs if value]


def _from(table: Table, wanted: Filter, kind: str) -> list[Any]:
    """Where the page begins and ends: ids are in the order of time."""
    found: list[Any] = [table.c.id < wanted.after] if wanted.after else []
    return [*found, table.c.id >= first_id(kind, wanted.since)] if wanted.since else found


def _owes(wanted: Filter) -> list[Any]:
    pairs = ((wanted.route, deliveries.c.route), (wanted.target, deliveries.c.target))
    found: list[Any] = [column == value for value, column in pairs if value]
    if wanted.state:
        found.append(deliveries.c.state == wanted.state.value)
    return found
