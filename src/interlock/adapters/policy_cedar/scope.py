"""Which policies can matter to a question, told from their scopes alone.

A policy's scope is its head: `permit (principal ..., action ..., resource ...)`. Where the scope
is false the policy is neither satisfied nor can it err, so leaving it out changes no answer.
Each policy lies at one place per action it names; a question looks at the few places that could
hold a policy about it. A place may hold too much (Cedar still evaluates it), never too little.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import product
from typing import NamedTuple, assert_never

from cedarpy import pst

ANY = ""


class Scope(NamedTuple):
    """Where a policy lies: an entity (`Group::"okta/data"`), a type (`Agent`), or ANY."""

    principal: str
    actions: frozenset[str]
    resource: str


EVERYWHERE = Scope(ANY, frozenset({ANY}), ANY)


def scope_of(policy: pst.Template) -> Scope:
    """The place of a parsed policy."""
    match policy.action:
        case pst.ScopeAny():
            actions = EVERYWHERE.actions
        case pst.ActionEq(action):
            actions = frozenset({action.id})
        case pst.ActionIn(several):
            actions = frozenset(action.id for action in several)
        case _:
            assert_never(policy.action)
    return Scope(_place(policy.principal), actions, _place(policy.resource))


def _place(constraint: pst.PrincipalOrResourceConstraint) -> str:
    match constraint:
        case pst.ScopeAny():
            return ANY
        case pst.ScopeIs(entity_type):
            return str(entity_type)
        case pst.ScopeEq(entity) | pst.ScopeIn(entity) | pst.ScopeIsIn(_, entity):
            return str(entity)
        case _:
            assert_never(constraint)


class ScopeIndex:
    """Finds policies by place, however many there are elsewhere."""

    def __init__(self, scopes: Iterable[Scope]) -> None:
        self._at: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for position, scope in enumerate(scopes):
            for action in scope.actions:
                self._at[scope.principal, action, scope.resource].append(position)

    def matching(
        self, principals: Iterable[str], action: str, resources: Iterable[str]
    ) -> tuple[int, ...]:
        """Positions, ascending, of every policy that could be satisfied or err.

        `principals` and `resources` are each the entity itself, its type and all its ancestors.
        """
        places = product((ANY, *principals), (ANY, action), (ANY, *resources))
        return tuple(sorted({n for place in places for n in self._at.get(place, ())}))
