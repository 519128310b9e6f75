"""`PublishEventOperator` publishes one event, however often its task is tried."""

import json
from pathlib import Path

import pytest
from airflow.sdk import Connection

from tests.receiver import Receiver, Said
from tests.runs import clear_and_run_again, run


@pytest.fixture
def gateway(
    airflow_db: None, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Receiver:
    """The receiver, behind the connection that the operator uses by default."""
    (tmp_path / "token").write_text("t")
    conn = Connection(
        conn_id="interlock_default",
        conn_type="interlock",
        host=receiver.url,
        extra=json.dumps({"token_file": str(tmp_path / "token")}),
    )
    monkeypatch.setenv("AIRFLOW_CONN_INTERLOCK_DEFAULT", conn.as_json())
    return receiver


def test_a_retry_publishes_the_same_event(gateway: Receiver) -> None:
    """The first try failed after it had published; the second gets the first one's receipt."""
    dag_run = run("publish_orders", {"day": "friday"})

    first, second = gateway.wait_for(2)
    assert first["id"] == f"airflow/prod/publish_orders/{dag_run.run_id}/publish/-1/0"
    assert {**first, "time": None} == {**second, "time": None}
    assert (first["type"], first["subject"], first["source"], first["data"]) == (
        "orders.loaded",
        "publish_orders",
        "airflow://prod",
        {"day": "friday"},
    )


def test_the_receipt_is_the_tasks_result(gateway: Receiver) -> None:
    """Small JSON in XCom."""
    dag_run = run("publish_orders")
    (instance,) = dag_run.get_task_instances()

    assert instance.xcom_pull(task_ids="publish", run_id=dag_run.run_id) == {
        "handoff": "h-1",
        "event": "e-1",
        "duplicate": False,
        "deliveries": ["d-1"],
    }


def test_a_cleared_task_publishes_another_event(gateway: Receiver) -> None:
    """Clearing means doing it again: the clear's number is in the id."""
    dag_run = run("publish_orders")
    clear_and_run_again(dag_run)

    ids = [event["id"].rsplit("/", 1)[1] for event in gateway.wait_for(3)]
    assert ids == ["0", "0", "1"]


def test_a_refusal_is_not_retried(gateway: Receiver) -> None:
    """What the gateway will never take fails the task at once, with the code to look up."""
    gateway.next_answers = [Said(403, {"code": "policy.not_allowed", "detail": "ask the owner"})]
    dag_run = run("publish_orders")

    assert str(dag_run.state) == "failed"
    assert len(gateway.heard) == 1
