"""Recovery: what a worker that died has left is found by whoever leases the delivery next."""

from dataclasses import replace
from datetime import datetime

from interlock.core.delivery import Lease, moved
from interlock.core.entry import Attempt, Entry
from interlock.core.step import State, lost
from interlock.ports import Change


def recovery(lease: Lease, now: datetime) -> tuple[Lease, Change | None]:
    """The lease with every step that was being sent now unknown, and what to save of that.

    None: nothing was left open.
    """
    stuck = [step for step in lease.steps if step.state is State.SENDING]
    if not stuck:
        return lease, None
    steps = tuple(lost(step, now) for step in lease.steps)
    delivery = moved(lease.delivery, steps)
    change = Change(
        fence=lease.fence,
        delivery=delivery,
        steps=tuple(lost(step, now) for step in stuck),
        attempts=tuple(
            Attempt(
                step=step.id,
                number=step.attempts,
                began_at=now,
                ended_at=now,
                outcome="Unknown",
                detail="the worker was lost",
            )
            for step in stuck
        ),
        entry=Entry(
            kind=State.UNKNOWN,
            at=now,
            handoff=lease.handoff.id,
            delivery=delivery.id,
            detail={"steps": {step.key: "the worker was lost" for step in stuck}},
        ),
    )
    return replace(lease, delivery=delivery, steps=steps), change
