"""Which events go where: CloudEvents Subscriptions filters over an event's attributes.

Dialects `exact prefix suffix all any not` as in CloudEvents Subscriptions API 1.0 section 3.2.4.
A filter on an attribute that the event lacks is false.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import assert_never

from interlock.core.event import Event, Json
from interlock.core.retry import OnUnknown


@dataclass(frozen=True, slots=True)
class Exact:
    """The attribute is `value`."""

    attribute: str
    value: str


@dataclass(frozen=True, slots=True)
class Prefix:
    """The attribute starts with `value`."""

    attribute: str
    value: str


@dataclass(frozen=True, slots=True)
class Suffix:
    """The attribute ends with `value`."""

    attribute: str
    value: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one holds. Of none: true."""

    filters: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one holds. Of none: false."""

    filters: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    filter: "Filter"


Filter = Exact | Prefix | Suffix | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """When this event, do that at this target, within so long.

    Attributes:
        name: unique; part of the ids of its deliveries, so that renaming it makes new ones.
        params: what the target's action is told; `${{ }}` expressions are rendered at admission.
        within: the data SLA: retries and alerts follow from it.
        on_unknown: see OnUnknown.
    """

    name: str
    when: Filter
    target: str
    action: str
    params: Mapping[str, Json] = field(default_factory=dict[str, Json])
    within: timedelta
    on_unknown: OnUnknown = OnUnknown.HOLD


def holds(condition: Filter, event: Event) -> bool:
    """Whether `event` passes `condition`."""
    match condition:
        case Exact(attribute, value):
            return event.attribute(attribute) == value
        case Prefix(attribute, value):
            return (event.attribute(attribute) or "").startswith(value)
        case Suffix(attribute, value):
            return (event.attribute(attribute) or "").endswith(value)
        case AllOf(filters):
            return all(holds(each, event) for each in filters)
        case AnyOf(filters):
            return any(holds(each, event) for each in filters)
        case Not(inner):
            return not holds(inner, event)
        case _:  # pragma: no cover
            assert_never(condition)


def matching(event: Event, routes: Iterable[Route]) -> Iterator[Route]:
    """The routes that want `event`, in the order given."""
    return (route for route in routes if holds(route.when, event))
