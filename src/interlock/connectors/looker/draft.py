"""A plan in the making: steps as they are found, and what is left alone or in doubt.

How policy and people call things below a target:

    Target "looker-prod" > Model "looker-prod/shop" > Datagroup "looker-prod/shop::orders_datagroup"
                         > Dashboard "looker-prod/12"
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from interlock.core.decision import Resource
from interlock.core.event import Json
from interlock.core.plan import Left, Plan, Planned
from interlock.core.step import Repeat

ACTION = "refresh"
KINDS = {"datagroup": "Datagroup", "pdt": "DerivedTable", "dashboard": "Dashboard"}
"""How a step's key begins, by the type of what it touches."""


@dataclass(slots=True)
class Draft:
    """What has been found so far. Steps are added after those that they wait for."""

    target: Resource
    steps: dict[str, Planned] = field(default_factory=dict[str, Planned])
    left: list[Left] = field(default_factory=list[Left])
    possible: list[Left] = field(default_factory=list[Left])

    def step(
        self,
        kind: str,
        name: str,
        call: Mapping[str, Json],
        why: str,
        *,
        after: Iterable[str] = (),
        repeat: Repeat = Repeat.HARMLESS,
    ) -> None:
        """Touch something. Of `after`, the keys that are no steps are passed over."""
        key = f"{kind}:{name}"
        self.steps[key] = Planned(
            key=key,
            action=ACTION,
            resource=self._resource(KINDS[kind], name),
            call=call,
            repeat=repeat,
            after=tuple(sorted(self.steps.keys() & set(after))),
            why=why,
        )

    def leave(self, kind: str, name: str, why: str) -> None:
        """Leave something alone."""
        self.left.append(Left(asset=str(self._resource(kind, name)), why=why))

    def doubt(self, kind: str, name: str, why: str) -> None:
        """Say that something may be affected."""
        self.possible.append(Left(asset=str(self._resource(kind, name)), why=why))

    @property
    def plan(self) -> Plan:
        """The plan as it stands."""
        return Plan(
            steps=tuple(self.steps.values()), left=tuple(self.left), possible=tuple(self.possible)
        )

    def _resource(self, kind: str, name: str) -> Resource:
        """What is of that type and called `name`; `model::name` is below its model."""
        model, _, rest = name.partition("::")
        parent = self.target
        if rest:
            parent = Resource(type="Model", id=f"{self.target.id}/{model}", parent=parent)
        return Resource(type=kind, id=f"{self.target.id}/{name}", parent=parent)
