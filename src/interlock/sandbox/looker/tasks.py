"""Query tasks: a query run in the background, past the cache or from it.

A result is served from the cache until its explore's datagroup says it is stale; without one, for
an hour, which is Looker's default. Results can be fetched for an hour, then they are expired (404).
"""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from interlock.sandbox.looker.clock import Clock
from interlock.sandbox.looker.progress import stage

__all__ = ["Task", "TaskOutcome", "TaskRequest", "TaskScript", "Tasks"]

CACHE_S = 3600  # Looker's default persist_for
RESULTS_S = 3600  # how long a result can be fetched
TASKS_MAX = 10_000  # a long rehearsal's worth; the oldest are forgotten and answer 404


class TaskRequest(BaseModel):
    """The body of `create_query_task`, with the result formats that the sandbox can write."""

    model_config = ConfigDict(extra="forbid")

    query_id: str
    result_format: Literal["json", "json_bi", "json_detail", "csv", "sql"]
    source: str | None = None
    deferred: bool | None = None
    look_id: str | None = None
    dashboard_id: str | None = None


class TaskOutcome(StrEnum):
    """How a task ends."""

    COMPLETE = "complete"
    ERROR = "error"
    KILLED = "killed"


class TaskScript(BaseModel):
    """How tasks go that start from now on: of one `query` (its id), or of all others."""

    model_config = ConfigDict(extra="forbid")

    query: str | None = None
    run_s: float | None = Field(default=None, ge=0, description="Else the content's. Seconds.")
    outcome: TaskOutcome = TaskOutcome.COMPLETE
    message: str = ""


@dataclass(frozen=True)
class Task:
    """One run. Times are seconds on the sandbox's monotonic clock."""

    id: str
    request: TaskRequest
    use_cache: bool
    cache_key: str
    result_source: Literal["query", "cache"]
    started_at: float
    duration_s: float
    outcome: TaskOutcome
    message: str

    def status(self, now: float) -> str:
        """`added`, `running`, then its outcome, and `expired` when its results are gone."""
        elapsed = now - self.started_at
        if self.ended(now) and elapsed >= self.duration_s + RESULTS_S:
            return "expired"
        return stage(("added", "running"), elapsed, self.duration_s) or self.outcome

    def ended(self, now: float) -> bool:
        """Whether it has its outcome."""
        return now - self.started_at >= self.duration_s


class Tasks:
    """Every task since the start of the sandbox, and the cache they fill."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._cached: dict[str, float] = {}  # cache key -> UNIX seconds of its result
        self._scripts: dict[str | None, TaskScript] = {}

    def script(self, script: TaskScript) -> None:
        """Let later tasks go as it says; running ones are not touched."""
        self._scripts[script.query] = script

    def create(
        self,
        request: TaskRequest,
        *,
        cache_key: str,
        use_cache: bool,
        stale_until: float | None,
        run_s: float,
        clock: Clock,
    ) -> tuple[Task, tuple[str, ...]]:
        """Start a task; and the effects. One that the cache serves is done at once and has none.

        Args:
            request: What the caller asks.
            cache_key: What stands for the query in the cache.
            use_cache: Whether the cache may serve it.
            stale_until: The datagroup's, UNIX seconds; None where the explore has none.
            run_s: How long a run takes, seconds; a script may say otherwise.
            clock: The sandbox's.
        """
        from_cache = use_cache and self._is_cached(cache_key, stale_until, clock.wall())
        scripts = self._scripts
        script = scripts.get(request.query_id) or scripts.get(None) or TaskScript()
        if from_cache:
            script = TaskScript(run_s=0)
        task = Task(
            id=secrets.token_hex(16),
            request=request,
            use_cache=use_cache,
            cache_key=cache_key,
            result_source="cache" if from_cache else "query",
            started_at=clock.monotonic(),
            duration_s=run_s if script.run_s is None else script.run_s,
            outcome=script.outcome,
            message=script.message,
        )
        self._tasks[task.id] = task
        if len(self._tasks) > TASKS_MAX:
            del self._tasks[next(iter(self._tasks))]
        if from_cache:
            return task, ()
        if task.outcome is TaskOutcome.COMPLETE:
            self._cached[cache_key] = clock.wall() + task.duration_s
        return task, (f"ran query {request.query_id}",)

    def get(self, task_id: str) -> Task | None:
        """The task with that id, if it is remembered."""
        return self._tasks.get(task_id)

    def _is_cached(self, cache_key: str, stale_until: float | None, wall: float) -> bool:
        made_at = self._cached.get(cache_key)
        if made_at is None or made_at > wall:
            return False
        return wall - made_at < CACHE_S if stale_until is None else made_at > stale_until
