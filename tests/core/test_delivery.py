"""A delivery's state follows from its steps; before it has a plan, from why it has none."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.delivery import Delivery, moved, unplannable, unplanned, with_plan
from interlock.core.plan import Left, Plan
from interlock.core.step import OPEN, State, Step, Unavailable, movable
from tests.core.steps import planned, step
from tests.making import LIMITS, MINUTE, NOON, SECOND, delivery, event, handoff

OWED = delivery(handoff(event()))
LATER = NOON + MINUTE


def test_a_plan_becomes_steps_with_ids_of_their_own() -> None:
    """Each planned effect is a pending step, due now, with an id hashed from delivery and key."""
    plan = Plan(steps=(planned("a"), planned("b", "a")))

    after, steps = with_plan(OWED, plan, LATER)

    assert [(s.key, s.after, s.state, s.attempts, s.not_before) for s in steps] == [
        ("a", (), State.PENDING, 0, LATER),
        ("b", ("a",), State.PENDING, 0, LATER),
    ]
    assert steps == with_plan(OWED, plan, LATER)[1]
    assert len({s.id for s in steps} | {s.id for s in with_plan(_other(), plan, LATER)[1]}) == 4
    assert (after.planned, after.tries) == (True, 1)


def test_a_plan_leaves_notes_for_people() -> None:
    """What is touched, left alone and possibly affected is on record, each with its reason."""
    plan = Plan(
        steps=(planned("a"),),
        left=(Left(asset="stock", why="reads other tables"),),
        possible=(Left(asset="traffic", why="its SQL cannot be read"),),
    )

    after, _ = with_plan(OWED, plan, NOON)

    assert after.notes == {
        "touched": [
            {"key": "a", "asset": 'Dashboard::"looker/a"', "why": "a reads the table"},
        ],
        "left": [{"asset": "stock", "why": "reads other tables"}],
        "possible": [{"asset": "traffic", "why": "its SQL cannot be read"}],
    }


def test_a_plan_of_nothing_is_done() -> None:
    """Where nothing is affected, nothing is owed any more."""
    after, steps = with_plan(OWED, Plan(), NOON)

    assert moved(after, steps).state is State.DONE


@pytest.mark.parametrize(
    ("blocker", "expected"),
    [
        (step("a", State.WAITING, not_before=LATER), State.WAITING),
        (step("a", State.HELD, reason="doubt"), State.HELD),
        (step("a", State.PENDING, not_before=LATER), State.PENDING),
    ],
)
def test_blocked_steps_neither_make_it_due_nor_tell_its_state(
    blocker: Step, expected: State
) -> None:
    """A step behind another that is not done is pending since noon, and that says nothing."""
    after = moved(OWED, [blocker, step("b", after=("a",), not_before=NOON - MINUTE)])

    assert after.state is expected
    assert after.not_before == (LATER if expected in OPEN else OWED.not_before)
    assert after.reason == blocker.reason


def test_the_first_due_step_makes_it_due() -> None:
    """A worker takes it when the earliest open step can move."""
    steps = [
        step("a", not_before=LATER),
        step("b", State.UNKNOWN, not_before=NOON + SECOND),
        step("c", State.DONE, not_before=NOON),
    ]

    assert moved(OWED, steps).not_before == NOON + SECOND


def test_the_reason_is_one_of_a_step_in_the_state_told() -> None:
    """A failed delivery says why it failed, not why another step is being retried no more."""
    steps = [
        step("a", State.CANCELLED, reason="what it waits for did not happen"),
        step("b", State.FAILED),
        step("c", State.FAILED, reason="404"),
    ]

    after = moved(OWED, steps)

    assert (after.state, after.reason) == (State.FAILED, "404")
    assert moved(replace(after), [step("a", State.DONE)]).reason == ""


@st.composite
def plans(draw: st.DrawFn) -> list[Step]:
    """Steps in any states, each behind some of those before it, due at any time."""
    made: list[Step] = []
    for n in range(draw(st.integers(0, 6))):
        behind = draw(st.sets(st.sampled_from([each.key for each in made]))) if made else set()
        made.append(
            step(
                f"k{n}",
                draw(st.sampled_from(State)),
                after=tuple(sorted(behind)),
                not_before=NOON + draw(st.timedeltas(-MINUTE, MINUTE)),
                reason=draw(st.sampled_from(["", "why"])),
            )
        )
    return made


@given(plans())
def test_a_delivery_is_due_only_if_a_step_can_move(steps: list[Step]) -> None:
    """Whatever its steps are at: an open delivery is due when its first movable open step is."""
    after = moved(OWED, steps)

    due = [each.not_before for each in movable(steps) if each.state in OPEN]
    assert (after.state in OPEN) == bool(due)
    assert after.not_before == min(due, default=OWED.not_before)
    assert moved(after, steps).state is after.state


def test_planning_that_could_not_read_the_target_is_tried_again() -> None:
    """It stays pending, says why, and comes back while time is left; tries are counted."""
    after = unplanned(OWED, Unavailable("503", 20 * SECOND), NOON, 0.5)

    assert (after.state, after.planned, after.tries) == (State.PENDING, False, 1)
    assert (after.not_before, after.reason) == (NOON + 20 * SECOND, "503")


@pytest.mark.parametrize(
    ("passed", "retry_after"), [(10 * MINUTE, None), (timedelta(0), 11 * MINUTE)]
)
def test_planning_is_unplannable_loudly(passed: timedelta, retry_after: timedelta | None) -> None:
    """Without time for another try the delivery fails and says what was in the way."""
    after = unplanned(OWED, Unavailable("503", retry_after), NOON + passed, 0.5)

    assert after.state is State.FAILED
    assert after.reason == "could not be planned before the deadline: 503"


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=100, max_size=100))
def test_planning_ends(dice: list[float]) -> None:
    """A target that can never be read is given up within its deadline."""
    one = OWED
    for throw in dice:
        one = unplanned(one, Unavailable("503"), one.not_before, throw)
        if one.state is State.FAILED:
            break

    assert one.state is State.FAILED
    assert one.not_before <= LIMITS.deadline


def test_unplannable_keeps_what_was_owed() -> None:
    """The failure takes nothing else with it: the delivery is kept whole."""
    after = unplannable(OWED, "mapping: no")

    assert after == replace(OWED, state=State.FAILED, reason="mapping: no")


def _other() -> Delivery:
    return delivery(handoff(event("2")))
