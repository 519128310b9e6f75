"""Which events go where: the filter dialects of CloudEvents Subscriptions 1.0 section 3.2.4."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.app.conditions import condition
from interlock.core.event import Event
from interlock.core.route import (
    AllOf,
    AnyOf,
    Exact,
    Filter,
    Not,
    Prefix,
    Route,
    Suffix,
    holds,
    matching,
)
from tests.making import MINUTE, event

ORDERS = event(subject="load_orders", team="web")
BARE = event(subject=None)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Exact("subject", "load_orders"), True),
        (Exact("subject", "load_order"), False),
        (Exact("subject", "Load_orders"), False),
        (Prefix("subject", "load_"), True),
        (Prefix("subject", "oad_"), False),
        (Suffix("subject", "_orders"), True),
        (Suffix("subject", "load"), False),
        (Exact("team", "web"), True),
        (Exact("specversion", "1.0"), True),
        (Prefix("time", "2026-01-01T"), True),
        (Exact("source", "airflow://prod"), True),
        (AllOf(()), True),
        (AnyOf(()), False),
        (Not(AllOf(())), False),
        (Not(AnyOf(())), True),
        (AllOf((Prefix("subject", "load_"), Exact("team", "web"))), True),
        (AllOf((Prefix("subject", "load_"), Exact("team", "app"))), False),
        (AnyOf((Exact("team", "app"), Suffix("subject", "orders"))), True),
        (AnyOf((Exact("team", "app"), AnyOf(()))), False),
        (Not(Not(Exact("team", "web"))), True),
        (AllOf((AnyOf((Not(Exact("team", "app")),)), AllOf((AllOf(()),)))), True),
    ],
)  # fmt: skip
def test_dialects(condition: Filter, expected: bool) -> None:
    """Each dialect by itself and nested, case and all."""
    assert holds(condition, ORDERS) is expected


@pytest.mark.parametrize("kind", [Exact, Prefix, Suffix])
@pytest.mark.parametrize("attribute", ["subject", "dataschema", "nosuchthing", "data"])
def test_a_missing_attribute_fits_nothing(kind: type[Exact], attribute: str) -> None:
    """An event that lacks the attribute passes no filter on it, and passes its negation."""
    wanted = kind(attribute, "x")

    assert not holds(wanted, BARE)
    assert holds(Not(wanted), BARE)


def test_matching_keeps_the_order_of_routes() -> None:
    """Every route that fits owes something, in the order of the configuration."""
    whens: dict[str, Filter] = {"b": AllOf(()), "no": AnyOf(()), "a": Exact("team", "web")}
    routes = [
        Route(name=name, when=when, target="t", action="a", within=MINUTE)
        for name, when in whens.items()
    ]

    assert [route.name for route in matching(ORDERS, routes)] == ["b", "a"]


texts = st.text("ab", min_size=1, max_size=3)
leaves = st.builds(
    lambda name, how, text: {name: text if how == "text" else {how: text}},
    st.sampled_from(["type", "subject", "team"]),
    st.sampled_from(["text", "exact", "prefix", "suffix"]),
    texts,
)
written_conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda found: {"all": found}),
        st.lists(inner, min_size=1, max_size=3).map(lambda found: {"any": found}),
        inner.map(lambda found: {"not": found}),
        st.tuples(leaves, inner).map(lambda both: both[0] | both[1]),
    ),
    max_leaves=12,
)
events = st.builds(
    lambda type_, subject, team: event(
        type=type_, subject=subject, **({"team": team} if team else {})
    ),
    texts,
    st.none() | texts,
    st.none() | texts,
)


def naive(written: dict[str, Any], facts: dict[str, str | None]) -> bool:
    """The specification's words, read off what was written."""
    return all(_naive(name, wanted, facts) for name, wanted in written.items())


def _naive(name: str, wanted: Any, facts: dict[str, str | None]) -> bool:
    if name in {"all", "any"}:
        found = [naive(each, facts) for each in wanted]
        return all(found) if name == "all" else any(found)
    if name == "not":
        return not naive(wanted, facts)
    [(dialect, text)] = wanted.items() if isinstance(wanted, dict) else [("exact", wanted)]
    have = facts[name]
    if have is None:
        return False
    part = {"exact": have, "prefix": have[: len(text)], "suffix": have[-len(text) :]}[dialect]
    return bool(part == text)


@given(written_conditions, events)
def test_conditions_mean_what_the_specification_says(
    written: dict[str, Any], given_event: Event
) -> None:
    """A written condition, however nested, holds exactly where a naive reading of it does."""
    facts = {name: given_event.attribute(name) for name in ("type", "subject", "team")}

    assert holds(condition(written), given_event) == naive(written, facts)
