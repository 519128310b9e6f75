"""When to try again: as often as useful, never past the deadline."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.retry import (
    GIVE_UP,
    RESERVE_MIN,
    RESERVE_SHARE,
    WAIT_MAX,
    Limits,
    next_attempt,
    next_question,
)
from tests.making import MINUTE, NOON, SECOND

DAY = timedelta(days=1)
NONE = timedelta(0)
within_ = st.timedeltas(SECOND, 30 * DAY)  # what a configuration can say
short_ = st.timedeltas(SECOND, 2 * timedelta(hours=1))
dice_ = st.floats(0, 1, exclude_max=True)


def limits(within: timedelta) -> Limits:
    """Bounds of a delivery admitted at noon."""
    return Limits(admitted=NOON, within=within)


def reserved(within: timedelta) -> datetime:
    """When the attempt that is kept for last starts (rule 2)."""
    return NOON + within - min(max(RESERVE_MIN, within * RESERVE_SHARE), within / 2)


def attempts(within: timedelta, dice: Sequence[float]) -> list[datetime]:
    """When attempts start at a target that answers each at once with "not now"."""
    found = [NOON]
    while at := next_attempt(len(found), found[-1], limits(within), dice[len(found) % len(dice)]):
        found.append(at)
    return found


@given(within_, st.timedeltas(-DAY, 31 * DAY), st.integers(1, 10**6), dice_, st.none() | st.timedeltas(NONE, 40 * DAY))  # fmt: skip
def test_no_attempt_after_the_deadline_nor_before_now(
    within: timedelta, passed: timedelta, number: int, dice: float, asked: timedelta | None
) -> None:
    """Rules 3 and 4: an attempt lies between what the target asked for and the deadline."""
    now = NOON + passed

    at = next_attempt(number, now, limits(within), dice, asked)

    assert at is None or now + (asked or NONE) <= at <= limits(within).deadline


@given(short_, st.lists(dice_, min_size=1, max_size=20))
def test_one_attempt_is_kept_for_shortly_before_the_deadline(
    within: timedelta, dice: list[float]
) -> None:
    """Rule 2: a target that is down until then is tried once more in the reserve, and not after."""
    assert attempts(within, dice)[-1] == reserved(within)


@given(short_, st.lists(dice_, min_size=1, max_size=20))
def test_attempts_are_few(within: timedelta, dice: list[float]) -> None:
    """Rule 1: a target that is down for two hours gets some tens of attempts, not thousands."""
    eighths_until_the_reserve = 64  # each wait is at least an eighth of what is left: (7/8)^64
    long_waits = within / (WAIT_MAX / 2)

    assert len(attempts(within, dice)) <= eighths_until_the_reserve + long_waits


@given(within_, dice_, st.integers(1, 10**6))
def test_no_wait_takes_more_than_a_quarter_of_what_is_left(
    within: timedelta, dice: float, number: int
) -> None:
    """Rule 1: short deadlines get as many chances as long ones; no wait is over five minutes."""
    at = next_attempt(number, NOON, limits(within), dice)

    assert at is not None
    assert at - NOON <= min(within / 4 + timedelta(microseconds=1), WAIT_MAX)


def test_waits_double_from_one_second_to_five_minutes() -> None:
    """Rule 1, with the dice at its highest."""
    waits = []
    for number in range(1, 13):
        at = next_attempt(number, NOON, limits(30 * DAY), 1 - 2**-53)
        assert at is not None
        waits.append(round((at - NOON).total_seconds()))

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_dice_spread_the_crowd_over_half_the_wait() -> None:
    """Deliveries that failed together do not come back together."""
    early, late = (next_attempt(5, NOON, limits(DAY), dice) for dice in (0, 1 - 2**-53))

    assert early == NOON + 8 * SECOND
    assert late is not None
    assert late > NOON + 15.9 * SECOND


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (5 * MINUTE, NOON + 5 * MINUTE),
        (10 * MINUTE - SECOND, NOON + 10 * MINUTE - SECOND),
        (10 * MINUTE, NOON + 10 * MINUTE),
        (10 * MINUTE + timedelta(microseconds=1), None),
    ],
)
def test_retry_after_is_obeyed_or_ends_it(asked: timedelta, expected: datetime | None) -> None:
    """Rule 3: even into the reserve, up to the deadline itself; beyond it there is no attempt."""
    assert next_attempt(1, NOON, limits(10 * MINUTE), 0.5, asked) == expected


@pytest.mark.parametrize("dice", [0, 0.5, 1 - 2**-53])
def test_a_second_is_enough_for_several_attempts(dice: float) -> None:
    """The shortest `within` has a reserve of half of it, and attempts before and in it."""
    found = attempts(SECOND, [dice])

    assert len(found) >= 3
    assert found[-1] == NOON + SECOND / 2


@pytest.mark.parametrize("passed", [NONE, SECOND])
def test_no_time_is_no_attempt(passed: timedelta) -> None:
    """A `within` of nothing leaves the first attempt only."""
    assert next_attempt(1, NOON + passed, limits(NONE), 0.5) is None


@given(within_, st.timedeltas(NONE, 32 * DAY), dice_)
def test_questions_end_when_people_take_over(
    within: timedelta, passed: timedelta, dice: float
) -> None:
    """Each question comes later than now and never after `give_up`; from then on there is none."""
    bounds, now = limits(within), NOON + passed

    at = next_question(now, bounds, dice)

    assert at is None or now < at <= bounds.give_up
    assert at is None or at - now <= WAIT_MAX
    assert (at is None) or now < bounds.give_up


@given(st.lists(dice_, min_size=1, max_size=10))
def test_questions_are_bounded_in_number(dice: list[float]) -> None:
    """A target that cannot be asked for a day is asked some hundreds of times, not more."""
    bounds, asked = limits(10 * MINUTE), [NOON]
    while at := next_question(asked[-1], bounds, dice[len(asked) % len(dice)]):
        asked.append(at)

    assert len(asked) < 1_000
    assert asked[-1] > bounds.give_up - WAIT_MAX


def test_give_up_is_a_day_after_the_deadline() -> None:
    """What stays open for a day is a person's to settle."""
    assert limits(MINUTE).give_up == limits(MINUTE).deadline + GIVE_UP == NOON + MINUTE + DAY
