"""What a connector would do for one delivery: data that can be decided, shown and stored."""

from collections.abc import Mapping
from dataclasses import dataclass

from interlock.core.decision import Resource
from interlock.core.event import Json
from interlock.core.step import Repeat


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One effect the connector proposes. Attributes as in Step; `why` is for people."""

    key: str
    action: str
    resource: Resource
    call: Mapping[str, Json]
    repeat: Repeat
    after: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Something the plan leaves alone, and why: not affected, or denied by policy."""

    asset: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The effects proposed and what is left alone. Pure data: nothing has happened yet.

    Attributes:
        possible: what may be affected but could not be resolved, with the reason; never silent.
    """

    steps: tuple[Planned, ...] = ()
    left: tuple[Left, ...] = ()
    possible: tuple[Left, ...] = ()

    @property
    def disorder(self) -> str:
        """Why its steps cannot be done in this order; empty if they can.

        Steps that wait for one another would never be ready, and look as if nothing were owed.
        """
        before = set[str]()
        for step in self.steps:
            if step.key in before:
                return f"two steps have the key {step.key!r}"
            missing = [key for key in step.after if key not in before]
            if missing:
                return f"{step.key!r} is not behind {missing[0]!r}, which it waits for"
            before.add(step.key)
        return ""

    def without(self, denied: Mapping[str, str]) -> "Plan":
        """The plan without the steps whose keys are `denied` (key -> why), nor those after them."""
        gone = dict(denied)
        for step in self.steps:  # see disorder: a step is behind those it waits for
            blockers = [key for key in step.after if key in gone]
            if blockers and step.key not in gone:
                gone[step.key] = f"needs {blockers[0]}"
        dropped = tuple(
            Left(asset=str(step.resource), why=gone[step.key])
            for step in self.steps
            if step.key in gone
        )
        kept = tuple(step for step in self.steps if step.key not in gone)
        return Plan(steps=kept, left=self.left + dropped, possible=self.possible)


Facts = Mapping[str, Json]
"""What a connector's `look` found out, for its `plan`."""
