"""When to try again: as often as useful, never past the deadline.

Rule 1: waits grow from one second, doubling up to five minutes, but never take more than a quarter
        of the time that is left, so that a short deadline gets as many chances as a long one.
Rule 2: one attempt is kept for shortly before the deadline.
Rule 3: a target's Retry-After is obeyed; if it leaves no time, there is no further attempt.
Rule 4: an attempt for which there is no time is not started.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FIRST_WAIT = timedelta(seconds=1)
WAIT_MAX = timedelta(minutes=5)
RESERVE_MIN = timedelta(seconds=2)  # a slow connection and a slow answer fit in
RESERVE_SHARE = 0.02  # of `within`
DOUBLINGS_MAX = 9  # 2**9 s is past WAIT_MAX
GIVE_UP = timedelta(hours=24)  # unanswered for a day: a person decides


class OnUnknown(StrEnum):
    """What a route wants where a repeat does harm and nobody can tell whether it happened."""

    HOLD = "hold"
    RESEND = "resend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds the attempts of one delivery.

    Attributes:
        admitted: when the hand-off was accepted.
        within: the route's SLA: no new attempt after `admitted + within`.
        on_unknown: whether an unknown effect whose repeat does harm is held or sent again.
    """

    admitted: datetime
    within: timedelta
    on_unknown: OnUnknown = OnUnknown.HOLD

    @property
    def deadline(self) -> datetime:
        """The last moment at which an attempt may start."""
        return self.admitted + self.within

    @property
    def give_up(self) -> datetime:
        """When asking after an open effect ends and a person is asked instead."""
        return self.deadline + GIVE_UP


def next_attempt(
    attempts: int,
    now: datetime,
    limits: Limits,
    dice: float,
    retry_after: timedelta | None = None,
) -> datetime | None:
    """When to make the attempt that follows number `attempts` (1-based); None: no more.

    `dice`, uniform in [0, 1), spreads the retries of many deliveries over half the wait.
    """
    reserve = min(max(RESERVE_MIN, limits.within * RESERVE_SHARE), limits.within / 2)
    last = limits.deadline - reserve
    earliest = now + (retry_after or timedelta(0))
    if now >= last or earliest > limits.deadline:
        return None
    left = limits.deadline - now
    wait = min(FIRST_WAIT * (1 << min(attempts - 1, DOUBLINGS_MAX)), WAIT_MAX, left / 4)
    return max(min(now + wait * (0.5 + dice / 2), last), earliest)


def next_question(now: datetime, limits: Limits, dice: float) -> datetime | None:
    """When to ask again after an effect nobody could tell us about; None: give up asking.

    A thirtieth of the time since admission, within one second and five minutes: soon at first,
    rarely later. Asking costs the target little and is not an attempt.
    """
    wait = min(max((now - limits.admitted) / 30, FIRST_WAIT), WAIT_MAX)
    at = now + wait * (0.5 + dice / 2)
    return at if at <= limits.give_up else None
