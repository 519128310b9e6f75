"""Following: readers of the record, each at its own pace; never passengers of the path."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from interlock.core.entry import Entry
from interlock.core.errors import NotReady
from interlock.core.step import OPEN
from interlock.engine.dispatch import LEDGER_PAUSE_S
from interlock.ports import Filter, Ledger

BATCH = 500  # entries read at once: a few hundred kilobytes


async def follow(ledger: Ledger, after: int) -> AsyncIterator[Entry]:
    """Every entry behind position `after`, in order, for ever; waits for more at the end."""
    while True:
        for entry in await ledger.entries(after, BATCH):
            yield entry
            after = entry.position
        await ledger.news(after)


@dataclass(slots=True)
class Settled:
    """Lets callers wait until nothing of a hand-off moves by itself any more."""

    ledger: Ledger
    _someone: asyncio.Event = field(default_factory=asyncio.Event)
    _waiting: dict[str, list[asyncio.Event]] = field(default_factory=dict[str, list[asyncio.Event]])

    async def run(self) -> None:
        """Follow the record while anybody waits, and wake whoever waits for what it tells of."""
        while True:
            await self._someone.wait()
            try:
                await self._tell()
            except NotReady:
                await asyncio.sleep(LEDGER_PAUSE_S)

    async def _tell(self) -> None:
        after = await self.ledger.last()
        self._wake(*self._waiting)  # what they wait for may have come before `after`
        async for entry in follow(self.ledger, after):
            self._wake(entry.handoff)
            if not self._waiting:
                break

    def _wake(self, *handoffs: str) -> None:
        for handoff in handoffs:
            for news in self._waiting.get(handoff, ()):
                news.set()

    async def wait(self, handoff: str, seconds: float) -> bool:
        """Whether the hand-off has settled within `seconds`."""
        news = asyncio.Event()
        self._waiting.setdefault(handoff, []).append(news)
        self._someone.set()
        try:
            async with asyncio.timeout(seconds):
                while not await self._at_rest(handoff):
                    await news.wait()
                    news.clear()
                return True
        except TimeoutError:
            return False
        finally:
            self._waiting[handoff].remove(news)
            if not self._waiting[handoff]:
                del self._waiting[handoff]
            if not self._waiting:
                self._someone.clear()

    async def _at_rest(self, handoff: str) -> bool:
        [record] = await self.ledger.handoffs(Filter(handoff=handoff))
        return all(delivery.state not in OPEN for delivery in record.deliveries)
