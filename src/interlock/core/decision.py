"""What was asked of policy, and what it answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from interlock.core.principal import Principal

Attribute = str | bool | int | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something policy can be written about.

    Attributes:
        type: Cedar entity type, e.g. `Source`, `Target`, `Explore`.
        id: unique within the type; a connector prefixes its target's name:
            `looker-prod/shop::orders`.
        attributes: e.g. `owner`.
        parent: what it belongs to; a rule about the parent covers it (`resource in Target::"x"`).
    """

    type: str
    id: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])
    parent: "Resource | None" = None

    def __str__(self) -> str:
        """As in a policy: `Target::"looker-prod"`."""
        return f'{self.type}::"{self.id}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May `principal` do `action` to `resource`, things being as `context` says?"""

    principal: Principal
    action: str
    resource: Resource
    context: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A recorded answer.

    Attributes:
        rules: ids of the policies that determined it; empty if no rule permits.
        error: why the question could not be decided; an error is always a "no".
    """

    allowed: bool
    rules: tuple[str, ...] = ()
    error: str = ""

    @property
    def why(self) -> str:
        """What decided it, for people."""
        return self.error or ", ".join(self.rules) or "no rule permits it"

    def __post_init__(self) -> None:
        assert not (self.allowed and self.error), "an error never allows"
