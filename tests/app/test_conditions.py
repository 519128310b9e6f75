"""A route's `when`, as written, and where it is none."""

from typing import Any

import pytest

from interlock.app.conditions import NotAConditionError, condition
from interlock.core.route import AllOf, AnyOf, Exact, Filter, Not, Prefix, Suffix


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"type": "a"}, Exact("type", "a")),
        ({"type": {"exact": "a"}}, Exact("type", "a")),
        ({"subject": {"prefix": "a"}}, Prefix("subject", "a")),
        ({"subject": {"suffix": "a"}}, Suffix("subject", "a")),
        ({"type": "a", "team": "b"}, AllOf((Exact("type", "a"), Exact("team", "b")))),
        ({"all": [{"type": "a"}]}, AllOf((Exact("type", "a"),))),
        ({"any": [{"type": "a"}, {"x": "b"}]}, AnyOf((Exact("type", "a"), Exact("x", "b")))),
        ({"not": {"type": "a"}}, Not(Exact("type", "a"))),
        ({"not": {"type": "a", "x": "b"}}, Not(AllOf((Exact("type", "a"), Exact("x", "b"))))),
        (
            {"any": [{"not": {"all": [{"x": {"suffix": "b"}}]}}]},
            AnyOf((Not(AllOf((Suffix("x", "b"),))),)),
        ),
    ],
)
def test_a_condition_means_its_filter(written: dict[str, Any], expected: Filter) -> None:
    """Attributes together are all of them; groups and `not` nest."""
    assert condition(written) == expected


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ({}, ()),
        ({"type": ""}, ("type",)),
        ({"type": None}, ("type",)),
        ({"type": 7}, ("type",)),
        ({"type": True}, ("type",)),
        ({"type": ["a"]}, ("type",)),
        ({"type": {}}, ("type",)),
        ({"type": {"prefix": "a", "suffix": "b"}}, ("type",)),
        ({"type": {"prefix": ""}}, ("type",)),
        ({"type": {"prefix": 7}}, ("type",)),
        ({"type": {"regex": "a"}}, ("type",)),
        ({"type": {"Prefix": "a"}}, ("type",)),
        ({"Type": "a"}, ("Type",)),
        ({"run_id": "a"}, ("run_id",)),
        ({"data.x": "a"}, ("data.x",)),
        ({"or": [{"type": "a"}]}, ("or",)),
        ({"all": []}, ("all",)),
        ({"any": {"type": "a"}}, ("any",)),
        ({"any": [{"type": "a"}, {}]}, ("any", 1)),
        ({"any": ["a"]}, ("any", 0)),
        ({"not": "a"}, ("not",)),
        ({"not": {}}, ("not",)),
        ({"not": [{"type": "a"}]}, ("not",)),
        ({"any": [{"not": {"all": [{"x": "a"}, {"x": 1}]}}]}, ("any", 0, "not", "all", 1, "x")),
    ],
)
def test_what_is_no_condition_says_where(written: dict[str, Any], place: tuple[object]) -> None:
    """Empty means no; a dialect that is unknown is not guessed at; the place leads to it."""
    with pytest.raises(NotAConditionError) as caught:
        condition(written)

    assert caught.value.place == place
    assert str(caught.value)
