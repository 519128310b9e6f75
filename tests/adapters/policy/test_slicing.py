"""Looking only at policies whose scope can match changes no answer."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from interlock.adapters.policy_cedar import CedarAuthorizer, load
from interlock.adapters.policy_cedar.entities import what, who
from interlock.adapters.policy_cedar.scope import ScopeIndex
from interlock.core.decision import Question
from tests.adapters.policy.site import ANA, ANAS_AGENT, LOOKER, ORDERS, SCHEMA, SHOP, asked

PRINCIPALS = [
    "principal",
    'principal == User::"okta/ana"',
    'principal == Agent::"okta/bot"',
    'principal in Group::"okta/data"',
    'principal in Group::"okta/ops"',
    'principal in User::"okta/ana"',
    "principal is Agent",
    "principal is User",
    'principal is User in Group::"okta/staff"',
    'principal is Service in Group::"okta/data"',
]
ACTIONS = [
    "action",
    'action == Action::"read"',
    'action in Action::"refresh"',
    'action in [Action::"read", Action::"refresh", Action::"read"]',
]
RESOURCES = [
    "resource",
    'resource == Explore::"looker-prod/shop::orders"',
    'resource == Model::"looker-prod/shop"',
    'resource in Model::"looker-prod/shop"',
    'resource in Target::"looker-prod"',
    'resource in Target::"looker-test"',
    "resource is Explore",
    'resource is Explore in Target::"looker-prod"',
    'resource is Model in Target::"looker-prod"',
]
CONDITIONS = [
    "",
    "when { context has hop && context.hop > 1 }",
    "when { context has hop && context.hop * 9223372036854775807 > 5 }",
    'unless { principal.issuer == "okta" }',
]

policies = st.lists(
    st.builds(
        "{} ({}, {}, {}) {};".format,
        st.sampled_from(["permit", "permit", "forbid"]),
        st.sampled_from(PRINCIPALS),
        st.sampled_from(ACTIONS),
        st.sampled_from(RESOURCES),
        st.sampled_from(CONDITIONS),
    ),
    min_size=1,
    max_size=12,
).map("\n".join)
principals = st.builds(
    replace,
    st.sampled_from([ANA, ANAS_AGENT, replace(ANA, id="google/eve")]),
    groups=st.frozensets(st.sampled_from(["okta/data", "okta/staff", "okta/ops"])),
)
resources = st.sampled_from(
    [ORDERS, SHOP, LOOKER, replace(SHOP, parent=replace(LOOKER, id="looker-test"))]
)
questions = st.builds(
    asked,
    principals,
    st.sampled_from(["read", "refresh"]),
    resources,
    hop=st.integers(0, 2),
)


class Everything(ScopeIndex):
    """Slices nothing off."""

    def matching(
        self, principals: Iterable[str], action: str, resources: Iterable[str]
    ) -> tuple[int, ...]:
        """All there is."""
        return tuple(sorted({n for found in self._at.values() for n in found}))


class ForgetsGroups(ScopeIndex):
    """Looks for a principal's own name and type only."""

    def matching(
        self, principals: Iterable[str], action: str, resources: Iterable[str]
    ) -> tuple[int, ...]:
        """Too little."""
        return super().matching([*principals][:2], action, resources)


class ForgetsAncestors(ScopeIndex):
    """Looks for a resource's own name and type only."""

    def matching(
        self, principals: Iterable[str], action: str, resources: Iterable[str]
    ) -> tuple[int, ...]:
        """Too little."""
        return super().matching(principals, action, [*resources][:2])


class ForgetsTypes(ScopeIndex):
    """Looks for names only."""

    def matching(
        self, principals: Iterable[str], action: str, resources: Iterable[str]
    ) -> tuple[int, ...]:
        """Too little."""
        return super().matching([*principals][1:], action, resources)


class ForgetsActions(ScopeIndex):
    """Looks only for policies about any action."""

    def matching(
        self, principals: Iterable[str], action: str, resources: Iterable[str]
    ) -> tuple[int, ...]:
        """Too little."""
        return super().matching(principals, "", resources)


def agrees(index: type[ScopeIndex], text: str, question: Question) -> None:
    """Assert that policies found through this index answer as all of them do."""
    with TemporaryDirectory() as folder:
        loaded = load(_written(Path(folder), text), SCHEMA)
    sliced, whole = CedarAuthorizer(loaded, SCHEMA), CedarAuthorizer(loaded, SCHEMA)
    scopes = [policy.scope for policy in loaded]
    sliced._index, whole._index = index(scopes), Everything(scopes)

    assert sliced.decide(question) == whole.decide(question)


def _written(folder: Path, text: str) -> Path:
    (folder / "shop.cedar").write_text(text)
    return folder


@settings(deadline=None)
@given(policies, questions)
def test_slicing_changes_no_answer(text: str, question: Question) -> None:
    """Sliced or not: the same decision, by the same rules, or with the same error."""
    agrees(ScopeIndex, text, question)


@pytest.mark.parametrize(
    "index",
    [ForgetsGroups, ForgetsAncestors, ForgetsTypes, ForgetsActions],
    ids=lambda i: i.__name__,
)
def test_the_property_catches_a_slicer_that_forgets(index: type[ScopeIndex]) -> None:
    """An index that looks in too few places is found out."""

    @settings(deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    @given(policies, questions)
    def property_of_slicing(text: str, question: Question) -> None:
        agrees(index, text, question)

    with pytest.raises((AssertionError, ExceptionGroup)):
        property_of_slicing()


def test_a_slice_leaves_out_what_cannot_matter(tmp_path: Path) -> None:
    """A policy whose scope names another principal, action or resource is not looked at."""
    scopes = [
        "principal, action, resource",
        'principal == User::"okta/eve", action, resource',
        'principal, action == Action::"read", resource',
        "principal, action, resource is Model",
        'principal is User, action in [Action::"refresh"], resource in Target::"looker-prod"',
    ]
    (tmp_path / "shop.cedar").write_text("".join(f"permit ({scope});" for scope in scopes))
    index = ScopeIndex(policy.scope for policy in load(tmp_path, SCHEMA))

    found = index.matching(who(ANA).places, "refresh", what(ORDERS).places)

    assert found == (0, 4)
