"""Route parameters from events: values keep their type, text stays text, a failure says where."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.mapper import JmesMapper, check_expressions
from interlock.core.event import Event, Json
from interlock.core.route import AllOf, Route
from interlock.ports import MappingError
from tests.making import AIRFLOW, MINUTE, event

NEWS = event(
    team="web",
    data={"tables": ["a.b", "a.c"], "rows": 7, "ratio": 0.5, "ok": True, "rows_by": [{"n": 1}, {"n": "x"}]},
)  # fmt: skip


def rendered(value: Json, of: Event = NEWS) -> Json:
    """What this parameter becomes for the event."""
    route = Route(
        name="orders", when=AllOf(()), target="t", action="a", params={"x": value}, within=MINUTE
    )
    return JmesMapper().render(route, of, AIRFLOW)["x"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("${{ event.data.tables }}", ["a.b", "a.c"]),
        ("${{event.data.tables[0]}}", "a.b"),
        ("${{ event.data.rows }}", 7),
        ("${{ event.data.ok }}", True),
        ("${{ event.data.nosuch }}", None),
        ("${{ event.data.nosuch || 'none' }}", "none"),
        ("${{ length(event.data.tables) }}", 2),
        ("${{ event.id }}", "1"),
        ("${{ event.subject }}", "load_orders"),
        ("${{ event.time }}", "2026-01-01T12:00:00+00:00"),
        ("${{ event.team }}", "web"),
        ("${{ event.dataschema }}", None),
        ("${{ principal.id }}", "okta/airflow"),
        ("${{ principal.kind }}", "Service"),
        ("${{ principal.groups }}", ["okta/data-eng"]),
        ("${{ route.name }}", "orders"),
        ("${{ {one: {two: event.id}} }}", {"one": {"two": "1"}}),
        ("${{\n  event.id\n}}", "1"),
    ],
)
def test_an_expression_keeps_the_type_of_its_value(value: str, expected: Json) -> None:
    """A parameter that is one expression is its value: a list stays a list."""
    assert rendered(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("run ${{ event.id }}", "run 1"),
        ("${{ event.id }} of ${{ event.subject }}", "1 of load_orders"),
        ("${{ event.id }}${{ event.id }}", "11"),
        ("${{ event.data.rows }} rows, ${{ event.data.ratio }}", "7 rows, 0.5"),
        ("${{ event.id }}\n", "1\n"),
        ("plain", "plain"),
        ("$event.id {{ x }} ${ y }", "$event.id {{ x }} ${ y }"),
    ],
)
def test_expressions_inside_a_text_become_text(value: str, expected: str) -> None:
    """Around expressions the text stays as it is."""
    assert rendered(value) == expected


def test_expressions_are_found_at_any_depth() -> None:
    """In lists and mappings, values are rendered and keys and other values are left alone."""
    written: Json = {"a": [{"b": "${{ event.id }}"}, 1, None], "${{ event.id }}": True}

    assert rendered(written) == {"a": [{"b": "1"}, 1, None], "${{ event.id }}": True}


def test_what_an_event_says_is_never_an_expression() -> None:
    """An expression inside an event's data is text: rendering is done once."""
    sly = event(data={"name": "${{ principal.groups }}"})

    assert rendered("${{ event.data.name }}", sly) == "${{ principal.groups }}"
    assert rendered("<${{ event.data.name }}>", sly) == "<${{ principal.groups }}>"


@pytest.mark.parametrize(
    "value",
    [
        "a ${{ event.data.tables }}",
        "a ${{ event.data.nosuch }}",
        "a ${{ event.data.ok }}",
        "${{ abs(event.id) }}",
        "${{ nosuch(event.id) }}",
        "${{ sort_by(event.data.rows_by, &n) }}",
        "${{ event.data.tables[::0] }}",
        "${{ ceil(to_number('nan')) }}",
        "${{ ceil(`1e999`) }}",
        "${{ to_number('nan') }}",
        "${{ [to_number('inf')] }}",
        "${{ {a: to_number('9007199254740993')} }}",
        "${{ &event }}",
    ],
)
def test_an_expression_without_a_value_is_a_mapping_error(value: str) -> None:
    """What fails, and what JSON cannot say, makes the delivery fail; the expression is named."""
    with pytest.raises(MappingError) as caught:
        rendered(value)

    assert value.partition("${{")[2].rpartition("}}")[0].strip() in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "value",
    [
        "${{ event. }}",
        "${{ }}",
        "a ${{ event.id }} ${{ event. }}",
        "${{ a b }}",
        "${{ event.id }",
        "${{ event.id",
        "a ${{ event.id }} b ${{ c",
        "${{ event.id }} }}",
        "${{ " + "(" * 3_000 + " }}",
        "${{ " + "!" * 3_000 + "a }}",
    ],
)
@pytest.mark.parametrize("deep", [False, True])
def test_what_is_no_expression_is_found_before_any_event(value: str, deep: bool) -> None:
    """A configuration with a broken expression is refused when it is read."""
    with pytest.raises(MappingError):
        check_expressions({"a": [value, 1]} if deep else value)


WORDS = (
    *("event", "data", "tables", "nosuch", ".", "[0]", "[*]", "[?n]", "[::0]", "|", "||", "&"),
    *("length(", "to_number(", "join(',',", "max_by(", "sum(", ")", "'nan'", "`1`", "@", ",", " "),
)
expressions = st.lists(st.sampled_from(WORDS), max_size=8).map("".join)
pieces = st.lists(st.sampled_from(["${{", "}}", " event.id ", "{", "}", "x", "$"]), max_size=8)


@given(expressions)
def test_any_expression_is_refused_early_or_fails_alone(expression: str) -> None:
    """Whatever stands there: a complaint at reading, a mapping error, or JSON; nothing else."""
    value = f"${{{{ {expression} }}}}"
    try:
        check_expressions(value)
        found = rendered(value)
    except MappingError:
        return

    assert json.loads(json.dumps(found, allow_nan=False)) == found


@given(pieces.map("".join))
def test_what_is_checked_at_reading_is_what_is_rendered(value: str) -> None:
    """A text that passed the check has no broken expression left for an event to find."""
    try:
        check_expressions(value)
    except MappingError as problem:
        assert "not JMESPath" in str(problem) or "does not close" in str(problem)  # noqa: PT017 - either end is right
        return

    try:
        rendered(value)
    except MappingError as problem:
        assert "not JMESPath" not in str(problem)  # noqa: PT017 - either end is right
