"""The sandbox's own rules: its clock, stages of work, partial answers, what content may say."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.sandbox.looker import Content, load
from interlock.sandbox.looker.clock import Clock
from interlock.sandbox.looker.progress import stage
from interlock.sandbox.looker.projection import project
from interlock.sandbox.looker.tasks import TASKS_MAX, TaskRequest, Tasks
from tests.peers.looker import SHOP

SECONDS = st.floats(min_value=0, max_value=1e6)
NAMES = st.sampled_from(["a", "b", "c"])
JSON = st.recursive(
    st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
)


@given(st.lists(st.tuples(st.sampled_from(["real", "advance", "freeze", "thaw", "skew"]), SECONDS)))
def test_the_clock_never_runs_backwards(steps: list[tuple[str, float]]) -> None:
    """Whatever a script does to it, durations are never negative; skew is only in the wall time."""
    real = [1e9]
    clock = Clock(lambda: real[0])
    for step, seconds in steps:
        before = clock.monotonic()
        match step:
            case "real":
                real[0] += seconds
            case "advance":
                clock.advance(seconds)
            case "freeze":
                clock.freeze()
            case "thaw":
                clock.thaw()
            case _:
                clock.skew_s = -seconds
        assert clock.monotonic() >= before - 1e-3  # sums of floats
        assert clock.wall() == clock.monotonic() + clock.skew_s


def test_a_frozen_clock_stands() -> None:
    """Only `advance` moves it, and thawed it goes on from where it stood."""
    real = [100.0]
    clock = Clock(lambda: real[0])
    clock.freeze()
    real[0] += 50
    clock.advance(7)
    frozen = clock.monotonic()
    clock.thaw()
    real[0] += 1

    assert (frozen, clock.monotonic()) == (107, 108)


@given(SECONDS, SECONDS)
def test_work_ends_exactly_after_its_duration(elapsed_s: float, duration_s: float) -> None:
    """There is a stage until the duration is over, and none from then on."""
    assert (stage(("added", "running"), elapsed_s, duration_s) is None) == (elapsed_s >= duration_s)


@given(st.dictionaries(NAMES, JSON), st.lists(NAMES, min_size=1))
def test_a_partial_answer_is_a_part(whole: dict[str, Any], fields: list[str]) -> None:
    """What is asked for comes whole, and nothing else comes."""
    part = project(whole, ",".join(fields))

    assert part == {name: whole[name] for name in whole if name in fields}


@given(JSON, st.text(alphabet="abc,() "))
def test_no_fields_are_too_strange(whole: Any, fields: str) -> None:
    """Any text is taken; asked twice, the answer is the same."""
    part = project(whole, fields)

    assert project(part, fields) == part


def test_tasks_are_bounded() -> None:
    """A long rehearsal forgets its oldest tasks, not its newest."""
    tasks = Tasks()
    request = TaskRequest(query_id="1", result_format="json")
    made = [
        tasks.create(request, cache_key="k", use_cache=False, stale_until=None, run_s=1, clock=Clock(lambda: 0.0))[0].id
        for _ in range(TASKS_MAX + 1)
    ]  # fmt: skip

    assert tasks.get(made[0]) is None
    assert tasks.get(made[1]) is not None
    assert tasks.get(made[-1]) is not None


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (["api_clients", 0, "user"], "8", "api client sandbox-interlock: there is no '8'"),
        (["models", 0, "connection"], "lake", "model shop: there is no 'lake'"),
        (["models", 0, "explores", 0, "view"], "no", "explore shop::orders: there is no 'no'"),
        (
            ["models", 0, "explores", 0, "joins", 0, "view"],
            "no",
            "explore shop::orders: there is no",
        ),
        (["models", 0, "explores", 0, "datagroup"], "no", "explore shop::orders: there is no 'no'"),
        (["models", 0, "views", "orders"], {}, "either sql_table_name or sql"),
        (
            ["models", 0, "views", "orders", "persistence"],
            "datagroup",
            "belongs to a derived table",
        ),
        (["models", 0, "datagroups", 0, "id"], "2", "a datagroup id is used twice"),
        (["queries", 0, "view"], "no", "query 101: no explore shop::no"),
        (["queries", 0, "id"], "102", "a query id is used twice"),
        (["dashboards", 0, "tiles", 0, "query"], "9", "dashboard shop::sales: there is no '9'"),
        (["dashboards", 0, "tyles"], [], "Extra inputs are not permitted"),
    ],
)
def test_content_that_does_not_hold_together_is_refused(
    shop: dict[str, Any], path: list[Any], value: Any, says: str
) -> None:
    """A reference to nothing, an id used twice or an unknown key says where it is."""
    place: Any = shop
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    with pytest.raises(ValueError, match=says):
        Content.model_validate(shop)


def test_content_is_yaml(tmp_path: Path) -> None:
    """A file that is not YAML is named."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("{")

    with pytest.raises(ValueError, match=r"broken\.yaml is not YAML"):
        load(broken)


def test_a_secret_is_not_shown() -> None:
    """An API key's secret does not print with its content."""
    assert "sandbox-secret" not in repr(load(SHOP))
