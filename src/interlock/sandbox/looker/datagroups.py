"""Datagroups: when their content went stale, and when they were triggered.

Looker 4.0 specification, `update_datagroup`: `stale_before` and `triggered_at` are UNIX seconds and
"cannot be in the future" - of the instance's clock, which may not be the caller's.
"""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from interlock.sandbox.looker.answers import unprocessable
from interlock.sandbox.looker.content import Content

__all__ = ["Change", "DatagroupState", "Datagroups", "change"]


class Change(BaseModel):
    """The body of `update_datagroup`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    stale_before: int | None = None
    triggered_at: int | None = None


@dataclass
class DatagroupState:
    """One datagroup as the API shows it."""

    id: str
    model_name: str
    name: str
    created_at: int
    trigger_value: str | None
    trigger_check_at: int
    trigger_error: str | None = None
    stale_before: int | None = None
    triggered_at: int | None = None

    @property
    def full_name(self) -> str:
        """`model::name`, unique in the instance."""
        return f"{self.model_name}::{self.name}"

    @property
    def stale_until(self) -> int:
        """Results older than this second are not served from the cache; 0 if none are stale."""
        return max(self.stale_before or 0, self.triggered_at or 0)


class Datagroups:
    """All datagroups of the instance, by id."""

    def __init__(self, content: Content, now: int) -> None:
        self._by_id = {
            datagroup.id: DatagroupState(
                id=datagroup.id,
                model_name=model.name,
                name=datagroup.name,
                created_at=now,
                trigger_value=datagroup.trigger_value,
                trigger_check_at=now,
            )
            for model in content.models
            for datagroup in model.datagroups
        }

    def all(self) -> list[DatagroupState]:
        """In the order of the content."""
        return list(self._by_id.values())

    def get(self, datagroup_id: str) -> DatagroupState | None:
        """The datagroup with that id, if there is one."""
        return self._by_id.get(datagroup_id)

    def named(self, model: str, name: str | None) -> DatagroupState | None:
        """The datagroup of that name in `model`, if there is one."""
        return next((d for d in self.all() if (d.model_name, d.name) == (model, name)), None)


def change(datagroup: DatagroupState, wanted: Change, now: float) -> tuple[str, ...]:
    """Apply `wanted` and return what it did. `stale_before` busts the cache, nothing else.

    Raises:
        Refused: 422, a time lies after `now`; nothing is changed then.
    """
    for field in ("stale_before", "triggered_at"):
        if (getattr(wanted, field) or 0) > now:
            raise unprocessable(field, "invalid", f"{field} cannot be in the future")
    effects = []
    if wanted.stale_before is not None:
        datagroup.stale_before = wanted.stale_before
        effects.append(f"busted the cache of datagroup {datagroup.full_name}")
    if wanted.triggered_at is not None:
        datagroup.triggered_at = wanted.triggered_at
        effects.append(f"triggered datagroup {datagroup.full_name}")
    return tuple(effects)
