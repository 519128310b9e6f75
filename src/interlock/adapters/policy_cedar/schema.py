"""What policies may speak of: Interlock's own types and actions, and those of its connectors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from interlock.core.principal import Kind

AttributeType = Literal["String", "Bool", "Long", "Set<String>"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceType:
    """A kind of thing under a target.

    Attributes:
        name: a Cedar entity type, e.g. `Explore`.
        parents: the types that its `Resource.parent` may have.
        attributes: those that every resource of this type carries.
    """

    name: str
    parents: tuple[str, ...] = ()
    attributes: Mapping[str, AttributeType] = field(default_factory=dict[str, AttributeType])


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionType:
    """Something that can be done to resources of these types."""

    name: str
    resources: tuple[str, ...]


OWN_RESOURCES = (
    ResourceType(name="Source", attributes={"owner": "String", "uri": "String"}),
    ResourceType(name="Route", attributes={"owner": "String"}),
    ResourceType(name="Target", attributes={"owner": "String"}),
)
ON_ANYTHING_OF_OURS = (
    *("readPayload", "retry", "redrive", "replay", "cancel"),
    *("release", "rotate", "subscribe", "administer"),
)
PRINCIPALS = ", ".join(Kind)

# `onBehalfOf` holds the ids of everyone the principal acts for, none included: a set needs no
# `has` before it, and no link of a chain can hide another.
COMMON = f"""\
entity Group;
entity {PRINCIPALS} in [Group] {{issuer: String, onBehalfOf: Set<String>}};
type Approval = {{by: String, expires: datetime, digest: String}};
type Context = {{
  now: datetime,
  environment: String,
  hop?: Long,
  initiator?: String,
  workflow?: String,
  runId?: String,
  corroborated?: Bool,
  authorityAge?: duration,
  requestDigest?: String,
  approval?: Approval,
  eventType?: String,
  eventSubject?: String,
}};
"""


def schema_text(resources: Iterable[ResourceType], actions: Iterable[ActionType]) -> str:
    """The Cedar schema of a site whose connectors declare these.

    An action that several declare applies to the resources of all, ours included; so may a type
    be declared twice, if alike. Cedar refuses what remains wrong when the schema is first used.
    """
    types: list[ResourceType] = []
    for resource in (*OWN_RESOURCES, *resources):
        if resource not in types:
            types.append(resource)
    everything = tuple(dict.fromkeys(resource.name for resource in types))
    ours = tuple(resource.name for resource in OWN_RESOURCES)
    applies: dict[str, set[str]] = {}
    for action in (
        ActionType(name="submit", resources=("Source",)),
        ActionType(name="read", resources=everything),
        *(ActionType(name=name, resources=ours) for name in ON_ANYTHING_OF_OURS),
        *actions,
    ):
        applies.setdefault(action.name, set()).update(action.resources)
    lines = [*(_entity(each) for each in types), *(_action(*each) for each in applies.items())]
    return "\n".join([COMMON, *lines, ""])


def _entity(resource: ResourceType) -> str:
    parents = f" in [{', '.join(resource.parents)}]" if resource.parents else ""
    attributes = ", ".join(f'"{name}": {kind}' for name, kind in resource.attributes.items())
    return f"entity {resource.name}{parents} {{{attributes}}};"


def _action(name: str, resources: set[str]) -> str:
    applies = f"principal: [{PRINCIPALS}], resource: [{', '.join(sorted(resources))}]"
    return f'action "{name}" appliesTo {{{applies}, context: Context}};'
