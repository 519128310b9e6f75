"""Dispatch: the one way out. Lease what is due, work on it, let it go."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random  # noqa: TID251 - the type; bootstrap seeds it

from interlock.core.delivery import Delivery, Lease
from interlock.core.errors import NotReady
from interlock.core.event import Event
from interlock.core.handoff import Handoff
from interlock.core.site import Site
from interlock.core.step import State
from interlock.engine.planner import Planner
from interlock.engine.work import LEASE, Work
from interlock.ports import Authorizer, Clock, Ledger, Target

POLL_S = 0.25  # for work that becomes due by time alone; a place that is wanted wakes the loop
LEDGER_PAUSE_S = 1.0  # between tries while the ledger cannot be reached


@dataclass(slots=True, kw_only=True)
class Dispatch:
    """Work off what is owed, as many at once as each target allows."""

    site: Site
    targets: Mapping[str, Target]
    ledger: Ledger
    authorizer: Authorizer
    clock: Clock
    dice: Random
    _busy: Counter[str] = field(default_factory=Counter[str])
    working: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _crowded: set[str] = field(default_factory=set[str])  # more may be due to them than has a place
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def reserve(self, event: Event, handoff: Handoff, owed: Iterable[Delivery]) -> list[Work]:
        """Keep a place for each delivery that can start at once; `start` or `give_back` each."""
        reserved = []
        for delivery in owed:
            target = self.targets.get(delivery.target)
            if target is None or delivery.state is not State.PENDING:
                continue
            if self._busy[delivery.target] >= target.concurrency:
                self._crowded.add(delivery.target)
                continue
            self._busy[delivery.target] += 1
            lease = Lease(event=event, handoff=handoff, delivery=delivery, fence=1)
            reserved.append(self._work(lease))
        return reserved

    def give_back(self, works: Iterable[Work]) -> None:
        """Free the places of works that will not start."""
        for work in works:
            self._busy[work.lease.delivery.target] -= 1

    def start(self, works: Iterable[Work]) -> None:
        """Run what has a place."""
        for work in works:
            task = asyncio.create_task(work.run(), name=work.lease.delivery.target)
            self.working.add(task)
            task.add_done_callback(self._ended)

    async def run(self) -> None:
        """Claim and start until cancelled; then let what is under way end."""
        try:
            while True:
                self._wake.clear()
                try:
                    claimed = await self.once()
                except NotReady:
                    await asyncio.sleep(LEDGER_PAUSE_S)
                    continue
                except Exception as err:  # noqa: BLE001 - one bad row must not end all delivery
                    told = {"message": "what is due could not be claimed", "exception": err}
                    asyncio.get_running_loop().call_exception_handler(told)
                    await asyncio.sleep(LEDGER_PAUSE_S)
                    continue
                if not claimed:
                    await self._pause()
        finally:
            self.stopping.set()
            await self.drain()

    async def once(self) -> int:
        """Claim what is due now and start on it. How many were claimed."""
        permits = {
            name: target.concurrency - self._busy[name]
            for name, target in self.targets.items()
            if target.concurrency > self._busy[name]
        }
        self._crowded = self.targets.keys() - permits.keys()
        leases = await self.ledger.claim(permits, LEASE) if permits else ()
        for lease in leases:
            self._busy[lease.delivery.target] += 1
        found = Counter(lease.delivery.target for lease in leases)
        self._crowded |= {name for name, places in permits.items() if found[name] == places}
        self.start([self._work(lease) for lease in leases])
        return len(leases)

    async def drain(self) -> None:
        """Wait for what is under way."""
        while self.working:
            await asyncio.wait(self.working)

    def planner(self, target: str) -> Planner:
        """Who plans deliveries to `target`. Raises KeyError if there is none of this name."""
        return Planner(
            target=self.targets[target],
            site=self.site,
            authorizer=self.authorizer,
            clock=self.clock,
        )

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _work(self, lease: Lease) -> Work:
        return Work(
            lease=lease,
            planner=self.planner(lease.delivery.target),
            ledger=self.ledger,
            clock=self.clock,
            dice=self.dice,
            stopping=self.stopping,
        )

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self.working.discard(task)
        if not task.cancelled() and (bug := task.exception()):
            told = {"message": "a worker failed; its lease passes on", "exception": bug}
            task.get_loop().call_exception_handler(told)
        self._busy[task.get_name()] -= 1
        if task.get_name() in self._crowded:
            self._wake.set()
