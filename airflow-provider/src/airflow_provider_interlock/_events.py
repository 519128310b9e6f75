"""What an Airflow event is: a CloudEvent made of facts that Airflow's REST API shows too.

Whoever reads the same facts from REST can build the same event, so that one the listener missed can
be filled in, and one that both send is captured once.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

TASK, RUN = "airflow.task", "airflow.dag_run"
TYPES = frozenset(f"{kind}.{state}" for kind in (TASK, RUN) for state in ("succeeded", "failed"))
EVENT_BYTES_MAX = 65_536  # CloudEvents 1.0, "Size Limits": what every intermediary forwards
NAMED = ("tables", "models", "explores", "dashboards")  # params that say what a task or DAG changes


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudEvent:
    """A CloudEvents 1.0 event; `source` and `id` are its identity."""

    source: str
    id: str
    type: str
    subject: str
    data: Mapping[str, Any]
    time: datetime

    def encoded(self) -> bytes:
        """Return the event in the structured JSON format, bare text only where JSON has no type."""
        attributes = {
            "specversion": "1.0",
            "source": self.source,
            "id": self.id,
            "type": self.type,
            "subject": self.subject,
            "time": rest_time(self.time),
            "datacontenttype": "application/json",
            "data": self.data,
        }
        return json.dumps(attributes, default=str, separators=(",", ":")).encode()


def source_of(instance: str) -> str:
    """Return the source of all events of one Airflow."""
    return f"airflow://{instance}"


def run_event_id(dag_id: str, run_id: str, began: datetime, state: str) -> str:
    """Return the id of a run's end. Every clear moves `began`: `queued_at`, else `start_date`."""
    return f"{dag_id}/{run_id}/{rest_time(began)}/{state}"


def operator_event_id(
    *, instance: str, dag_id: str, run_id: str, task_id: str, map_index: int, clear_number: int
) -> str:
    """Return the id of an event that a task publishes: one for all tries, another after a clear."""
    return f"airflow/{instance}/{dag_id}/{run_id}/{task_id}/{map_index}/{clear_number}"


def event_data(
    *,
    run_id: str,
    logical_date: datetime | None,
    assets: Iterable[str],
    named: Mapping[str, Iterable[str]],
    params: Mapping[str, Any],
    task_id: str | None = None,
) -> dict[str, Any]:
    """Return an event's data. Lists are sorted and without doubles: equal facts, equal bytes."""
    return {
        "run_id": run_id,
        **({"task_id": task_id} if task_id is not None else {}),
        "logical_date": logical_date and rest_time(logical_date),
        "assets": sorted(set(assets)),
        **{name: sorted(set(named[name])) for name in NAMED},
        "params": dict(params),
    }


def names_in(params: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return what params name: a text or a list of texts under each of `NAMED`."""
    return {name: _texts(params.get(name)) for name in NAMED}


def _texts(value: object) -> set[str]:
    match value:
        case str():
            return {value}
        case list() | tuple() | set():
            return {item for item in value if isinstance(item, str)}
        case _:
            return set()


def rest_time(moment: datetime) -> str:
    """Write a moment as Airflow's REST API does: RFC 3339 in UTC, microseconds if there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
