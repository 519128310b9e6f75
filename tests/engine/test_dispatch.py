"""Dispatch: as many at once as each target allows; one worker's trouble is its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from interlock.adapters.ledger_memory import MemoryLedger
from interlock.core.delivery import Lease
from interlock.core.errors import NotReady
from interlock.core.step import State, Unavailable
from interlock.engine import dispatch
from interlock.ports import Change
from tests.engine.bench import Bench, Script, route, until
from tests.making import MINUTE

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def at_work(bench: Bench) -> AsyncIterator[None]:
    """The dispatcher's loop, until the block ends."""
    loop = asyncio.create_task(bench.dispatch.run())
    try:
        yield
    finally:
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop


@pytest.mark.parametrize("concurrency", [1, 2, 5])
async def test_a_target_is_not_run_over(concurrency: int) -> None:
    """Through admission and the loop alike, no more are under way than the target allows."""
    bench = Bench(Script(concurrency=concurrency))
    bench.target.gate.clear()
    for n in range(8):
        await bench.submit(str(n))
    while await bench.dispatch.once():
        pass
    await until(lambda: len(bench.target.heard) >= concurrency)
    held_back = len(bench.target.heard)
    bench.target.gate.set()
    await bench.work()

    assert held_back == bench.target.most_under_way == concurrency
    assert [owed.state for owed in await bench.deliveries()] == [State.DONE] * 8


async def test_what_is_due_again_takes_only_the_places_left() -> None:
    """Retries and new events share a target's places."""
    bench = Bench(Script(concurrency=3, sends=[Unavailable("503")] * 3))
    for n in range(3):
        await bench.submit(str(n))
    await bench.work()
    bench.target.gate.clear()
    bench.clock.pass_(MINUTE)
    for n in range(3, 5):
        await bench.submit(str(n))
    claimed = await bench.dispatch.once()
    await until(lambda: bench.target.under_way.total() >= 3)
    bench.target.gate.set()
    await bench.work()

    assert claimed == 1
    assert bench.target.most_under_way == 3


async def test_a_full_target_holds_up_no_other() -> None:
    """What waits for one target does not stand in the way of another's."""
    slow, quick = Script(concurrency=1), Script()
    bench = Bench(slow, quick, routes=[route("slow"), route("quick", "other")])
    slow.gate.clear()
    for n in range(5):
        await bench.submit(str(n))
    await bench.dispatch.once()
    await until(lambda: len(quick.heard) == 5)

    assert len(slow.heard) == 1
    slow.gate.set()
    await bench.work()


class Buggy(MemoryLedger):
    """A ledger that our own mistake breaks for one delivery."""

    async def save(self, change: Change, term: timedelta) -> bool:
        """See Ledger."""
        if change.delivery.route == "bad":
            raise ZeroDivisionError
        return await super().save(change, term)


async def test_a_bug_in_one_worker_does_not_stop_the_others() -> None:
    """The bug is told to the loop's handler, its place is free again, the rest is delivered."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    bench = Bench(Script(concurrency=1), routes=[route("bad"), route("good")], ledger=Buggy)

    await bench.submit()
    await bench.work()

    states = {owed.route: owed.state for owed in await bench.deliveries()}
    assert states == {"bad": State.PENDING, "good": State.DONE}
    assert [type(context["exception"]) for context in told] == [ZeroDivisionError]


async def test_a_place_that_gets_free_is_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop does not wait for its next poll when a worker ends or an event comes in."""
    monkeypatch.setattr(dispatch, "POLL_S", 3_600)
    bench = Bench(Script(concurrency=1))
    async with at_work(bench):
        for n in range(3):
            await bench.submit(str(n))
        await until(lambda: bench.states() == [State.DONE] * 3)

    assert bench.target.most_under_way == 1


class Flaky(MemoryLedger):
    """A ledger that cannot be reached the first few times."""

    refusals = 3

    async def claim(self, permits: Mapping[str, int], term: timedelta) -> Sequence[Lease]:
        """See Ledger."""
        if self.refusals:
            self.refusals -= 1
            raise NotReady("no connection")
        return await super().claim(permits, term)


async def test_a_ledger_that_comes_back_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop outlives a ledger that cannot be reached; nobody has to restart it."""
    monkeypatch.setattr(dispatch, "LEDGER_PAUSE_S", 0)
    bench = Bench(Script(concurrency=1), ledger=Flaky)
    async with at_work(bench):
        for n in range(3):
            await bench.submit(str(n))
        await until(lambda: bench.states() == [State.DONE] * 3)

    assert bench.ledger.refusals == 0  # type: ignore[attr-defined]


async def test_the_loop_ends_after_what_is_under_way() -> None:
    """Stopping the gateway cuts no conversation with a target short."""
    bench = Bench()
    bench.target.gate.clear()
    loop = asyncio.create_task(bench.dispatch.run())
    await bench.submit()
    await until(lambda: bool(bench.target.heard))
    loop.cancel()
    ended, _ = await asyncio.wait([loop], timeout=0.01)
    bench.target.gate.set()
    with suppress(asyncio.CancelledError):
        await loop

    assert not ended
    assert not bench.dispatch.working
    assert bench.states() == [State.DONE]


class Torn(MemoryLedger):
    """A ledger with a row that cannot be read, once."""

    torn = True

    async def claim(self, permits: Mapping[str, int], term: timedelta) -> Sequence[Lease]:
        """See Ledger."""
        if self.torn:
            self.torn = False
            raise ValueError("a stored event no longer parses")
        return await super().claim(permits, term)


async def test_one_bad_row_does_not_end_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever claiming raises is reported, and the loop goes on."""
    monkeypatch.setattr(dispatch, "LEDGER_PAUSE_S", 0)
    bench = Bench(Script(concurrency=1), ledger=Torn)
    told: list[Mapping[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    for n in range(3):
        await bench.submit(str(n))

    async with at_work(bench):
        await until(lambda: len(bench.target.heard) == 3)

    assert [context["message"] for context in told] == ["what is due could not be claimed"]


async def test_a_gateway_that_stops_begins_nothing_more() -> None:
    """What is due when it is told to stop is handed back as it was."""
    bench = Bench()
    bench.dispatch.stopping.set()
    await bench.submit("1")
    await bench.dispatch.drain()

    [owed] = await bench.deliveries()
    assert owed.state is State.PENDING
    assert not bench.target.heard
