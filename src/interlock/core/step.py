r"""The life of one step: one effect of a delivery at its target.

               +------- Unavailable --------+
               v                            |
    PENDING --------------------------> SENDING -- Done -----> DONE
      ^  |                               |  |  \-- Rejected -> FAILED
      |  +- no time left -> FAILED       |  +-- Started -----> WAITING -- asked --+
      |                                  |                                        |
      +--- absent ----- UNKNOWN <--------+ Unknown, or the worker died            |
      |                    |                                                      |
      |                    +-- asked --> DONE | WAITING | FAILED | HELD <---------+
      +--- absent ----------------------------------------------------------------+

Rule 1: only this file changes a step's state.
Rule 2: an attempt whose effect is unknown is never repeated before the target was asked.
Rule 3: where a repeat does harm, "not found" proves nothing, for a late request may still land: the
        step is held for a person, or sent again if the route says so.
Rule 4: no new attempt starts after the deadline; asking is not an attempt and goes on to `give_up`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from interlock.core.decision import Resource
from interlock.core.event import Json
from interlock.core.retry import Limits, OnUnknown, next_attempt, next_question


class State(StrEnum):
    """Where a step, or the delivery it belongs to, stands."""

    PENDING = "pending"
    SENDING = "sending"
    UNKNOWN = "unknown"
    WAITING = "waiting"
    HELD = "held"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = frozenset({State.PENDING, State.SENDING, State.UNKNOWN, State.WAITING})
"""States that a worker moves on; the others rest until a person acts, or for ever."""


class Repeat(StrEnum):
    """What the target does with the same step id twice."""

    REFUSED = "refused"
    HARMLESS = "harmless"
    HARMFUL = "harmful"


@dataclass(frozen=True, slots=True)
class Done:
    """The effect is there; `result` is what the target said of it."""

    result: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True)
class Started:
    """The target works on it under its own name `reference`; ask again after `poll_after`."""

    reference: str
    poll_after: timedelta


@dataclass(frozen=True, slots=True)
class Rejected:
    """The target will never do it, or did it and failed; sending again is pointless."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nothing happened; safe to send again, not before `retry_after` if that is given."""

    reason: str
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have happened: the answer was lost."""

    reason: str


SAID = "; said: "
"""In a reason, what the target itself said follows: it may quote the event's data."""

Outcome = Done | Started | Rejected | Unavailable | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One effect owed to one target.

    Attributes:
        id: the idempotency key that the target sees: hash of delivery and `key`.
        key: the connector's name for the step, unique in its delivery, e.g. `datagroup:orders`.
        action: what policy was asked about, e.g. `trigger_datagroup`.
        resource: what it touches; policy is asked about it again at each later attempt.
        call: what the connector needs to send it: plain data, no secrets.
        after: keys of the steps that must be done first.
        not_before: earliest next attempt or question.
        reference: the target's own name for the work.
        reason: why it stands where it stands, for people.
    """

    id: str
    key: str
    action: str
    resource: Resource
    call: Mapping[str, Json]
    repeat: Repeat
    after: tuple[str, ...] = ()
    state: State = State.PENDING
    attempts: int = 0
    not_before: datetime
    reference: str | None = None
    result: Mapping[str, Json] = field(default_factory=dict[str, Json])
    reason: str = ""


def sending(step: Step, now: datetime, limits: Limits) -> Step:
    """Record that an attempt is about to be made; save this before sending. FAILED if too late."""
    assert step.state is State.PENDING, step.state
    if now > limits.deadline:
        return failed(step, "the deadline passed before it could be sent")
    return replace(step, state=State.SENDING, attempts=step.attempts + 1, reason="")


def answered(step: Step, outcome: Outcome, now: datetime, limits: Limits, dice: float) -> Step:
    """Apply the outcome of the attempt in flight. `dice` is uniform in [0, 1)."""
    assert step.state is State.SENDING, step.state
    match outcome:
        case Unavailable(reason, retry_after):
            return _again(step, reason, now, limits, dice, retry_after)
        case Unknown(reason):
            return _ask_later(step, State.UNKNOWN, reason, now, limits, dice)
        case Done() | Started() | Rejected():
            return _settled(step, outcome, now)
        case _:  # pragma: no cover
            assert_never(outcome)


def lost(step: Step, now: datetime) -> Step:
    """The worker died mid-attempt: the effect is unknown. Any other state is as it was."""
    if step.state is not State.SENDING:
        return step
    return replace(step, state=State.UNKNOWN, not_before=now, reason="the worker was lost")


def asked(step: Step, answer: Outcome | None, now: datetime, limits: Limits, dice: float) -> Step:
    """Apply what the target says of an UNKNOWN or WAITING step; None: it has never heard of it."""
    assert step.state in {State.UNKNOWN, State.WAITING}, step.state
    match answer:
        case None if step.repeat is Repeat.HARMFUL and limits.on_unknown is OnUnknown.HOLD:
            return held(step, "it may have happened, and a repeat does harm")
        case None:
            return _again(step, "the target does not know it", now, limits, dice, None)
        case Unavailable(reason) | Unknown(reason):
            return _ask_later(step, step.state, reason, now, limits, dice)
        case Started(reference) if now >= limits.give_up:
            return held(replace(step, reference=reference), "the target has not finished it")
        case Done() | Started() | Rejected():
            return _settled(step, answer, now)
        case _:  # pragma: no cover
            assert_never(answer)


def held(step: Step, reason: str) -> Step:
    """It needs a person: nothing moves it on by itself."""
    return replace(step, state=State.HELD, reason=reason)


def failed(step: Step, reason: str) -> Step:
    """It will not be tried again by itself."""
    return replace(step, state=State.FAILED, reason=reason)


def cancelled(step: Step, reason: str) -> Step:
    """It was never sent and never will be."""
    assert step.state is State.PENDING, step.state
    return replace(step, state=State.CANCELLED, reason=reason)


def ready(steps: Mapping[str, Step], now: datetime) -> list[Step]:
    """The steps that a worker can move on now: due, and all they wait for is done."""
    return [
        step
        for step in steps.values()
        if step.state in {State.PENDING, State.UNKNOWN, State.WAITING}
        and step.not_before <= now
        and all(steps[key].state is State.DONE for key in step.after)
    ]


def movable(steps: Sequence[Step]) -> list[Step]:
    """The steps that do not wait for another: those that tell where the delivery stands."""
    done = {step.key for step in steps if step.state is State.DONE}
    return [
        step for step in steps if step.state is not State.PENDING or done.issuperset(step.after)
    ]


def hopeless(steps: Mapping[str, Step]) -> list[Step]:
    """The pending steps that wait for one which failed or was cancelled."""
    dead = {State.FAILED, State.CANCELLED}
    return [
        step
        for step in steps.values()
        if step.state is State.PENDING and any(steps[key].state in dead for key in step.after)
    ]


def overall(states: Iterable[State]) -> State:
    """The state of a delivery with steps in these states: that of its least settled step."""
    found = set(states)
    return next((state for state in _LEAST_SETTLED_FIRST if state in found), State.DONE)


_LEAST_SETTLED_FIRST = (
    State.SENDING,
    State.UNKNOWN,
    State.PENDING,
    State.WAITING,
    State.HELD,
    State.FAILED,
    State.CANCELLED,
)


def _settled(step: Step, outcome: Done | Started | Rejected, now: datetime) -> Step:
    match outcome:
        case Done(result):
            return replace(step, state=State.DONE, result=result, reason="")
        case Started(reference, poll_after):
            return replace(
                step,
                state=State.WAITING,
                reference=reference,
                not_before=now + poll_after,
                reason="",
            )
        case Rejected(reason):
            return failed(step, reason)


def _again(
    step: Step,
    reason: str,
    now: datetime,
    limits: Limits,
    dice: float,
    retry_after: timedelta | None,
) -> Step:
    at = next_attempt(step.attempts, now, limits, dice, retry_after)
    if at is None:
        return failed(step, f"no attempt fits before the deadline; the last answer: {reason}")
    return replace(step, state=State.PENDING, not_before=at, reason=reason)


def _ask_later(
    step: Step, state: State, reason: str, now: datetime, limits: Limits, dice: float
) -> Step:
    at = next_question(now, limits, dice)
    if at is None:
        return held(step, f"the target could not be asked: {reason}")
    return replace(step, state=state, not_before=at, reason=reason)
