"""Tells Interlock what finished: a hint within milliseconds, on disk before Airflow goes on.

Airflow calls these inside its scheduler's transaction and at the end of each task's process, so the
file imports next to nothing, talks to no network here, and lets no error of ours reach the
listeners after it.
"""

import atexit
import logging
import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    from airflow_provider_interlock._events import CloudEvent
    from airflow_provider_interlock._sender import Sender
    from airflow_provider_interlock._settings import Settings

IN_TASK_S_MAX = (
    1.0  # a task's process may wait so long for the gateway; the event is on disk already
)

log = logging.getLogger(__name__)


@hookimpl
def on_starting(component: object) -> None:
    """Say once whether the listener is on, and send what an earlier process left behind."""
    if not hasattr(component, "job_type"):
        return  # a task, not a component of Airflow
    if _settings() is None:
        log.info("Interlock listener is off: set [interlock] instance, and conn_id or url")
    else:
        _guarded(lambda: _sender().wake())


@hookimpl
def on_task_instance_success(task_instance: "RuntimeTaskInstance | TaskInstance") -> None:
    """Tell `airflow.task.succeeded`."""
    _tell_task(task_instance, "succeeded")


@hookimpl
def on_task_instance_failed(task_instance: "RuntimeTaskInstance | TaskInstance") -> None:
    """Tell `airflow.task.failed`, at each try."""
    _tell_task(task_instance, "failed")


@hookimpl
def on_dag_run_success(dag_run: "DagRun") -> None:
    """Tell `airflow.dag_run.succeeded`."""
    _tell_run(dag_run, "succeeded")


@hookimpl
def on_dag_run_failed(dag_run: "DagRun") -> None:
    """Tell `airflow.dag_run.failed`."""
    _tell_run(dag_run, "failed")


def _tell_task(task_instance: "RuntimeTaskInstance | TaskInstance", ended: str) -> None:
    from airflow_provider_interlock._facts import in_task_process, task_event

    wait_s = IN_TASK_S_MAX if in_task_process(task_instance) else 0.0
    _guarded(lambda: _tell(lambda instance: task_event(instance, task_instance, ended), wait_s))


def _tell_run(dag_run: "DagRun", ended: str) -> None:
    from airflow_provider_interlock._facts import run_event

    _guarded(lambda: _tell(lambda instance: run_event(instance, dag_run, ended), 0.0))


def _tell(make: "Callable[[str], CloudEvent | None]", wait_s: float) -> None:
    """Spool the event, wake the sender, and wait for it at most so long."""
    on = _settings()
    event = make(on.instance) if on else None
    if on is None or event is None or event.type not in on.types:
        return
    sender = _sender()
    sender.spool.append(event)
    looked = sender.wake()
    if wait_s:
        looked.wait(wait_s)


def _guarded(action: Callable[[], object]) -> None:
    """Log what goes wrong: raised here, it would keep the listeners after ours from their call."""
    try:
        action()
    except Exception:
        log.exception("Interlock: an event was not spooled and will not be sent")


@cache
def _settings() -> "Settings | None":
    """Read the settings once in a process; one that cannot be used is said once and is off."""
    from airflow_provider_interlock._settings import settings

    try:
        return settings()
    except ValueError as err:
        log.error("Interlock listener is off: %s", err)  # noqa: TRY400 - the sentence is enough
        return None


@cache
def _sender() -> "Sender":
    """Return this process's one sender."""
    from airflow_provider_interlock._sender import Sender
    from airflow_provider_interlock._spool import Spool

    on = _settings()
    assert on is not None
    sender = Sender(Spool(on.spool_dir), on.connect)
    atexit.register(sender.finish)
    return sender


# A fork copies the sender without its thread; the child makes its own when it has something to say.
os.register_at_fork(after_in_child=_sender.cache_clear)
