"""Events are facts that REST shows too, under ids that anyone can build from them."""

import json
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest
from pydantic import TypeAdapter

from airflow_provider_interlock._events import (
    CloudEvent,
    event_data,
    names_in,
    operator_event_id,
    rest_time,
    run_event_id,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "moment",
    [
        NOON,
        NOON + timedelta(microseconds=1),
        NOON + timedelta(milliseconds=120),
        NOON.astimezone(timezone(timedelta(hours=5, minutes=30))),
    ],
)
def test_a_time_reads_as_in_rest(moment: datetime) -> None:
    """Airflow's REST API answers through pydantic; a time in an id is the same text."""
    in_rest = TypeAdapter(datetime).dump_json(moment.astimezone(UTC)).decode().strip('"')

    assert rest_time(moment) == in_rest


def test_a_run_has_one_id_per_clear_and_state() -> None:
    """A cleared run ends under a new id, and so does one that is set to another state."""
    ids = {
        run_event_id("load", "r1", began, state)
        for began in (NOON, NOON + timedelta(hours=1))
        for state in ("success", "failed")
    }

    assert "load/r1/2026-01-01T12:00:00Z/success" in ids
    assert len(ids) == 4


def test_an_operators_id_names_the_clear_and_not_the_try() -> None:
    """All tries of one task after one clear publish one event."""
    name = operator_event_id(
        instance="prod", dag_id="d", run_id="r", task_id="t", map_index=-1, clear_number=2
    )

    assert name == "airflow/prod/d/r/t/-1/2"


def test_equal_facts_are_equal_bytes() -> None:
    """The order in which assets and tables were found does not show."""
    first, second = (
        event_data(
            run_id="r",
            logical_date=NOON,
            assets=assets,
            named=names_in({"tables": tables}),
            params={},
        )
        for assets, tables in ((["b", "a"], ["y", "x", "y"]), (["a", "b", "a"], ["x", "y"]))
    )

    assert json.dumps(first) == json.dumps(second)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("orders", {"orders"}),
        (["a", "b"], {"a", "b"}),
        (["a", 3], {"a"}),
        (None, set()),
        ({}, set()),
    ],
)
def test_a_param_names_texts_only(value: object, names: set[str]) -> None:
    """A text or a list of texts is understood; anything else names nothing."""
    assert names_in({"tables": value})["tables"] == names


def test_only_a_task_event_names_a_task() -> None:
    """`task_id` is in the data of task events alone; every other member is always there."""
    event = partial(event_data, run_id="r", logical_date=None, assets=[], params={})
    of_run, of_task = event(named=names_in({})), event(named=names_in({}), task_id="t")

    assert of_task.keys() - of_run.keys() == {"task_id"}
    assert of_run == {
        "run_id": "r",
        "logical_date": None,
        "assets": [],
        "tables": [],
        "models": [],
        "explores": [],
        "dashboards": [],
        "params": {},
    }


def test_an_event_is_cloudevents_json() -> None:
    """The required attributes of CloudEvents 1.0 and JSON data, in structured mode."""
    event = CloudEvent(
        source="airflow://prod", id="i", type="t", subject="s", data={"a": 1}, time=NOON
    )

    assert json.loads(event.encoded()) == {
        "specversion": "1.0",
        "source": "airflow://prod",
        "id": "i",
        "type": "t",
        "subject": "s",
        "time": "2026-01-01T12:00:00Z",
        "datacontenttype": "application/json",
        "data": {"a": 1},
    }
