"""A step's life: every state with everything that can be said to it, and the laws over any life."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.retry import GIVE_UP, Limits, OnUnknown
from interlock.core.step import (
    OPEN,
    Done,
    Outcome,
    Rejected,
    Repeat,
    Started,
    State,
    Step,
    Unavailable,
    Unknown,
    answered,
    asked,
    cancelled,
    failed,
    held,
    hopeless,
    lost,
    movable,
    overall,
    ready,
    sending,
)
from tests.core.steps import step
from tests.making import LIMITS, MINUTE, NOON, SECOND

RESEND = replace(LIMITS, on_unknown=OnUnknown.RESEND)
LATE = LIMITS.deadline + SECOND
TOO_LATE = LIMITS.give_up + SECOND
HARMFUL, REFUSED = Repeat.HARMFUL, Repeat.REFUSED


@pytest.mark.parametrize(
    ("outcome", "now", "expected"),
    [
        (Done({"id": 7}), NOON, State.DONE),
        (Done(), LATE, State.DONE),
        (Started("ref", MINUTE), NOON, State.WAITING),
        (Rejected("no"), NOON, State.FAILED),
        (Unavailable("503"), NOON, State.PENDING),
        (Unavailable("503", MINUTE), NOON, State.PENDING),
        (Unavailable("503", 11 * MINUTE), NOON, State.FAILED),
        (Unavailable("503"), LATE, State.FAILED),
        (Unknown("timeout"), NOON, State.UNKNOWN),
        (Unknown("timeout"), LATE, State.UNKNOWN),
        (Unknown("timeout"), TOO_LATE, State.HELD),
    ],
)
@pytest.mark.parametrize("repeat", Repeat)
def test_what_an_attempt_comes_to(
    outcome: Outcome, now: datetime, expected: State, repeat: Repeat
) -> None:
    """The state after an attempt follows from outcome and time, whatever a repeat would do."""
    after = answered(step(state=State.SENDING, repeat=repeat), outcome, now, LIMITS, 0.5)

    assert after.state is expected


@pytest.mark.parametrize(
    ("answer", "repeat", "limits", "now", "expected"),
    [
        (Done(), HARMFUL, LIMITS, TOO_LATE, State.DONE),
        (Started("ref", MINUTE), REFUSED, LIMITS, LATE, State.WAITING),
        (Started("ref", MINUTE), REFUSED, LIMITS, TOO_LATE, State.HELD),
        (Rejected("it ran and failed"), REFUSED, LIMITS, NOON, State.FAILED),
        (None, REFUSED, LIMITS, NOON, State.PENDING),
        (None, Repeat.HARMLESS, LIMITS, NOON, State.PENDING),
        (None, REFUSED, LIMITS, LATE, State.FAILED),
        (None, HARMFUL, LIMITS, NOON, State.HELD),
        (None, HARMFUL, LIMITS, LATE, State.HELD),
        (None, HARMFUL, RESEND, NOON, State.PENDING),
        (None, HARMFUL, RESEND, LATE, State.FAILED),
        (Unavailable("503"), REFUSED, LIMITS, LATE, None),
        (Unknown("timeout"), HARMFUL, LIMITS, LATE, None),
        (Unavailable("503"), REFUSED, LIMITS, TOO_LATE, State.HELD),
        (Unknown("timeout"), REFUSED, LIMITS, TOO_LATE, State.HELD),
    ],
)
@pytest.mark.parametrize("state", [State.UNKNOWN, State.WAITING])
def test_what_a_question_comes_to(
    answer: Outcome | None,
    repeat: Repeat,
    limits: Limits,
    now: datetime,
    expected: State | None,
    state: State,
) -> None:
    """Absence is settled as the route says; without an answer (None here) the state stays."""
    after = asked(step(state=state, repeat=repeat), answer, now, limits, 0.5)

    assert after.state is (expected or state)
    assert after.attempts == 1


TAKES: dict[Callable[[Step], Step], set[State]] = {
    lambda s: sending(s, NOON, LIMITS): {State.PENDING},
    lambda s: answered(s, Done(), NOON, LIMITS, 0): {State.SENDING},
    lambda s: asked(s, Done(), NOON, LIMITS, 0): {State.UNKNOWN, State.WAITING},
    lambda s: cancelled(s, "no"): {State.PENDING},
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("move", TAKES)
def test_no_move_from_a_state_it_does_not_belong_to(
    move: Callable[[Step], Step], state: State
) -> None:
    """A move out of turn is our own mistake and stops there."""
    if state in TAKES[move]:
        assert move(step(state=state)).state is not state
        return

    with pytest.raises(AssertionError):
        move(step(state=state))


def test_sending_counts_the_attempt_and_forgets_the_old_reason() -> None:
    """What is saved before the call says which attempt it is."""
    begun = sending(step(attempts=2, reason="503"), NOON, LIMITS)

    assert (begun.state, begun.attempts, begun.reason) == (State.SENDING, 3, "")


def test_the_deadline_itself_is_in_time() -> None:
    """At the deadline an attempt starts; a microsecond later it is failed, loudly, unsent."""
    in_time = sending(step(), LIMITS.deadline, LIMITS)
    too_late = sending(step(), LIMITS.deadline + timedelta(microseconds=1), LIMITS)

    assert in_time.state is State.SENDING
    assert (too_late.state, too_late.attempts) == (State.FAILED, 1)
    assert "deadline" in too_late.reason


def test_started_work_is_asked_about_when_the_target_says() -> None:
    """The target's own name for the work and its wish for the next question are kept."""
    after = answered(step(state=State.SENDING), Started("task-9", 20 * SECOND), NOON, LIMITS, 0.5)

    assert (after.reference, after.not_before) == ("task-9", NOON + 20 * SECOND)


def test_work_that_never_ends_is_held_under_its_name() -> None:
    """A target that says "still running" for a day past the deadline gets a person's attention."""
    after = asked(step(state=State.WAITING), Started("t2", SECOND), LIMITS.give_up, LIMITS, 0)

    assert (after.state, after.reference) == (State.HELD, "t2")
    assert after.reason


def test_only_what_was_in_flight_is_lost() -> None:
    """A worker's death makes SENDING unknown, to be asked about at once; the rest is as it was."""
    for state in State:
        before = step(state=state)

        after = lost(before, NOON + SECOND)

        if state is State.SENDING:
            assert (after.state, after.not_before) == (State.UNKNOWN, NOON + SECOND)
        else:
            assert after is before


def test_ready_needs_time_and_what_it_waits_for() -> None:
    """Due steps whose blockers are done; nothing that rests and nothing in flight."""
    steps = [
        step("done", State.DONE),
        step("free"),
        step("behind", after=("done",)),
        step("blocked", after=("done", "free")),
        step("later", not_before=NOON + SECOND),
        step("doubt", State.UNKNOWN),
        step("flying", State.SENDING),
        step("held", State.HELD),
    ]

    found = ready({each.key: each for each in steps}, NOON)

    assert [each.key for each in found] == ["free", "behind", "doubt"]


@pytest.mark.parametrize("state", State)
def test_what_waits_for_the_failed_is_hopeless(state: State) -> None:
    """Only failure and cancellation take hope away; a held blocker may still be released."""
    steps = {each.key: each for each in (step("a", state), step("b", after=("a",)))}

    found = [each.key for each in hopeless(steps)]

    assert found == (["b"] if state in {State.FAILED, State.CANCELLED} else [])


def test_blocked_steps_do_not_tell_where_a_delivery_stands() -> None:
    """A pending step behind one that is not done says nothing; any other does."""
    steps = [step("a", State.HELD), step("b", after=("a",)), step("c", State.DONE), step("d")]

    assert [each.key for each in movable(steps)] == ["a", "c", "d"]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], State.DONE),
        ([State.DONE, State.DONE], State.DONE),
        ([State.DONE, State.CANCELLED], State.CANCELLED),
        ([State.CANCELLED, State.FAILED], State.FAILED),
        ([State.FAILED, State.HELD], State.HELD),
        ([State.HELD, State.WAITING], State.WAITING),
        ([State.WAITING, State.PENDING], State.PENDING),
        ([State.PENDING, State.UNKNOWN], State.UNKNOWN),
        ([State.UNKNOWN, State.SENDING], State.SENDING),
    ],
)
def test_the_least_settled_step_tells_the_state(states: list[State], expected: State) -> None:
    """A delivery is as settled as the least settled of its steps, in whatever order they stand."""
    assert overall(states) is overall(reversed(states)) is expected


@given(st.lists(st.sampled_from(State), max_size=6))
def test_a_delivery_rests_only_if_every_step_does(states: list[State]) -> None:
    """No open step hides behind a settled one."""
    assert (overall(states) in OPEN) == any(state in OPEN for state in states)


@dataclass(frozen=True)
class Moment:
    """Something said to the step, and how it stood then."""

    at: datetime
    said: str
    after: Step


outcomes = st.one_of(
    st.just(Done()),
    st.builds(Started, st.just("ref"), st.timedeltas(timedelta(0), MINUTE)),
    st.just(Rejected("no")),
    st.builds(Unavailable, st.just("503"), st.none() | st.timedeltas(timedelta(0), 30 * MINUTE)),
    st.just(Unknown("timeout")),
)
Luck = tuple[Outcome, str, float, timedelta]
luck = st.tuples(
    outcomes,
    st.sampled_from(["answered", "absent", "died"]),
    st.floats(0, 1, exclude_max=True),
    st.timedeltas(timedelta(0), timedelta(hours=3)),
)
limits_ = st.builds(
    Limits,
    admitted=st.just(NOON),
    within=st.timedeltas(timedelta(0), timedelta(hours=2)),
    on_unknown=st.sampled_from(OnUnknown),
)


def life(limits: Limits, repeat: Repeat, fate: Sequence[Luck]) -> list[Moment]:
    """What a worker says to a step that meets this fate, each time when the step is due."""
    now, one, history = NOON, step(repeat=repeat, attempts=0), list[Moment]()
    for outcome, turn, dice, delay in fate:
        if one.state not in OPEN:
            break
        now = max(now, one.not_before) + delay
        if one.state is State.PENDING:
            one, said = sending(one, now, limits), "sent"
        elif one.state is State.SENDING and turn == "died":
            one, said = lost(one, now), "lost"
        elif one.state is State.SENDING:
            one, said = answered(one, outcome, now, limits, dice), type(outcome).__name__
        elif turn == "absent":
            one, said = asked(one, None, now, limits, dice), "absent"
        else:
            one, said = asked(one, outcome, now, limits, dice), type(outcome).__name__
        history.append(Moment(now, said, one))
    return history


def broken_laws(history: Sequence[Moment], limits: Limits) -> set[str]:
    """Which of the laws of core/step.py this life breaks."""
    broken, in_doubt, absent = set[str](), False, False
    for moment in history:
        if moment.said == "sent" and moment.after.state is State.SENDING:
            hold = limits.on_unknown is OnUnknown.HOLD and moment.after.repeat is HARMFUL
            broken |= {"rule 2"} if in_doubt else set()
            broken |= {"rule 3"} if absent and hold else set()
            broken |= {"rule 4"} if moment.at > limits.deadline else set()
        absent = absent or moment.said == "absent"
        in_doubt = moment.after.state is State.UNKNOWN or (in_doubt and moment.said != "absent")
        asking = moment.after.state in {State.UNKNOWN, State.WAITING} and moment.said != "lost"
        if asking and moment.at >= limits.give_up:
            broken.add("give up")
        loud = moment.after.state in {State.FAILED, State.HELD}
        if loud and not moment.after.reason:
            broken.add("loud")
    return broken


@given(limits_, st.sampled_from(Repeat), st.lists(luck, max_size=40))
def test_every_life_keeps_the_laws(limits: Limits, repeat: Repeat, fate: list[Luck]) -> None:
    """Whatever is answered, lost or late, in whatever order, no law of core/step.py is broken."""
    assert not broken_laws(life(limits, repeat, fate), limits)


@given(limits_, st.sampled_from(Repeat), st.lists(luck, max_size=40))
def test_every_life_comes_to_rest(limits: Limits, repeat: Repeat, fate: list[Luck]) -> None:
    """Past `give_up` one more word, whichever it is, settles the step or calls a person."""
    much_later = GIVE_UP + timedelta(days=2)
    ending = [(Unknown("timeout"), "answered", 0.5, much_later), *fate[:1]] * 3

    end = life(limits, repeat, [*fate, *ending])[-1].after

    assert end.state not in OPEN


@pytest.mark.parametrize(
    ("law", "said"),
    [
        ("rule 2", [("sent", 0, State.SENDING), ("Unknown", 1, State.UNKNOWN), ("sent", 2, State.SENDING)]),
        ("rule 3", [("lost", 0, State.UNKNOWN), ("absent", 1, State.PENDING), ("sent", 2, State.SENDING)]),
        ("rule 4", [("sent", 11, State.SENDING)]),
        ("give up", [("Unknown", 1_451, State.UNKNOWN)]),
        ("loud", [("Rejected", 1, State.FAILED)]),
    ],
)  # fmt: skip
def test_a_broken_law_is_noticed(law: str, said: list[tuple[str, int, State]]) -> None:
    """The check of the laws fails for a life that breaks one."""
    history = [
        Moment(NOON + n * MINUTE, word, step(state=state, repeat=HARMFUL))
        for word, n, state in said
    ]

    assert broken_laws(history, LIMITS) == {law}


def test_held_and_failed_say_why() -> None:
    """What rests for a person carries its reason."""
    assert held(step(), "why").reason == failed(step(), "why").reason == "why"
