"""Makers of steps and of plans' parts: each takes what the test is about and fills in the rest."""

from datetime import datetime

from interlock.core.plan import Planned
from interlock.core.step import Repeat, State, Step
from tests.making import NOON, dashboard


def step(
    key: str = "a",
    state: State = State.PENDING,
    *,
    repeat: Repeat = Repeat.REFUSED,
    after: tuple[str, ...] = (),
    attempts: int = 1,
    not_before: datetime = NOON,
    reason: str = "",
) -> Step:
    """A step in that state; by default it was attempted once."""
    return Step(
        id=f"s-{key}",
        key=key,
        action="refresh",
        resource=dashboard(key),
        call={},
        repeat=repeat,
        after=after,
        state=state,
        attempts=attempts,
        not_before=not_before,
        reason=reason,
    )


def planned(key: str, *after: str) -> Planned:
    """A part of a plan, after others."""
    return Planned(
        key=key,
        action="refresh",
        resource=dashboard(key),
        call={"dashboard": key},
        repeat=Repeat.HARMLESS,
        after=after,
        why=f"{key} reads the table",
    )
