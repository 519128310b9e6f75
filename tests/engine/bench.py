"""An engine on the bench: a target that follows a script, policy as a function, time by hand."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random  # noqa: TID251 - seeded

from interlock.adapters.ledger_memory import MemoryLedger
from interlock.adapters.mapper import JmesMapper
from interlock.core.decision import Decision, Question, Resource
from interlock.core.delivery import Delivery, Lease
from interlock.core.entry import Entry
from interlock.core.handoff import Receipt
from interlock.core.plan import Facts, Plan, Planned
from interlock.core.route import AllOf, Route
from interlock.core.site import Site
from interlock.core.step import Done, Outcome, Rejected, Repeat, State, Step, Unavailable
from interlock.engine.admit import Admit
from interlock.engine.dispatch import Dispatch
from interlock.ports import Filter, Record, Target, Verifier
from tests.engine.world import Nobody
from tests.making import AIRFLOW, MINUTE, PROD, FixedClock, event

Heard = tuple[str, str]
"""What the target was told or asked, and about which step."""


async def until(condition: Callable[[], bool]) -> None:
    """Let the others run until it holds; no time passes."""
    while not condition():  # noqa: ASYNC110 - of values that tell nobody when they change
        await asyncio.sleep(0)


def planned(key: str, *after: str) -> Planned:
    """A step on a resource of its own name."""
    return Planned(
        key=key,
        action="run",
        resource=Resource(type="Job", id=key),
        call={},
        repeat=Repeat.REFUSED,
        after=after,
    )


@dataclass
class Script:
    """A target that does as its lists say, in order; then: readable, done, not known."""

    steps: Sequence[Planned] = (planned("a"),)
    looks: list[Facts | Rejected | Unavailable | Exception] = field(default_factory=list)
    sends: list[Outcome | Exception] = field(default_factory=list)
    finds: list[Outcome | Exception | None] = field(default_factory=list)
    bug: Exception | None = None
    needs_look: bool = True
    concurrency: int = 50
    heard: list[Heard] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: Counter[str] = field(default_factory=Counter[str])
    most_under_way: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    @property
    def resource(self) -> Resource:
        """See Target."""
        return Resource(type="Target", id="script", attributes={"owner": "bench"})

    def known(self, lease: Lease) -> Facts | None:
        """See Target."""
        return None if self.needs_look else {}

    async def look(self, lease: Lease) -> Facts | Rejected | Unavailable:
        """See Target."""
        found = self.looks.pop(0) if self.looks else {}
        if isinstance(found, Exception):
            raise found
        return found

    def plan(self, lease: Lease, facts: Facts) -> Plan | Rejected:
        """See Target."""
        if self.bug:
            raise self.bug
        return Plan(steps=tuple(self.steps))

    async def send(self, step: Step, lease: Lease) -> Outcome:
        """See Target."""
        self.heard.append(("send", step.key))
        self.under_way[lease.delivery.id] += 1
        self.most_under_way = max(self.most_under_way, self.under_way.total())
        await self.gate.wait()
        self.under_way[lease.delivery.id] -= 1
        found = self.sends.pop(0) if self.sends else Done()
        if isinstance(found, Exception):
            raise found
        return found

    async def find(self, step: Step, lease: Lease) -> Outcome | None:
        """See Target."""
        self.heard.append(("find", step.key))
        found = self.finds.pop(0) if self.finds else None
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class Rules:
    """Policy as a function; what it was asked is kept."""

    permit: Callable[[Question], bool] = lambda _: True
    asked: list[Question] = field(default_factory=list[Question])

    def decide(self, question: Question) -> Decision:
        """See Authorizer."""
        self.asked.append(question)
        allowed = self.permit(question)
        return Decision(allowed=allowed, rules=("bench/rule",) if allowed else ())


def route(name: str = "all", target: str = "script", **params: str) -> Route:
    """A route that takes everything."""
    return Route(
        name=name, when=AllOf(()), target=target, action="run", params=params, within=10 * MINUTE
    )


class Bench:
    """The engine's parts around one ledger, as bootstrap wires them."""

    def __init__(
        self,
        *targets: Script,
        routes: Sequence[Route] = (route(),),
        ledger: Callable[[FixedClock], MemoryLedger] = MemoryLedger,
        verifier: Verifier | None = None,
    ) -> None:
        self.clock = FixedClock()
        self.ledger = ledger(self.clock)
        self.rules = Rules()
        self.target = targets[0] if targets else Script()
        names = ("script", "other")
        site = Site(
            name="bench",
            rev="1",
            environment="test",
            sources={PROD.name: PROD},
            routes=tuple(routes),
        )
        by_name: dict[str, Target] = dict(zip(names, targets or (self.target,), strict=False))
        self.dispatch = Dispatch(
            site=site,
            targets=by_name,
            ledger=self.ledger,
            authorizer=self.rules,
            clock=self.clock,
            dice=Random(1),
        )
        self.admit = Admit(
            site=site,
            verifier=verifier or Nobody(),
            authorizer=self.rules,
            mapper=JmesMapper(),
            ledger=self.ledger,
            dispatch=self.dispatch,
            clock=self.clock,
        )

    async def submit(self, name: str = "1") -> Receipt:
        """Hand over an event of this id."""
        return await self.admit(event(name), AIRFLOW)

    async def work(self) -> None:
        """Let the engine do what is due, to its end."""
        await self.dispatch.drain()
        while await self.dispatch.once():
            await self.dispatch.drain()

    async def later(self) -> None:
        """Move the clock to when the delivery is due next, and work."""
        due = (await self.delivery()).not_before
        self.clock.at = max(self.clock.at, due)
        await self.work()

    def states(self) -> list[State]:
        """Where what is owed stands now, oldest first."""
        return [held.delivery.state for held in self.ledger._held.values()]

    async def deliveries(self) -> list[Delivery]:
        """All that is owed, newest first."""
        return [owed for _, _, owed in await self.ledger.deliveries(Filter(limit=500))]

    async def delivery(self) -> Delivery:
        """The one that is owed."""
        [owed] = await self.deliveries()
        return owed

    async def record(self) -> Record:
        """The one hand-off, whole."""
        [found] = await self.ledger.handoffs(Filter())
        traced = await self.ledger.trace(found.handoff.id)
        assert traced is not None
        return traced

    async def steps(self) -> dict[str, Step]:
        """The steps of the one delivery, by key."""
        [steps] = (await self.record()).steps.values()
        return {step.key: step for step in steps}

    async def entries(self) -> Sequence[Entry]:
        """The whole record."""
        return await self.ledger.entries(0, 500)
