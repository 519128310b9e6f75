"""Runs a DAG of `tests/dags` in this process, and clears and runs it again, as the scheduler would."""

from pathlib import Path

from airflow.dag_processing.dagbag import DagBag
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance, clear_task_instances
from airflow.sdk import DAG
from airflow.sdk.definitions.dag import _run_task
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from sqlalchemy import select
from sqlalchemy.orm import Session


def dag_of(dag_id: str) -> DAG:
    """Return a DAG of the tests' folder."""
    dag = DagBag(Path(__file__).parent / "dags").get_dag(dag_id)
    assert isinstance(dag, DAG)
    return dag


def run(dag_id: str, conf: dict[str, object] | None = None) -> DagRun:
    """Run a DAG to its end."""
    dag_run = dag_of(dag_id).test(run_conf=conf)
    assert isinstance(dag_run, DagRun)
    return dag_run


def clear_and_run_again(dag_run: DagRun) -> None:
    """Clear a run that has ended, and run it to its end once more."""
    dag = dag_of(dag_run.dag_id)
    with create_session(scoped=False) as session:
        row = session.scalars(
            select(DagRun).where(DagRun.dag_id == dag.dag_id, DagRun.run_id == dag_run.run_id)
        ).one()
        clear_task_instances(row.get_task_instances(session=session), session)
        row.dag = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
        row.set_state(DagRunState.RUNNING)
        session.commit()
        while row.state == DagRunState.RUNNING:
            for task_instance in _schedule(row, session):
                _run_task(ti=task_instance, task=dag.task_dict[task_instance.task_id])
            session.expire_all()


def _schedule(row: DagRun, session: Session) -> list[TaskInstance]:
    """Let the run decide what is next, as the scheduler's loop does."""
    due, _ = row.update_state(session=session)
    for task_instance in due:
        task_instance.try_number += 1
        task_instance.state = TaskInstanceState.SCHEDULED
    session.commit()
    return due
