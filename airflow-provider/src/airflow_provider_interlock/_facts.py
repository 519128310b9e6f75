"""Reads the facts of an event off the objects that Airflow hands to a listener."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from airflow_provider_interlock._clock import now
from airflow_provider_interlock._events import (
    NAMED,
    RUN,
    TASK,
    CloudEvent,
    event_data,
    names_in,
    run_event_id,
    source_of,
)

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.sdk import Context
    from airflow.sdk.execution_time.context import OutletEventAccessors
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
    from airflow.serialization.definitions.param import SerializedParamsDict
    from sqlalchemy import Select
    from typing_extensions import TypeIs

ENDED = {"succeeded": "success", "failed": "failed"}  # our word, and the state that REST shows


def in_task_process(
    task_instance: "RuntimeTaskInstance | TaskInstance",
) -> "TypeIs[RuntimeTaskInstance]":
    """Say whether the task itself runs here; scheduler and API server hold database rows."""
    return not hasattr(task_instance, "__tablename__")


def task_event(
    instance: str, task_instance: "RuntimeTaskInstance | TaskInstance", ended: str
) -> CloudEvent | None:
    """Return the event of a try's end; None for one that cannot be named here.

    That is a killed task with tries left: the scheduler gives the row its next try's id before it
    calls listeners, and the id of the try that ended is in the history (Airflow 3.3,
    `TaskInstance.prepare_db_for_next_try`).
    """
    if in_task_process(task_instance):
        context = task_instance.get_template_context()
        params = dict(context["params"])
        logical_date = context["dag_run"].logical_date
        assets = _emitted(context) if ended == "succeeded" else set()
    elif task_instance.state == "up_for_retry":
        return None
    else:
        params, logical_date = _row_params(task_instance), task_instance.dag_run.logical_date
        assets = set()  # a state set by hand, or by the scheduler after a kill, emits nothing
    return CloudEvent(
        source=source_of(instance),
        id=str(task_instance.id),
        type=f"{TASK}.{ended}",
        subject=task_instance.dag_id,
        time=getattr(task_instance, "end_date", None) or now(),
        data=event_data(
            run_id=task_instance.run_id,
            task_id=task_instance.task_id,
            logical_date=logical_date,
            assets=assets,
            named=names_in(params),
            params=params,
        ),
    )


def run_event(instance: str, dag_run: "DagRun", ended: str) -> CloudEvent | None:
    """Return the event of a run's end; None for a run that never began, which has no id."""
    began = dag_run.queued_at or dag_run.start_date
    if began is None:
        return None
    conf = _overriding(dag_run.conf)
    params = {**_values(dag_run.dag.params if dag_run.dag else None), **conf}
    named = names_in(params)
    for of_task in _params_of_succeeded_tasks(dag_run):
        for name, values in names_in(of_task).items():
            named[name] |= values if name not in conf else set()
    return CloudEvent(
        source=source_of(instance),
        id=run_event_id(dag_run.dag_id, dag_run.run_id, began, ENDED[ended]),
        type=f"{RUN}.{ended}",
        subject=dag_run.dag_id,
        time=dag_run.end_date or now(),
        data=event_data(
            run_id=dag_run.run_id,
            logical_date=dag_run.logical_date,
            assets=_emitted_by_run(dag_run),
            named=named,
            params=params,
        ),
    )


def _emitted(context: "Context") -> set[str]:
    """Return the URIs of the assets that this task's success updates, aliases resolved."""
    declared = {str(outlet.uri) for outlet in context["outlets"] if hasattr(outlet, "uri")}
    events = cast("OutletEventAccessors", context["outlet_events"])
    aliased = {
        str(event.dest_asset_key.uri)
        for accessor in events.values()
        for event in accessor.asset_alias_events
    }
    return declared | aliased


def _emitted_by_run(dag_run: "DagRun") -> set[str]:
    """Return the URIs of the assets that this run has updated, over all its clears.

    Read along the index on (asset, timestamp), so the assets come first: declared, or behind a
    declared alias. A run's events are never older than its `run_after`.
    """
    from airflow.models.asset import (
        AssetAliasModel,
        AssetEvent,
        AssetModel,
        TaskOutletAssetReference,
    )
    from sqlalchemy import select

    declared = select(TaskOutletAssetReference.asset_id).where(
        TaskOutletAssetReference.dag_id == dag_run.dag_id
    )
    tasks = dag_run.dag.tasks if dag_run.dag else ()
    outlets = [getattr(outlet, "name", "") for task in tasks for outlet in task.outlets]
    aliased = select(AssetModel.id).where(AssetModel.aliases.any(AssetAliasModel.name.in_(outlets)))
    return _texts(
        dag_run,
        select(AssetModel.uri)
        .join(AssetEvent, AssetEvent.asset_id == AssetModel.id)
        .where(
            AssetEvent.asset_id.in_(declared.union(aliased)),
            AssetEvent.timestamp >= dag_run.run_after,
            AssetEvent.source_dag_id == dag_run.dag_id,
            AssetEvent.source_run_id == dag_run.run_id,
        ),
    )


def _params_of_succeeded_tasks(dag_run: "DagRun") -> Iterable[Mapping[str, Any]]:
    """Return the params of the tasks that say what they change, and did."""
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select

    telling = {
        task.task_id: task.params
        for task in (dag_run.dag.tasks if dag_run.dag else ())
        if any(name in task.params for name in NAMED)
    }
    if not telling:
        return []
    succeeded = _texts(
        dag_run,
        select(TaskInstance.task_id).where(
            TaskInstance.dag_id == dag_run.dag_id,
            TaskInstance.run_id == dag_run.run_id,
            TaskInstance.state == "success",
        ),
    )
    return [_values(params) for task_id, params in telling.items() if task_id in succeeded]


def _texts(dag_run: "DagRun", query: "Select[str]") -> set[str]:
    """Run a query in the session that Airflow is in; the thread's own would commit its work.

    `dag.test()` hands over a run that is in no session; that one gets a session for itself.
    """
    from airflow.utils.session import create_session
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    if session is None:
        with create_session(scoped=False) as alone:
            return set(alone.scalars(query))
    with session.no_autoflush:
        return set(session.scalars(query))


def _row_params(task_instance: "TaskInstance") -> dict[str, Any]:
    """Return the params of a row: its DAG's, its task's, its run's, the later winning."""
    task = getattr(task_instance, "task", None)
    dag = getattr(task, "dag", None)
    conf = _overriding(task_instance.dag_run.conf)
    return {**_values(dag and dag.params), **_values(task and task.params), **conf}


def _overriding(conf: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return a run's conf as far as it changes params."""
    from airflow.configuration import conf as config

    return conf or {} if config.getboolean("core", "dag_run_conf_overrides_params") else {}


def _values(params: "SerializedParamsDict | None") -> dict[str, Any]:
    """Return the values of a params object, the SDK's or the scheduler's."""
    return dict(params.dump()) if params else {}
