"""PDT builds: started and stopped by GET, polled by id, with an outcome that a script may choose.

The answers have the shape that a real instance was seen to give: start has an id and no text,
`resp_text` holds JSON: of a status {status, runtime, message, task_slug}, of a stop {success,
connection, statusment (sic), task_slug}.

Documented nowhere, so chosen here: a second start while one runs builds again, which is the harsher
answer to a client that repeats itself blindly; `second_start: join` answers the running one.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from interlock.sandbox.looker.progress import stage

__all__ = ["Build", "BuildOutcome", "BuildScript", "Builds"]


class BuildOutcome(StrEnum):
    """How a build ends. EMPTY starts nothing and answers an empty id (apache/airflow #23025)."""

    COMPLETE = "complete"
    ERROR = "error"
    KILLED = "killed"
    UNKNOWN = "unknown"
    EMPTY = "empty"


class BuildScript(BaseModel):
    """How builds go that start from now on: of one `view` (`model::view`), or of all others."""

    model_config = ConfigDict(extra="forbid")

    view: str | None = None
    build_s: float | None = Field(default=None, ge=0, description="Else the content's. Seconds.")
    outcome: BuildOutcome = BuildOutcome.COMPLETE
    message: str = ""
    second_start: Literal["new", "join"] = "new"


@dataclass(frozen=True)
class Build:
    """One materialization. Times are seconds on the sandbox's monotonic clock."""

    id: str
    view: str
    started_at: float
    duration_s: float
    outcome: BuildOutcome
    message: str
    stopped_at: float | None = None

    @property
    def task_slug(self) -> str:
        """The 32 hexadecimal digits by which Looker's logs name the build."""
        return hashlib.sha256(f"{self.view}/{self.id}".encode()).hexdigest()[:32]

    def status(self, now: float) -> str:
        """`added`, `pending`, `running`, then `killed` if it was stopped, else its outcome."""
        if self.stopped_at is not None:
            return BuildOutcome.KILLED
        waiting = stage(("added", "pending", "running"), now - self.started_at, self.duration_s)
        return waiting or self.outcome

    @property
    def ends_at(self) -> float:
        """When nothing more happens to it."""
        return self.started_at + self.duration_s if self.stopped_at is None else self.stopped_at

    def ended(self, now: float) -> bool:
        """Whether that is past."""
        return now >= self.ends_at

    def status_text(self, now: float) -> str:
        """What `check_pdt_build` puts into `resp_text`."""
        ended = self.ended(now)
        return json.dumps(
            {
                "status": self.status(now),
                "runtime": self.ends_at - self.started_at if ended else None,
                "message": self.message if ended else f"Materialize {self.view}, ",
                "task_slug": self.task_slug,
            }
        )


class Builds:
    """Every build since the start of the sandbox."""

    def __init__(self) -> None:
        self._builds: dict[str, Build] = {}
        self._scripts: dict[str | None, BuildScript] = {}

    def script(self, script: BuildScript) -> None:
        """Let later builds go as it says; running ones are not touched."""
        self._scripts[script.view] = script

    def start(self, view: str, build_s: float, now: float) -> tuple[str, tuple[str, ...]]:
        """Start to build `view` (`model::view`); its id, and the effects."""
        script = self._scripts.get(view) or self._scripts.get(None) or BuildScript()
        running = self._running(view, now)
        if running and script.second_start == "join":
            return running.id, ()
        if script.outcome is BuildOutcome.EMPTY:
            return "", ()
        build = Build(
            id=str(len(self._builds) + 1),
            view=view,
            started_at=now,
            duration_s=build_s if script.build_s is None else script.build_s,
            outcome=script.outcome,
            message=script.message,
        )
        self._builds[build.id] = build
        return build.id, (f"started a build of {view}",)

    def get(self, build_id: str) -> Build | None:
        """The build with that id, if there is one."""
        return self._builds.get(build_id)

    def stop(self, build: Build, now: float) -> tuple[str, ...]:
        """Kill it if it has not ended; the effects."""
        if build.ended(now):
            return ()
        self._builds[build.id] = replace(build, stopped_at=now)
        return (f"stopped a build of {build.view}",)

    def _running(self, view: str, now: float) -> Build | None:
        mine = (b for b in self._builds.values() if b.view == view and not b.ended(now))
        return next(mine, None)
