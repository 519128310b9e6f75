"""A seeded world in which everything that can go wrong does, and nothing takes time.

Workers die between any two awaits, answers are lost, requests land after their sender gave up on
them, targets are down and come back. The target counts effects, as the outside world would see them.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random  # noqa: TID251 - seeded by each test

from interlock.adapters.ledger_memory import MemoryLedger
from interlock.core.decision import Decision, Question, Resource
from interlock.core.delivery import Lease
from interlock.core.errors import NotReady
from interlock.core.event import Event, Json
from interlock.core.handoff import Receipt
from interlock.core.plan import Facts, Plan, Planned
from interlock.core.principal import Principal
from interlock.core.retry import OnUnknown
from interlock.core.route import AllOf, Route
from interlock.core.site import Site
from interlock.core.step import Done, Outcome, Rejected, Repeat, Started, Step, Unavailable, Unknown
from interlock.engine.admit import Admit
from interlock.engine.dispatch import Dispatch
from interlock.ports import Admission, Change
from tests.making import AIRFLOW, MINUTE, PROD, SECOND, FixedClock, event


class Crash(BaseException):
    """The process is gone, between any two awaits."""


@dataclass
class Yes:
    """Policy that permits everything, so that a world is about delivery."""

    def decide(self, question: Question) -> Decision:
        """See Authorizer."""
        return Decision(allowed=True, rules=("world/all",))


@dataclass
class AsIs:
    """Parameters without expressions."""

    def render(self, route: Route, event: Event, principal: Principal) -> Mapping[str, Json]:
        """See Mapper."""
        return route.params


@dataclass
class Nobody:
    """No credential is ever checked in a world."""

    async def verify(self, credential: str) -> Principal:
        """See Verifier."""
        return AIRFLOW


@dataclass
class Odds:
    """How likely each misfortune is, per opportunity."""

    crash: float = 0.08
    down: float = 0.15
    lost: float = 0.15
    late: float = 0.1
    slow: float = 0.15
    unreadable: float = 0.1


class Frail(MemoryLedger):
    """A sound ledger whose caller may die just before or just after each call."""

    def __init__(self, world: "World") -> None:
        super().__init__(world.clock)
        self.world = world

    async def admit(self, admission: Admission, term: timedelta) -> Receipt:
        """See Ledger."""
        await self.world.perhaps_crash()
        receipt = await super().admit(admission, term)
        await self.world.perhaps_crash()
        return receipt

    async def claim(self, permits: Mapping[str, int], term: timedelta) -> Sequence[Lease]:
        """See Ledger."""
        await self.world.perhaps_crash()
        leases = await super().claim(permits, term)
        await self.world.perhaps_crash()
        return leases

    async def save(self, change: Change, term: timedelta) -> bool:
        """See Ledger."""
        await self.world.perhaps_crash()
        if self.world.dice.random() < self.world.odds.unreadable / 4:
            raise NotReady("the disk is full")
        saved = await super().save(change, term)
        await self.world.perhaps_crash()
        return saved


@dataclass
class Machine:
    """A target with one effect per step id it is told; how it takes a repeat is its `repeat`."""

    world: "World"
    repeat: Repeat
    steps: int = 1
    asks: bool = True
    effects: Counter[str] = field(default_factory=Counter[str])
    running: dict[str, int] = field(default_factory=dict[str, int])
    flying: list[str] = field(default_factory=list[str])
    concurrency: int = 50

    @property
    def resource(self) -> Resource:
        """See Target."""
        return Resource(type="Target", id="machine", attributes={"owner": "world"})

    def known(self, lease: Lease) -> Facts | None:
        """Half of the worlds have a target whose plan needs no look."""
        return {} if self.world.seed % 2 else None

    async def look(self, lease: Lease) -> Facts | Rejected | Unavailable:
        """See Target."""
        await self.world.perhaps_crash()
        if self.world.dice.random() < self.world.odds.unreadable:
            return Unavailable("cannot be read")
        return {}

    def plan(self, lease: Lease, facts: Facts) -> Plan | Rejected:
        """A chain: each step needs the one before."""
        return Plan(
            steps=tuple(
                Planned(
                    key=f"step{n}",
                    action="run",
                    resource=self.resource,
                    call={"n": n},
                    repeat=self.repeat,
                    after=(f"step{n - 1}",) if n else (),
                )
                for n in range(self.steps)
            )
        )

    def land(self, step: str) -> None:
        """The request arrives."""
        if self.repeat is Repeat.REFUSED and self.effects[step]:
            return
        self.effects[step] += 1

    async def send(self, step: Step, lease: Lease) -> Outcome:
        """See Target."""
        odds, dice = self.world.odds, self.world.dice
        await self.world.perhaps_crash()
        if dice.random() < odds.down:
            return Unavailable("503", retry_after=SECOND if dice.random() < 0.3 else None)
        if dice.random() < odds.late:
            self.flying.append(step.id)
            return Unknown("timeout; the request is still under way")
        self.land(step.id)
        await self.world.perhaps_crash()
        if dice.random() < odds.lost:
            return Unknown("timeout; the answer was lost")
        if dice.random() < odds.slow:
            self.running[step.id] = 2
            return Started("ref", 5 * SECOND)
        return Done({"ok": True})

    async def find(self, step: Step, lease: Lease) -> Outcome | None:
        """See Target."""
        if not self.asks:
            return None
        await self.world.perhaps_crash()
        if self.world.dice.random() < self.world.odds.unreadable:
            return Unavailable("cannot be asked")
        if self.running.get(step.id, 0) > 0:
            self.running[step.id] -= 1
            return Started("ref", 5 * SECOND)
        return Done({"found": True}) if self.effects[step.id] else None


@dataclass
class World:
    """Some events, a target, and time that passes in jumps."""

    seed: int
    repeat: Repeat = Repeat.REFUSED
    on_unknown: OnUnknown = OnUnknown.HOLD
    steps: int = 1
    asks: bool = True
    events: int = 5
    within: timedelta = timedelta(days=365)
    odds: Odds = field(default_factory=Odds)
    acknowledged: set[str] = field(default_factory=set[str])
    receipts: Counter[str] = field(default_factory=Counter[str])

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)
        self.clock = FixedClock()
        self.ledger = Frail(self)
        self.machine = Machine(self, self.repeat, self.steps, self.asks)

    async def perhaps_crash(self) -> None:
        """Let others run; then die, perhaps."""
        await asyncio.sleep(0)
        if self.dice.random() < self.odds.crash:
            raise Crash

    def live(self) -> None:
        """Run the world to its end."""
        asyncio.run(self._live())

    async def _live(self) -> None:
        pending = [event(str(n)) for n in range(self.events)]
        for _ in range(600):
            admit, dispatch = self._process()
            try:
                pending = await self._submit(admit, pending)
                await dispatch.once()
                await self._until_idle(dispatch)
            except Crash:
                pass
            await self._bury(dispatch)
            for landed in [s for s in self.machine.flying if self.dice.random() < 0.3]:
                self.machine.flying.remove(landed)
                self.machine.land(landed)
            self.clock.pass_(self.dice.choice([SECOND, MINUTE, 10 * MINUTE]))
        for landed in self.machine.flying:
            self.machine.land(landed)

    def _process(self) -> tuple[Admit, Dispatch]:
        """A gateway as it starts: it knows nothing but the ledger."""
        route = Route(
            name="all",
            when=AllOf(()),
            target="machine",
            action="run",
            within=self.within,
            on_unknown=self.on_unknown,
        )
        site = Site(
            name="world", rev="1", environment="test", sources={PROD.name: PROD}, routes=(route,)
        )
        dispatch = Dispatch(
            site=site,
            targets={"machine": self.machine},
            ledger=self.ledger,
            authorizer=Yes(),
            clock=self.clock,
            dice=self.dice,
        )
        admit = Admit(
            site=site,
            verifier=Nobody(),
            authorizer=Yes(),
            mapper=AsIs(),
            ledger=self.ledger,
            dispatch=dispatch,
            clock=self.clock,
        )
        return admit, dispatch

    async def _submit(self, admit: Admit, pending: list[Event]) -> list[Event]:
        """Send each event until it was acknowledged, and some once more."""
        left = list(pending)
        for each in pending:
            receipt = await admit(each, AIRFLOW)
            self.acknowledged.add(receipt.event)
            self.receipts[receipt.handoff] += 1
            if self.dice.random() < 0.7:
                left.remove(each)
        return left

    async def _until_idle(self, dispatch: Dispatch) -> None:
        while dispatch.working:
            done, _ = await asyncio.wait(dispatch.working, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _bury(self, dispatch: Dispatch) -> None:
        """Nothing of a dead process goes on."""
        left = list(dispatch.working)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
