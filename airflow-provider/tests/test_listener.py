"""Real Airflow runs real DAGs, and a receiver hears what DESIGN's event ids promise."""

import os
from datetime import datetime
from pathlib import Path

import pytest
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from pydantic import TypeAdapter
from sqlalchemy import select

from airflow_provider_interlock import listener
from airflow_provider_interlock._events import CloudEvent
from airflow_provider_interlock._spool import Spool
from tests.receiver import Receiver
from tests.runs import clear_and_run_again, run

ORDERS, CUSTOMERS = "warehouse://analytics/orders", "warehouse://analytics/customers"


def test_a_run_tells_its_tasks_and_itself(listening: Receiver) -> None:
    """Each task that succeeded, then the run, with what changed: by params, outlets and aliases."""
    dag_run = run("load_orders", {"day": "tuesday"})

    load, total, whole = listening.wait_for(3)
    assert [event["type"] for event in (load, total, whole)] == [
        "airflow.task.succeeded",
        "airflow.task.succeeded",
        "airflow.dag_run.succeeded",
    ]
    assert {event["source"] for event in (load, total, whole)} == {"airflow://prod"}
    assert {event["subject"] for event in (load, total, whole)} == {"load_orders"}
    assert whole["data"] == {
        "run_id": dag_run.run_id,
        "logical_date": whole["data"]["logical_date"],
        "assets": [CUSTOMERS, ORDERS],
        "tables": ["analytics.orders", "analytics.totals"],
        "models": [],
        "explores": [],
        "dashboards": [],
        "params": {"tables": ["analytics.orders"], "day": "tuesday"},
    }
    assert (load["data"]["task_id"], load["data"]["assets"]) == ("load", [CUSTOMERS, ORDERS])
    assert (total["data"]["task_id"], total["data"]["assets"]) == ("total", [])
    assert total["data"]["tables"] == ["analytics.totals"]


def test_a_runs_conf_names_the_tables_instead(listening: Receiver) -> None:
    """Who triggers a run may say what it loads; that overrides the params of DAG and tasks."""
    run("load_orders", {"tables": ["analytics.returns"]})

    assert [event["data"]["tables"] for event in listening.wait_for(3)] == [
        ["analytics.returns"]
    ] * 3


def test_every_failed_try_is_told(listening: Receiver) -> None:
    """Two tries have two ids; a failed task emitted nothing, whatever its outlets say."""
    run("fail_orders")

    first, second, whole = listening.wait_for(3)
    assert first["type"] == second["type"] == "airflow.task.failed"
    assert first["id"] != second["id"]
    assert whole["type"] == "airflow.dag_run.failed"
    assert [event["data"]["assets"] for event in (first, second, whole)] == [[], [], []]


def test_a_cleared_run_is_told_again_under_new_ids(listening: Receiver) -> None:
    """Three events of the first go, three others of the second."""
    dag_run = run("load_orders")
    clear_and_run_again(dag_run)

    events = listening.wait_for(6)
    assert len({event["id"] for event in events}) == 6
    assert [event["type"] for event in events[:3]] == [event["type"] for event in events[3:]]
    assert events[2]["data"] == events[5]["data"]


def test_ids_are_made_of_what_rest_shows(listening: Receiver) -> None:
    """Whoever reads the run and its task instances from REST finds the same ids."""
    dag_run = run("load_orders")

    load, total, whole = listening.wait_for(3)
    fields = ("queued_at", "start_date", "logical_date")
    adapter = TypeAdapter(datetime | None)  # as in Airflow's DAGRunResponse
    rest = {name: adapter.dump_python(getattr(dag_run, name), mode="json") for name in fields}
    began = rest["queued_at"] or rest["start_date"]
    assert whole["id"] == f"load_orders/{dag_run.run_id}/{began}/success"
    assert whole["data"]["logical_date"] == rest["logical_date"]
    instances = dag_run.get_task_instances()
    assert {load["id"], total["id"]} == {str(instance.id) for instance in instances}


def test_a_state_set_by_hand_is_told(listening: Receiver) -> None:
    """The API server hands over a database row: the same id and facts, and no assets, for none were emitted."""
    dag_run = run("load_orders", {"day": "sunday"})
    told = listening.wait_for(3)[0]
    with create_session(scoped=False) as session:
        row = session.scalars(
            select(TaskInstance).where(
                TaskInstance.run_id == dag_run.run_id, TaskInstance.task_id == "load"
            )
        ).one()
        listener.on_task_instance_failed(row)

    by_hand = listening.wait_for(4)[3]
    assert (by_hand["id"], by_hand["type"]) == (told["id"], "airflow.task.failed")
    assert by_hand["data"]["assets"] == []
    assert by_hand["data"]["params"] == {"day": "sunday"}
    assert by_hand["data"]["logical_date"] == told["data"]["logical_date"]


def test_a_killed_try_sends_nothing(listening: Receiver) -> None:
    """The scheduler's row carries the next try's id by then; under it the failure would be a lie."""
    dag_run = run("load_orders")
    listening.wait_for(3)
    (row, *_) = dag_run.get_task_instances()
    row.state = "up_for_retry"
    listener.on_task_instance_failed(row)
    listener._sender().wake().wait(20)

    assert len(listening.heard) == 3


def test_types_that_are_not_wanted_are_not_told(
    listening: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`types` chooses; the listener drops the rest before it touches the disk."""
    monkeypatch.setenv("AIRFLOW__INTERLOCK__TYPES", "airflow.dag_run.succeeded")
    run("load_orders")

    (event,) = listening.wait_for(1)
    listener._sender().wake().wait(20)
    assert event["type"] == "airflow.dag_run.succeeded"
    assert len(listening.heard) == 1


def test_a_silent_gateway_holds_up_nothing(
    listening: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends although no answer ever comes; its three events are on disk."""
    monkeypatch.setattr(listener, "IN_TASK_S_MAX", 0.01)
    listening.may_answer.clear()
    dag_run = run("load_orders")

    assert str(dag_run.state) == "success"
    assert len(spooled()) == 3


def test_an_error_of_ours_reaches_no_other_listener(
    listening: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A spool on a bad disk is logged, and the run goes on."""
    monkeypatch.setenv("AIRFLOW__INTERLOCK__SPOOL_DIR", "/dev/null/spool")
    listener._settings.cache_clear()
    dag_run = run("load_orders")

    assert str(dag_run.state) == "success"
    assert listening.heard == []


def test_a_bad_section_turns_the_listener_off(
    listening: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The option is named once, and runs are not disturbed."""
    monkeypatch.setenv("AIRFLOW__INTERLOCK__TYPES", "nonsense")
    listener._settings.cache_clear()
    assert str(run("load_orders").state) == "success"

    assert listening.heard == []
    said = [record.message for record in caplog.records if "[interlock] types" in record.message]
    assert len(said) == 1


class Component:
    """What Airflow hands to `on_starting`."""

    job_type = "SchedulerJob"


def test_a_component_that_starts_sends_what_is_left(listening: Receiver, tmp_path: Path) -> None:
    """An earlier process spooled an event and died; the scheduler's start sends it."""
    from airflow_provider_interlock._clock import now

    left = CloudEvent(
        source="airflow://prod", id="left", type="t", subject="s", data={}, time=now()
    )
    Spool(tmp_path / "spool").append(left)
    listener.on_starting(Component())

    assert [event["id"] for event in listening.wait_for(1)] == ["left"]


def test_a_listener_that_is_off_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One line where a component starts, none in a task."""
    caplog.set_level("INFO")
    listener._settings.cache_clear()
    listener.on_starting(Component())
    listener.on_starting(object())

    assert [record.message for record in caplog.records if "Interlock" in record.message] == [
        "Interlock listener is off: set [interlock] instance, and conn_id or url"
    ]
    listener._settings.cache_clear()


def test_a_fork_gets_its_own_sender(listening: Receiver) -> None:
    """The child has none of its parent's thread, so it must not use its parent's sender."""
    parents = listener._sender()
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writer, b"own" if listener._sender() is not parents else b"shared")
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reader, 6) == b"own"
    assert listener._sender() is parents
    os.close(reader)
    os.close(writer)


def spooled() -> list[str]:
    """The ids of the events on disk."""
    with listener._sender().spool._transaction() as db:
        return [row[0] for row in db.execute("SELECT id FROM pending")]
