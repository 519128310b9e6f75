"""Work: one delivery in hand, from lease to rest.

Plan it if nobody has; then, as long as a step can move: save "sending", send, save the outcome.
Each save carries the lease's fence; the first that is refused ends the work: another has it.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random  # noqa: TID251 - the type; bootstrap seeds it

from interlock.core.delivery import Delivery, Lease, moved, unplannable, unplanned, with_plan
from interlock.core.entry import Attempt, Entry
from interlock.core.errors import NotReady
from interlock.core.event import Json
from interlock.core.plan import Plan
from interlock.core.step import (
    Outcome,
    Rejected,
    State,
    Step,
    Unavailable,
    Unknown,
    answered,
    asked,
    cancelled,
    failed,
    hopeless,
    ready,
    sending,
)
from interlock.engine.planner import Planner
from interlock.engine.recover import recovery
from interlock.ports import Change, Clock, Ledger

AT_ONCE = 8  # steps of one delivery under way together: quick, yet gentle on the target
LEASE = timedelta(seconds=60)
ATTEMPT_S = LEASE.total_seconds() / 2  # one that hangs ends before its lease does
IN_TALK = frozenset({State.SENDING, State.UNKNOWN, State.WAITING})


class _FenceIsOldError(Exception):
    """Another worker has the delivery."""


@dataclass(slots=True, kw_only=True)
class Work:
    """One worker's hold on one delivery. `run` it once."""

    lease: Lease
    planner: Planner
    ledger: Ledger
    clock: Clock
    dice: Random
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _delivery: Delivery = field(init=False)
    _begun: Sequence[Step] = ()
    _steps: dict[str, Step] = field(default_factory=dict[str, Step])
    _unsaved: dict[str, Step] = field(default_factory=dict[str, Step])
    _made: list[Attempt] = field(default_factory=list[Attempt])
    _planned: bool = False
    _talks: int = 0
    _released: bool = False
    _failed: bool = False
    _saving: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._delivery = self.lease.delivery

    def begin(self) -> Change | None:
        """Begin at once if the plan needs no look: what to save with the admission, or None.

        `run` then goes on from there; what fails here, it meets again, and records.
        """
        try:
            plan = self.planner.at_once(self.lease)
        except Exception:  # noqa: BLE001 - a connector's bug must not keep the event out
            return None
        if plan is None:
            return None
        self._adopt(plan)
        self._begun = self._marked(ready(self._steps, self.clock.now())[:AT_ONCE], decided=True)
        return self._change()

    async def run(self) -> None:
        """Move the delivery as far as it goes now; then let it go."""
        try:
            if self._begun:
                await _all([self._talk(step) for step in self._begun])
            elif not await self._prepared():
                return
            while not self._released:
                await self._wave(self._next_wave())
        except (_FenceIsOldError, NotReady):
            return  # what is on record stands; the lease passes on

    def _next_wave(self) -> list[Step]:
        """What can move now; nothing once the gateway is stopping: another takes it from here."""
        return [] if self.stopping.is_set() else ready(self._steps, self.clock.now())[:AT_ONCE]

    async def _prepared(self) -> bool:
        """Find what a lost worker left, and plan if nobody has. False: the work ends here."""
        await self._recover()
        if self.lease.delivery.planned:
            return True
        if not await self._plan():
            return False
        await self._wave(self._next_wave(), decided=True)
        return True

    async def _recover(self) -> None:
        self.lease, change = recovery(self.lease, self.clock.now())
        self._delivery = self.lease.delivery
        self._steps = {step.key: step for step in self.lease.steps}
        if change:
            await self._write(change)

    async def _plan(self) -> bool:
        """Plan the delivery, in memory so far. False: it cannot be planned, and that is saved."""
        plan = await self._proposed()
        delivery, now = self._delivery, self.clock.now()
        match plan:
            case Plan():
                self._adopt(plan)
            case Unavailable():
                self._delivery = unplanned(delivery, plan, now, self.dice.random())
            case Rejected(reason):
                self._delivery = unplannable(delivery, reason)
        if not isinstance(plan, Plan):
            await self._save()
        return isinstance(plan, Plan)

    def _adopt(self, plan: Plan) -> None:
        self._delivery, steps = with_plan(self._delivery, plan, self.clock.now())
        for step in steps:
            self._put(step)
        self._planned = True

    async def _proposed(self) -> Plan | Rejected | Unavailable:
        try:
            return await self.planner.propose(self.lease)
        except Exception as err:  # noqa: BLE001 - a connector's bug; planning has changed nothing
            return Unavailable(f"the connector failed: {type(err).__name__}")

    async def _wave(self, wave: Sequence[Step], *, decided: bool = False) -> None:
        """Send or ask each step; with none, let go. `decided`: policy was just asked."""
        talks = self._marked(wave, decided=decided)
        if self._unsaved or not talks:
            await self._save()
        await _all([self._talk(step) for step in talks])

    def _marked(self, wave: Sequence[Step], *, decided: bool) -> list[Step]:
        """Mark in memory what is sent now; the steps to talk about."""
        for step in wave:
            if step.state is State.PENDING:
                self._put(self._sending(step, decided=decided))
        talks = [now for step in wave if (now := self._steps[step.key]).state in IN_TALK]
        self._talks = len(talks)
        self._cancel_hopeless()
        return talks

    def _sending(self, step: Step, *, decided: bool) -> Step:
        if not decided:
            answer = self.planner.decide(self.lease, step.action, step.resource)
            if not answer.allowed:
                return failed(step, f"denied: {answer.why}")
        return sending(step, self.clock.now(), self.lease.delivery.limits)

    async def _talk(self, step: Step) -> None:
        """One conversation with the target, and the save of what came of it."""
        ask = step.state is not State.SENDING
        began = self.clock.now()
        outcome = await self._hear(step, ask=ask)
        now, limits, dice = self.clock.now(), self.lease.delivery.limits, self.dice.random()
        if ask:
            self._put(asked(step, outcome, now, limits, dice))
        else:
            assert outcome is not None
            self._put(answered(step, outcome, now, limits, dice))
        self._talks -= 1
        self._cancel_hopeless()
        self._made.append(
            Attempt(
                step=step.id,
                number=step.attempts,
                asked=ask,
                began_at=began,
                ended_at=now,
                outcome=type(outcome).__name__ if outcome else "Absent",
                detail=self._steps[step.key].reason,
            )
        )
        await self._save()

    async def _hear(self, step: Step, *, ask: bool) -> Outcome | None:
        try:
            async with asyncio.timeout(ATTEMPT_S):
                if ask:
                    return await self.planner.target.find(step, self.lease)
                return await self.planner.target.send(step, self.lease)
        except TimeoutError:
            return Unknown(f"no answer within {ATTEMPT_S:g} s")
        except Exception as err:  # noqa: BLE001 - after a connector's bug nobody knows what happened
            return Unknown(f"the connector failed: {type(err).__name__}")

    def _cancel_hopeless(self) -> None:
        while gone := hopeless(self._steps):
            for step in gone:
                self._put(cancelled(step, "what it waits for did not happen"))

    def _put(self, step: Step) -> None:
        self._steps[step.key] = self._unsaved[step.key] = step

    async def _save(self) -> None:
        """Save what is unsaved, with its entry; let the delivery go if nothing can move now."""
        async with self._saving:  # one at a time: each tells the state that the last one saved
            if self._failed:
                raise _FenceIsOldError
            if self._unsaved or self._made or not self._released:
                await self._write(self._change())

    def _change(self) -> Change:
        """What is unsaved, which counts as saved from here on."""
        now = self.clock.now()
        if self._steps or self._delivery.planned:
            self._delivery = moved(self._delivery, list(self._steps.values()))
        delivery = self._delivery
        self._released = self._talks == 0 and not self._next_wave()
        steps, self._unsaved = tuple(self._unsaved.values()), {}
        planned, self._planned = self._planned, False
        attempts, self._made = tuple(self._made), []
        detail: dict[str, Json] = {
            step.key: f"{step.state}: {step.reason}" if step.reason else str(step.state)
            for step in steps
        }
        if delivery.reason and not steps:
            detail["reason"] = delivery.reason
        entry = Entry(
            kind=delivery.state,
            at=now,
            handoff=delivery.handoff,
            delivery=delivery.id,
            detail=detail,
        )
        return Change(
            fence=self.lease.fence,
            delivery=delivery,
            steps=steps,
            planned=planned,
            attempts=attempts,
            entry=entry,
            release=self._released,
        )

    async def _write(self, change: Change) -> None:
        """Save it. If that fails nothing more is: it would build on what is not on record."""
        try:
            self._failed = not await self.ledger.save(change, LEASE)
        except BaseException:
            self._failed = True
            raise
        if self._failed:
            raise _FenceIsOldError


async def _all(talks: Sequence[Awaitable[None]]) -> None:
    """Let every conversation end, then raise what the first to fail raised."""
    if len(talks) == 1:
        return await talks[0]
    ends = await asyncio.gather(*talks, return_exceptions=True)
    for end in ends:
        if end is not None:
            raise end
    return None
