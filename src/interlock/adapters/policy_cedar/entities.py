"""What Cedar is told of a principal and of a resource.

As plain values, equal whenever policy cannot tell the difference, they are also the keys under
which an authorizer remembers: when a principal was verified must not matter.
"""

from collections.abc import Iterator
from typing import NamedTuple

from interlock.core.decision import Attribute, Resource
from interlock.core.principal import Principal


class Who(NamedTuple):
    """A principal; `on_behalf_of` holds the ids of all it acts for."""

    kind: str
    id: str
    groups: frozenset[str]
    on_behalf_of: tuple[str, ...]

    @property
    def places(self) -> tuple[str, ...]:
        """Where a scope about it may lie: itself, its type, its groups."""
        return (self.kind, _name(self.kind, self.id), *(_name("Group", g) for g in self.groups))

    def entity(self) -> dict[str, object]:
        """In Cedar's JSON."""
        issuer = self.id.partition("/")[0]
        return {
            "uid": uid(self.kind, self.id),
            "attrs": {"issuer": issuer, "onBehalfOf": self.on_behalf_of},
            "parents": [uid("Group", group) for group in self.groups],
        }


class What(NamedTuple):
    """A resource. Each attribute goes with its type, for as keys `True` and `1` are equal."""

    kind: str
    id: str
    attributes: tuple[tuple[str, type, Attribute], ...]
    parent: "What | None"

    def lineage(self) -> "Iterator[What]":
        """Itself and its ancestors, nearest first."""
        yield self
        if self.parent:
            yield from self.parent.lineage()

    @property
    def places(self) -> tuple[str, ...]:
        """Where a scope about it may lie: itself, its type, its ancestors."""
        return (self.kind, *(_name(each.kind, each.id) for each in self.lineage()))

    def entity(self) -> dict[str, object]:
        """In Cedar's JSON."""
        return {
            "uid": uid(self.kind, self.id),
            "attrs": {name: value for name, _, value in self.attributes},
            "parents": [uid(self.parent.kind, self.parent.id)] if self.parent else [],
        }


def who(principal: Principal) -> Who:
    """What policy sees of a principal."""
    owners: tuple[str, ...] = ()
    owner = principal.acting_for
    while owner:
        owners = (*owners, owner.id)
        owner = owner.acting_for
    return Who(principal.kind.value, principal.id, principal.groups, owners)


def what(resource: Resource) -> What:
    """What policy sees of a resource."""
    attributes = tuple([(name, type(value), value) for name, value in resource.attributes.items()])
    parent = what(resource.parent) if resource.parent else None
    return What(resource.type, resource.id, attributes, parent)


def uid(kind: str, entity_id: str) -> dict[str, str]:
    """An entity's identity, in the form that takes any character."""
    return {"type": kind, "id": entity_id}


def _name(kind: str, entity_id: str) -> str:
    """An entity as the index has it: the way cedarpy prints the ones that scopes name."""
    return f'{kind}::"{entity_id}"'
