"""What every ledger must do. Subclass and provide the fixtures `clock` and `ledger`.

Nothing here knows which ledger it is talking to, nor waits: time passes by `clock`.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from interlock.core.delivery import Delivery, Lease, moved, with_plan
from interlock.core.entry import Attempt, Entry
from interlock.core.errors import Conflict, TooMany
from interlock.core.plan import Plan, Planned
from interlock.core.step import Done, Repeat, State, answered, sending
from interlock.ports import Change, Filter, Ledger
from tests.making import LIMITS, MINUTE, NOON, SECOND, FixedClock, admission, dashboard, event

pytestmark = pytest.mark.anyio
TERM = timedelta(seconds=60)
TOLD = Entry(kind="pending", at=NOON)
ALL = {"looker": 100, "slack": 100}


def planned(lease: Lease) -> tuple[Delivery, Change]:
    """A plan of two steps for the leased delivery, and the change that saves it."""
    plan = Plan(
        steps=tuple(
            Planned(
                key=key,
                action="refresh",
                resource=dashboard(key),
                call={"dashboard": key, "deep": {"list": [1, 2.5, None, "ü"]}},
                repeat=Repeat.HARMLESS,
                after=after,
            )
            for key, after in (("a", ()), ("b", ("a",)))
        )
    )
    delivery, steps = with_plan(lease.delivery, plan, NOON)
    begun = (sending(steps[0], NOON, LIMITS), steps[1])
    delivery = moved(delivery, begun)
    return delivery, Change(
        fence=lease.fence, entry=TOLD, delivery=delivery, steps=begun, planned=True
    )


class LedgerContract:
    """Once per key, gapless, fenced, readable."""

    async def test_an_event_is_recorded_with_all_it_owes(self, ledger: Ledger) -> None:
        """After admit returns, the hand-off reads back whole."""
        asked = admission(event(), "looker", "slack")

        receipt = await ledger.admit(asked, TERM)

        found = await ledger.trace(receipt.handoff)
        assert found is not None
        assert found.event == asked.event
        assert found.handoff == asked.handoff
        assert found.deliveries == asked.deliveries
        assert receipt.deliveries == tuple(each.id for each in asked.deliveries)

    async def test_the_same_event_again_is_the_first_receipt(self, ledger: Ledger) -> None:
        """The second sender gets the first one's receipt, marked duplicate; nothing new is owed."""
        first = await ledger.admit(admission(event(), "looker"), TERM)
        again = await ledger.admit(admission(event(), "looker", "slack"), TERM)

        assert again == replace(first, duplicate=True)
        assert len(await ledger.deliveries(Filter())) == 1
        assert [e.kind for e in await ledger.entries(0, 10)] == ["accepted", "duplicate"]

    async def test_fifty_at_once_are_one_row(self, ledger: Ledger) -> None:
        """However concurrently the same event comes, it is captured once."""
        receipts = await asyncio.gather(
            *(ledger.admit(admission(event(), "looker"), TERM) for _ in range(50))
        )

        assert sum(not receipt.duplicate for receipt in receipts) == 1
        assert len({receipt.handoff for receipt in receipts}) == 1
        assert len(await ledger.handoffs(Filter())) == 1

    async def test_another_fact_under_the_same_id_is_refused(self, ledger: Ledger) -> None:
        """The first is kept, both digests are told, and the try is on record."""
        first, other = event(fact="x"), event(fact="y")
        await ledger.admit(admission(first, "looker"), TERM)

        with pytest.raises(Conflict) as refusal:
            await ledger.admit(admission(other, "looker"), TERM)

        assert refusal.value.fields == {"first_digest": first.digest, "digest": other.digest}
        assert [e.kind for e in await ledger.entries(0, 10)] == ["accepted", "conflict"]
        [kept] = await ledger.handoffs(Filter())
        assert kept.event == first

    async def test_one_events_fate_is_not_anothers(self, ledger: Ledger) -> None:
        """Of many admitted together, only the one in conflict is refused."""
        await ledger.admit(admission(event("3"), "looker"), TERM)
        facts = [event(str(n), fact="other" if n == 3 else "x") for n in range(8)]

        ends = await asyncio.gather(
            *(ledger.admit(admission(fact, "looker"), TERM) for fact in facts),
            return_exceptions=True,
        )

        assert [isinstance(end, Conflict) for end in ends] == [n == 3 for n in range(8)]

    async def test_positions_are_gapless(self, ledger: Ledger) -> None:
        """1, 2, 3 ... in the order of commits, duplicates and refusals among them."""
        for n in ("1", "2", "2", "3"):
            await ledger.admit(admission(event(n), "looker"), TERM)
        await ledger.record(Entry(kind="refused", at=NOON, detail={"why": "expired"}))

        found = await ledger.entries(0, 100)

        assert [e.position for e in found] == [1, 2, 3, 4, 5]
        assert [e.position for e in await ledger.entries(3, 1)] == [4]
        assert await ledger.last() == 5

    async def test_news_comes_to_whoever_waits(self, ledger: Ledger) -> None:
        """A reader at the end is woken by the next entry."""
        waiting = asyncio.create_task(ledger.news(0))
        await asyncio.sleep(0)

        await ledger.admit(admission(event(), "looker"), TERM)

        await asyncio.wait_for(waiting, 10)
        await ledger.news(0)

    async def test_followers_keep_their_place(self, ledger: Ledger) -> None:
        """A follower starts at 0 and finds the position it moved to."""
        assert await ledger.cursor("alerts") == 0

        await ledger.move("alerts", 4)
        await ledger.move("alerts", 7)

        assert await ledger.cursor("alerts") == 7
        assert await ledger.cursor("lineage") == 0

    async def test_what_is_due_is_leased_once(self, ledger: Ledger) -> None:
        """Two claims never hold the same delivery."""
        for n in range(4):
            await ledger.admit(admission(event(str(n)), "looker"), TERM)

        one, two = await asyncio.gather(ledger.claim(ALL, TERM), ledger.claim(ALL, TERM))

        assert len({lease.delivery.id for lease in [*one, *two]}) == len([*one, *two]) == 4

    async def test_permits_bound_each_target(self, ledger: Ledger) -> None:
        """A busy target's backlog takes nothing from another."""
        for n in range(5):
            await ledger.admit(admission(event(str(n)), "looker", "slack"), TERM)

        leases = await ledger.claim({"looker": 2, "slack": 4}, TERM)

        targets = [lease.delivery.target for lease in leases]
        assert (targets.count("looker"), targets.count("slack")) == (2, 4)

    async def test_the_earliest_deadline_goes_first(self, ledger: Ledger) -> None:
        """Of what is due, what must be done soonest is claimed first."""
        for n, age in (("late", 0 * MINUTE), ("soon", 5 * MINUTE)):
            await ledger.admit(admission(event(n), "looker", at=NOON - age), TERM)

        [lease] = await ledger.claim({"looker": 1}, TERM)

        assert lease.event.id == "soon"

    async def test_nothing_is_claimed_before_its_time(
        self, ledger: Ledger, clock: FixedClock
    ) -> None:
        """A delivery that waits for its next attempt rests until then."""
        await ledger.admit(admission(event(), "looker"), TERM)
        [lease] = await ledger.claim(ALL, TERM)
        later = replace(lease.delivery, not_before=NOON + MINUTE)
        await ledger.save(Change(fence=lease.fence, entry=TOLD, delivery=later, release=True), TERM)

        assert not await ledger.claim(ALL, TERM)
        clock.pass_(MINUTE)
        assert len(await ledger.claim(ALL, TERM)) == 1

    async def test_a_lease_taken_at_admission_counts(
        self, ledger: Ledger, clock: FixedClock
    ) -> None:
        """Work that the admitting process took in hand is not claimed until that lease ends."""
        await ledger.admit(admission(event(), "looker", leased=True), TERM)

        assert not await ledger.claim(ALL, TERM)
        clock.pass_(TERM)
        [lease] = await ledger.claim(ALL, TERM)
        assert lease.fence == 2

    async def test_a_stale_worker_loses(self, ledger: Ledger, clock: FixedClock) -> None:
        """A worker whose lease passed on is told so, and writes nothing."""
        await ledger.admit(admission(event(), "looker"), TERM)
        [old] = await ledger.claim(ALL, TERM)
        clock.pass_(TERM)
        [new] = await ledger.claim(ALL, TERM)
        _, stale = planned(old)
        _, current = planned(new)

        assert not await ledger.save(stale, TERM)
        assert await ledger.save(current, TERM)

    async def test_a_save_extends_the_lease(self, ledger: Ledger, clock: FixedClock) -> None:
        """A worker that goes on saving keeps its delivery."""
        await ledger.admit(admission(event(), "looker"), TERM)
        [lease] = await ledger.claim(ALL, TERM)
        clock.pass_(TERM - SECOND)
        await ledger.save(planned(lease)[1], TERM)
        clock.pass_(TERM - SECOND)

        assert not await ledger.claim(ALL, TERM)

    async def test_steps_read_back_as_they_were_saved(
        self, ledger: Ledger, clock: FixedClock
    ) -> None:
        """The next worker finds the plan and each step's state exactly."""
        await ledger.admit(admission(event(), "looker"), TERM)
        [lease] = await ledger.claim(ALL, TERM)
        delivery, change = planned(lease)
        await ledger.save(change, TERM)
        clock.pass_(TERM)

        [found] = await ledger.claim(ALL, TERM)

        assert found.delivery == delivery
        assert found.steps == change.steps
        assert (found.event, found.handoff) == (lease.event, lease.handoff)

    async def test_a_change_and_its_entry_are_one(self, ledger: Ledger) -> None:
        """State, attempts and entry are there together, and the trace shows all of it."""
        await ledger.admit(admission(event(), "looker"), TERM)
        [lease] = await ledger.claim(ALL, TERM)
        delivery, change = planned(lease)
        await ledger.save(change, TERM)
        done = answered(change.steps[0], Done({"n": 1}), NOON, LIMITS, 0.5)
        attempt = Attempt(step=done.id, number=1, began_at=NOON, ended_at=NOON, outcome="Done")
        entry = Entry(
            kind="pending",
            at=NOON,
            handoff=delivery.handoff,
            delivery=delivery.id,
            detail={"a": "done"},
        )

        await ledger.save(
            Change(
                fence=1,
                delivery=replace(delivery, state=State.PENDING),
                steps=(done,),
                attempts=(attempt,),
                entry=entry,
                release=True,
            ),
            TERM,
        )

        found = await ledger.trace(delivery.handoff)
        assert found is not None
        assert found.deliveries[0].state is State.PENDING
        assert found.steps[delivery.id] == (done, change.steps[1])
        assert found.attempts == (attempt,)
        history = await ledger.history(delivery.handoff)
        assert [(e.kind, e.detail) for e in history][1:] == [("pending", {"a": "done"})]

    async def test_settled_deliveries_are_never_due(
        self, ledger: Ledger, clock: FixedClock
    ) -> None:
        """Done, failed, held and cancelled rest."""
        resting = [State.DONE, State.FAILED, State.HELD, State.CANCELLED]
        for n, state in enumerate(resting):
            await ledger.admit(admission(event(str(n)), "looker"), TERM)
            [lease] = await ledger.claim(ALL, TERM)
            settled = replace(lease.delivery, state=state)
            await ledger.save(Change(fence=1, entry=TOLD, delivery=settled, release=True), TERM)
        clock.pass_(10 * TERM)

        assert not await ledger.claim(ALL, TERM)

    async def test_a_lone_process_voids_what_its_forerunner_held(self, ledger: Ledger) -> None:
        """After a restart nobody waits for the leases of the dead."""
        await ledger.admit(admission(event(), "looker", leased=True), TERM)

        assert await ledger.void() == 1
        assert len(await ledger.claim(ALL, TERM)) == 1

    async def test_lists_are_filtered_and_paged(self, ledger: Ledger) -> None:
        """Newest first; `after` goes on where the last page ended, without gap or repeat."""
        for n in range(7):
            asked = admission(event(str(n)), "looker", "slack", at=NOON + n * SECOND)
            await ledger.admit(asked, TERM)

        pages: list[str] = []
        while page := await ledger.handoffs(Filter(limit=3, after=pages[-1] if pages else "")):
            pages += [found.handoff.id for found in page]

        newest = await ledger.handoffs(Filter(limit=1))
        assert newest[0].event.id == "6"
        assert len(newest[0].deliveries) == 2
        assert len(set(pages)) == len(pages) == 7
        assert len(await ledger.deliveries(Filter(target="slack"))) == 7
        assert len(await ledger.deliveries(Filter(route="to-looker", since=NOON + 5 * SECOND))) == 2
        assert not await ledger.deliveries(Filter(state=State.FAILED))
        assert [r.event.id for r in await ledger.handoffs(Filter(event="4"))] == ["4"]
        assert not await ledger.handoffs(Filter(subject="load_customers"))

    async def test_a_long_backlog_is_leased_whole(self, ledger: Ledger) -> None:
        """However many are due at once, each comes with all that work on it needs."""
        asked = [admission(event(str(n)), "looker", pending_max=2_000) for n in range(1_100)]
        await asyncio.gather(*(ledger.admit(each, TERM) for each in asked))

        leases = await ledger.claim({"looker": 2_000}, TERM)

        assert len({lease.delivery.id for lease in leases}) == 1_100

    async def test_a_full_queue_takes_no_more(self, ledger: Ledger) -> None:
        """Nothing is written where a target has its limit of open deliveries; others go on."""
        for n in range(3):
            await ledger.admit(admission(event(str(n)), "looker", pending_max=3), TERM)

        with pytest.raises(TooMany, match="looker has 3"):
            await ledger.admit(admission(event("3"), "slack", "looker", pending_max=3), TERM)

        assert (await ledger.admit(admission(event("0"), "looker", pending_max=3), TERM)).duplicate
        await ledger.admit(admission(event("4"), "slack", pending_max=3), TERM)
        assert len(await ledger.handoffs(Filter())) == 4

    async def test_a_queue_fills_up_to_its_limit_at_once_too(self, ledger: Ledger) -> None:
        """However many come together, a target gets as many as it may have and no more."""
        ends = await asyncio.gather(
            *(
                ledger.admit(admission(event(str(n)), "looker", pending_max=3), TERM)
                for n in range(9)
            ),
            return_exceptions=True,
        )

        assert sum(isinstance(end, TooMany) for end in ends) == 6
        assert len(await ledger.deliveries(Filter())) == 3

    async def test_a_page_goes_on_behind_what_no_longer_fits(self, ledger: Ledger) -> None:
        """The last row of a page may change before the next page is asked for."""
        for n in range(4):
            await ledger.admit(admission(event(str(n)), "looker", at=NOON + n * SECOND), TERM)
        pending = Filter(state=State.PENDING, limit=2)
        first = await ledger.deliveries(pending)
        last = first[-1][2]
        for lease in await ledger.claim(ALL, TERM):
            if lease.delivery.id == last.id:
                done = replace(lease.delivery, state=State.DONE)
                await ledger.save(
                    Change(fence=lease.fence, entry=TOLD, delivery=done, release=True), TERM
                )

        second = await ledger.deliveries(replace(pending, after=last.id))

        assert [each.id for each, _, _ in first] == ["3", "2"]
        assert [each.id for each, _, _ in second] == ["1", "0"]

    async def test_what_is_not_there_is_none(self, ledger: Ledger) -> None:
        """An unknown hand-off has no trace and no history."""
        assert await ledger.trace("h-none") is None
        assert not await ledger.history("h-none")
