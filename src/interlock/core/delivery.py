"""A delivery: one action owed to one target in a hand-off. Its state follows from its steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from interlock.core.event import Event, Json
from interlock.core.handoff import Handoff
from interlock.core.ids import step_id
from interlock.core.plan import Plan
from interlock.core.retry import Limits, next_attempt
from interlock.core.step import OPEN, State, Step, Unavailable, movable, overall


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What was owed when the hand-off was accepted; frozen then, but for its progress.

    Attributes:
        params: the route's `with`, rendered at admission.
        limits: the deadline and how doubt is settled, frozen at admission.
        planned: whether its steps are on record.
        tries: how often planning was tried.
        not_before: when a worker should next take it.
        reason: why it stands where it stands, for people.
        notes: what the plan touches, leaves alone and could not resolve, for people.
    """

    id: str
    handoff: str
    route: str
    target: str
    action: str
    params: Mapping[str, Json]
    limits: Limits
    state: State = State.PENDING
    planned: bool = False
    tries: int = 0
    not_before: datetime
    reason: str = ""
    notes: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A delivery in one worker's hands, with all that the work needs.

    Attributes:
        fence: grows with every lease; a save under an older one is refused.
    """

    event: Event
    handoff: Handoff
    delivery: Delivery
    steps: tuple[Step, ...] = ()
    fence: int


def with_plan(delivery: Delivery, plan: Plan, now: datetime) -> tuple[Delivery, tuple[Step, ...]]:
    """The delivery and its steps once `plan` is decided; its state then follows by `moved`."""
    steps = tuple(
        Step(
            id=step_id(delivery.id, planned.key),
            key=planned.key,
            action=planned.action,
            resource=planned.resource,
            call=planned.call,
            repeat=planned.repeat,
            after=planned.after,
            not_before=now,
        )
        for planned in plan.steps
    )
    notes: dict[str, Json] = {
        "touched": [
            {"key": step.key, "asset": str(step.resource), "why": step.why} for step in plan.steps
        ],
        "left": [{"asset": left.asset, "why": left.why} for left in plan.left],
        "possible": [{"asset": left.asset, "why": left.why} for left in plan.possible],
    }
    return replace(delivery, planned=True, tries=delivery.tries + 1, notes=notes), steps


def moved(delivery: Delivery, steps: Sequence[Step]) -> Delivery:
    """The delivery with the state, reason and next time that follow from its steps."""
    telling = movable(steps)
    state = overall(step.state for step in telling)
    open_at = [step.not_before for step in telling if step.state in OPEN]
    reasons = [step.reason for step in telling if step.state is state and step.reason]
    return replace(
        delivery,
        state=state,
        not_before=min(open_at, default=delivery.not_before),
        reason=reasons[0] if reasons else "",
    )


def unplanned(delivery: Delivery, why: Unavailable, now: datetime, dice: float) -> Delivery:
    """Planning had to stop because the target could not be read: try again while time is left."""
    tries = delivery.tries + 1
    at = next_attempt(tries, now, delivery.limits, dice, why.retry_after)
    if at is None:
        return unplannable(delivery, f"could not be planned before the deadline: {why.reason}")
    return replace(delivery, tries=tries, not_before=at, reason=why.reason)


def unplannable(delivery: Delivery, reason: str) -> Delivery:
    """It failed before it had a plan."""
    return replace(delivery, state=State.FAILED, reason=reason)
