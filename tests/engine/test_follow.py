"""Following the record: every entry once, in order; and waking whoever waits for the end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from interlock.adapters.ledger_memory import MemoryLedger
from interlock.core.entry import Entry
from interlock.core.errors import NotReady
from interlock.engine import follow as following
from interlock.engine.follow import Settled, follow
from tests.engine.bench import Bench, until
from tests.making import NOON, FixedClock

pytestmark = pytest.mark.anyio
LONG, SHORT = 60.0, 0.01


@asynccontextmanager
async def told(bench: Bench) -> AsyncIterator[Settled]:
    """Settled, following the bench's record until the block ends."""
    settled = Settled(bench.ledger)
    loop = asyncio.create_task(settled.run())
    try:
        yield settled
    finally:
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop


@pytest.mark.parametrize("batch", [1, 2, 500])
async def test_every_entry_once_in_order(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the position given, across batches, and on to what is written while it waits."""
    monkeypatch.setattr(following, "BATCH", batch)
    ledger = MemoryLedger(FixedClock())
    for n in range(5):
        await ledger.record(Entry(kind=str(n), at=NOON))
    found = follow(ledger, after=1)
    seen = [(await anext(found)).position for _ in range(4)]
    waiting = asyncio.ensure_future(anext(found))
    await asyncio.sleep(0)
    await ledger.record(Entry(kind="new", at=NOON))

    assert seen == [2, 3, 4, 5]
    assert (await waiting).position == 6


async def test_a_waiter_wakes_when_the_last_delivery_rests() -> None:
    """Not before, and without a poll: the entry that tells of it wakes the waiter."""
    bench = Bench()
    bench.target.gate.clear()
    async with told(bench) as settled:
        receipt = await bench.submit()
        waiting = asyncio.create_task(settled.wait(receipt.handoff, LONG))
        await until(lambda: bool(bench.target.heard))
        early = waiting.done()
        bench.target.gate.set()

        assert await waiting
        assert not early


async def test_what_rests_already_is_not_waited_for() -> None:
    """A second sending with `Prefer: wait` is answered at once, even while nobody follows."""
    bench = Bench()
    receipt = await bench.submit()
    await bench.work()

    assert await Settled(bench.ledger).wait(receipt.handoff, LONG)


async def test_waiting_ends_in_time() -> None:
    """A hand-off that does not settle is reported as not settled when the time is over."""
    bench = Bench()
    bench.target.gate.clear()
    async with told(bench) as settled:
        receipt = await bench.submit()

        assert not await settled.wait(receipt.handoff, SHORT)
    bench.target.gate.set()
    await bench.work()


async def test_all_waiters_wake_and_none_is_kept() -> None:
    """Several wait for one hand-off and others for another; afterwards nothing is remembered."""
    bench = Bench()
    bench.target.gate.clear()
    async with told(bench) as settled:
        receipts = [await bench.submit(name) for name in ("1", "1", "2")]
        waiting = [asyncio.create_task(settled.wait(receipt.handoff, LONG)) for receipt in receipts]
        await asyncio.sleep(0)
        bench.target.gate.set()

        assert await asyncio.gather(*waiting) == [True] * 3
        assert not settled._waiting


class Quick(MemoryLedger):
    """A ledger that is asked for its last position just after everything has settled."""

    meanwhile: Callable[[], Awaitable[None]]

    async def last(self) -> int:
        """See Ledger."""
        await self.meanwhile()
        return await super().last()


async def test_what_settles_before_anyone_follows_is_not_missed() -> None:
    """Between a waiter's look and the first entry followed lies no gap."""
    bench = Bench(ledger=Quick)
    bench.target.gate.clear()

    async def settle() -> None:
        bench.target.gate.set()
        await bench.work()

    bench.ledger.meanwhile = settle  # type: ignore[attr-defined]
    receipt = await bench.submit()
    async with told(bench) as settled:
        assert await settled.wait(receipt.handoff, LONG)


class Flaky(MemoryLedger):
    """A ledger that cannot be reached the first few times."""

    refusals = 3

    async def last(self) -> int:
        """See Ledger."""
        if self.refusals:
            self.refusals -= 1
            raise NotReady("no connection")
        return await super().last()


async def test_following_outlives_a_ledger_that_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the ledger is back, waiters are woken again; nobody has to restart the gateway."""
    monkeypatch.setattr(following, "LEDGER_PAUSE_S", 0)
    bench = Bench(ledger=Flaky)
    bench.target.gate.clear()
    async with told(bench) as settled:
        receipt = await bench.submit()
        waiting = asyncio.create_task(settled.wait(receipt.handoff, LONG))
        await until(lambda: bench.ledger.refusals == 0)  # type: ignore[attr-defined]
        bench.target.gate.set()

        assert await waiting
