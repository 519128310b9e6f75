"""A plan without what policy denies: the denied, and all that would have come after them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.plan import Left, Plan, Planned
from tests.core.steps import planned

CHAIN = Plan(steps=(planned("a"), planned("b", "a"), planned("c", "b"), planned("d")))


def test_what_follows_the_denied_goes_too() -> None:
    """A denial is transitive, and each step left out says why."""
    kept = CHAIN.without({"a": "denied: no rule permits it"})

    assert [step.key for step in kept.steps] == ["d"]
    assert [(left.asset, left.why) for left in kept.left] == [
        ('Dashboard::"looker/a"', "denied: no rule permits it"),
        ('Dashboard::"looker/b"', "needs a"),
        ('Dashboard::"looker/c"', "needs b"),
    ]


def test_a_step_denied_itself_says_so() -> None:
    """Its own denial is the reason, not that of the step before it."""
    kept = CHAIN.without({"a": "denied: x", "b": "denied: y"})

    assert [left.why for left in kept.left] == ["denied: x", "denied: y", "needs b"]


def test_what_was_left_before_stays_said() -> None:
    """A denial adds to what is left alone; what could not be resolved is never silent."""
    stock, traffic = Left(asset="stock", why="other tables"), Left(asset="traffic", why="?")
    plan = Plan(steps=(planned("a"),), left=(stock,), possible=(traffic,))

    kept = plan.without({"a": "denied: x"})

    assert kept.left[0] == stock
    assert kept.possible == (traffic,)


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ((planned("a", "b"), planned("b", "a")), "'a' is not behind 'b', which it waits for"),
        ((planned("a", "a"),), "'a' is not behind 'a', which it waits for"),
        ((planned("a"), planned("b", "a", "c")), "'b' is not behind 'c', which it waits for"),
        ((planned("a"), planned("b"), planned("a")), "two steps have the key 'a'"),
    ],
)
def test_a_plan_that_would_stand_still_says_why(steps: tuple[Planned, ...], why: str) -> None:
    """A step before what it waits for, or under another's key, would never be done."""
    assert Plan(steps=steps).disorder == why
    assert CHAIN.disorder == ""


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Steps in an order in which each follows those it waits for."""
    keys: list[str] = []
    steps = []
    for n in range(draw(st.integers(1, 8))):
        behind = draw(st.sets(st.sampled_from(keys))) if keys else set[str]()
        steps.append(planned(f"k{n}", *sorted(behind)))
        keys.append(f"k{n}")
    return Plan(steps=tuple(steps))


@given(plans(), st.data())
def test_the_rest_needs_nothing_that_is_gone(plan: Plan, data: st.DataObject) -> None:
    """No step kept was denied or waits for one that is gone; none is lost without a word."""
    keys = [step.key for step in plan.steps]
    denied = data.draw(st.dictionaries(st.sampled_from(keys), st.just("denied: x")))

    rest = plan.without(denied)

    kept = {step.key for step in rest.steps}
    assert not kept & set(denied)
    assert all(kept.issuperset(step.after) for step in rest.steps)
    assert len(rest.steps) + len(rest.left) == len(plan.steps)
    needless = {s.key for s in plan.steps if s.key not in denied and kept.issuperset(s.after)}
    assert kept == needless
    assert plan.disorder == rest.disorder == ""
