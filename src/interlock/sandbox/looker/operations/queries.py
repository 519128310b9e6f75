"""Queries, their SQL, and query tasks with their results."""

import csv
import hashlib
import io
from typing import Any

from interlock.sandbox.looker.answers import Answer, Call, Refused, checked, not_found
from interlock.sandbox.looker.content import Query, QueryParameters
from interlock.sandbox.looker.instance import Looker
from interlock.sandbox.looker.queries import client_id
from interlock.sandbox.looker.sql import compile_sql
from interlock.sandbox.looker.tasks import Task, TaskOutcome, TaskRequest

__all__ = [
    "create_query",
    "create_query_task",
    "query",
    "query_body",
    "query_task",
    "query_task_multi_results",
    "query_task_results",
    "run_query",
]


def create_query(looker: Looker, call: Call) -> Answer:
    """A query that asks this; the same one for whoever asks the same."""
    created, effects = looker.queries.create(checked(QueryParameters, call.body))
    return Answer(query_body(created), effects=effects)


def query(looker: Looker, call: Call) -> Answer:
    """One query, without its results."""
    return Answer(query_body(_query(looker, call.path["query"])))


def run_query(looker: Looker, call: Call) -> Answer:
    """A query's SQL, without running it; the sandbox runs queries as tasks only."""
    found = _query(looker, call.path["query"])
    if call.path["format"] != "sql":
        raise Refused(400, "The sandbox answers result_format sql here; use a query task")
    return Answer(compile_sql(looker.content, found))


def create_query_task(looker: Looker, call: Call) -> Answer:
    """Run a query in the background; `cache=false` runs it whatever the cache holds."""
    request = checked(TaskRequest, call.body)
    found = _query(looker, request.query_id)
    cache_key = hashlib.sha256(compile_sql(looker.content, found).encode()).hexdigest()[:32]
    task, effects = looker.tasks.create(
        request,
        cache_key=cache_key,
        use_cache=call.query.get("cache", "true") != "false",
        stale_until=_stale_until(looker, found),
        run_s=looker.content.query_run_s,
        clock=looker.clock,
    )
    return Answer(_task_body(looker, task), effects=effects)


def query_task(looker: Looker, call: Call) -> Answer:
    """How a task comes along."""
    return Answer(_task_body(looker, _task(looker, call.path["task"])))


def query_task_results(looker: Looker, call: Call) -> Answer:
    """The rows; 202 while it runs, 404 when they have expired, and see `_rows` if it failed."""
    task = _task(looker, call.path["task"])
    now = looker.clock.monotonic()
    if not task.ended(now):
        return Answer(_task_body(looker, task), status=202)
    if task.status(now) == "expired":
        raise not_found()
    return Answer(_rows(looker, task))


def query_task_multi_results(looker: Looker, call: Call) -> Answer:
    """Status and, where complete, rows of several tasks, by id; an id never issued is `missing`."""
    results: dict[str, object] = {}
    now = looker.clock.monotonic()
    for task_id in filter(None, call.query.get("query_task_ids", "").split(",")):
        task = looker.tasks.get(task_id)
        status = task.status(now) if task else "missing"
        done = task is not None and status == TaskOutcome.COMPLETE
        data = _rows(looker, task) if task and done else None
        results[task_id] = {"id": task_id, "status": status, "data": data}
    return Answer(results)


def query_body(found: Query) -> dict[str, object]:
    """A query as the API shows it."""
    name = client_id(found)
    body = found.model_dump(include=set(QueryParameters.model_fields))
    return {**body, "id": found.id, "client_id": name, "slug": name}


def _query(looker: Looker, query_id: str) -> Query:
    found = looker.queries.get(query_id)
    if found is None:
        raise not_found()
    return found


def _task(looker: Looker, task_id: str) -> Task:
    found = looker.tasks.get(task_id)
    if found is None:
        raise not_found()
    return found


def _stale_until(looker: Looker, found: Query) -> float | None:
    model = looker.content.model(found.model)
    explore = model.explore(found.view) if model else None
    datagroup = looker.datagroups.named(found.model, explore.datagroup if explore else None)
    return datagroup.stale_until if datagroup else None


def _task_body(looker: Looker, task: Task) -> dict[str, object]:
    now = looker.clock.monotonic()
    return {
        **task.request.model_dump(exclude={"deferred"}),
        "id": task.id,
        "status": task.status(now),
        "cache": task.use_cache,
        "cache_key": task.cache_key,
        "result_source": task.result_source if task.ended(now) else None,
        "runtime": task.duration_s if task.ended(now) else None,
    }


def _rows(looker: Looker, task: Task) -> Any:  # noqa: ANN401 - JSON, or text
    """The result in the format that the task asked for.

    A failed `json_detail` is a 200 with `errors`; every other format is a 400 (4.0 specification).
    """
    failed = task.outcome is not TaskOutcome.COMPLETE
    found = _query(looker, task.request.query_id)
    rows = [] if failed else list(found.rows)
    if task.request.result_format == "json_detail":
        errors = [{"message": task.message, "message_details": None}] if failed else None
        return {"id": found.id, "data": rows, "errors": errors}
    if failed:
        raise Refused(400, task.message)
    match task.request.result_format:
        case "json":
            return rows
        case "json_bi":
            return {"metadata": {"fields": list(found.fields or ())}, "rows": rows}
        case "csv":
            return _csv(found)
        case "sql":
            return compile_sql(looker.content, found)


def _csv(found: Query) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, found.fields or (), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(found.rows)
    return text.getvalue()
