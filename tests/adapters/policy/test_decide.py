"""No decision, an error in the decision, or no policy means no."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from interlock.adapters.policy_cedar import CedarAuthorizer
from interlock.adapters.policy_cedar.authorizer import ERROR_CHARS_MAX
from interlock.core.decision import Decision, Question, Resource
from interlock.core.principal import Kind, Principal
from tests.adapters.policy.site import ANA, ANAS_AGENT, LOOKER, NOON, ORDERS, SCHEMA, asked, site

PERMIT = "permit (principal, action, resource);"
# Valid under the schema, and yet an error at run time, once `hop` is 2 or more.
OVERFLOW = "context has hop && context.hop * 9223372036854775807 > 5"


def test_no_policy_means_no() -> None:
    """Nothing is permitted where nothing permits it."""
    assert CedarAuthorizer([], SCHEMA).decide(asked()) == Decision(allowed=False)


def test_what_no_policy_permits_is_denied(tmp_path: Path) -> None:
    """A permit for another action permits nothing here."""
    authorizer = site(tmp_path, 'permit (principal, action == Action::"read", resource);')

    assert authorizer.decide(asked()) == Decision(allowed=False)


def test_every_permit_that_holds_is_named_in_order(tmp_path: Path) -> None:
    """The rules of an allow are all the permits that hold, sorted."""
    authorizer = site(tmp_path, f'@id("z") {PERMIT} @id("a") {PERMIT} @id("m") {PERMIT}')

    decision = authorizer.decide(asked())

    assert decision == Decision(allowed=True, rules=("shop/a", "shop/m", "shop/z"))


def test_the_right_rule_of_many_is_named(tmp_path: Path) -> None:
    """However many policies matter, the one that holds is the one named."""
    when = "when {{ context has hop && context.hop == {} }};"
    authorizer = site(tmp_path, "".join(PERMIT[:-1] + when.format(n) for n in range(1, 121)))

    assert [authorizer.decide(asked(hop=n)).rules for n in range(1, 121)] == [
        (f"shop/{n}",) for n in range(1, 121)
    ]


def test_forbid_beats_permit(tmp_path: Path) -> None:
    """One forbid that holds outweighs any permit, and is the rule named."""
    guard = '@id("loop") forbid (principal, action, resource) when { context has hop };'
    authorizer = site(tmp_path, PERMIT + guard)

    assert authorizer.decide(asked()).allowed
    assert authorizer.decide(asked(hop=1)) == Decision(allowed=False, rules=("shop/loop",))


@pytest.mark.parametrize("effect", ["forbid", "permit"])
def test_an_erring_policy_means_no(tmp_path: Path, effect: str) -> None:
    """A policy that errs denies, whatever others permit, and is named in the error."""
    policy = f'@id("erring") {effect} (principal, action, resource) when {{ {OVERFLOW} }};'
    authorizer = site(tmp_path, PERMIT + policy)

    decision = authorizer.decide(asked(hop=2))

    assert not decision.allowed
    assert decision.rules == ()
    assert "policy `shop/erring`: integer overflow" in decision.error


@pytest.mark.parametrize(
    ("principal", "allowed"),
    [
        (ANA, True),
        (replace(ANA, groups=frozenset({"okta/staff"})), False),
        (replace(ANA, groups=frozenset({"other/data"})), False),
        (replace(ANA, kind=Kind.SERVICE), True),
    ],
)
def test_groups_grant(tmp_path: Path, principal: Principal, allowed: bool) -> None:
    """A permit for a group covers its members, and nobody else's group of that name."""
    authorizer = site(tmp_path, 'permit (principal in Group::"okta/data", action, resource);')

    assert authorizer.decide(asked(principal)).allowed is allowed


def test_a_rule_about_the_parent_covers_the_child(tmp_path: Path) -> None:
    """A permit for a target covers what lies under it, at any depth, and nothing beside it."""
    authorizer = site(
        tmp_path, 'permit (principal, action, resource is Explore in Target::"looker-prod");'
    )

    assert authorizer.decide(asked()).allowed
    assert not authorizer.decide(asked(resource=replace(ORDERS, parent=None))).allowed
    assert not authorizer.decide(asked(action="read", resource=LOOKER)).allowed


def test_attributes_decide(tmp_path: Path) -> None:
    """What principal and resource carry can be asked of both."""
    authorizer = site(
        tmp_path,
        """permit (principal, action, resource is Explore)
           when { principal.issuer == "okta" && !resource.pii };""",
    )

    assert authorizer.decide(asked()).allowed
    assert not authorizer.decide(asked(replace(ANA, id="google/ana"))).allowed
    assert not authorizer.decide(asked(resource=replace(ORDERS, attributes={"pii": True}))).allowed


def test_an_agent_answers_for_everyone_behind_it(tmp_path: Path) -> None:
    """Policy sees all whom an agent acts for, so that none of them approves its own request."""
    authorizer = site(
        tmp_path,
        """permit (principal is Agent, action, resource) when
           { context has approval && !principal.onBehalfOf.contains(context.approval.by) };""",
    )
    deputy = Principal(kind=Kind.AGENT, id="okta/deputy", verified_at=NOON, acting_for=ANAS_AGENT)

    def allowed(by: str) -> bool:
        approval = {"by": by, "expires": NOON, "digest": "d"}
        return authorizer.decide(asked(deputy, approval=approval)).allowed

    assert allowed("okta/bob")
    assert not allowed("okta/bot")
    assert not allowed("okta/ana")


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        (NOON - timedelta(milliseconds=1), True),
        (NOON, False),
        ((NOON - timedelta(seconds=1)).astimezone(timezone(timedelta(hours=-3))), True),
        ((NOON + timedelta(seconds=1)).astimezone(timezone(timedelta(hours=14))), False),
    ],
)
def test_a_grant_ends_on_time(tmp_path: Path, now: datetime, allowed: bool) -> None:
    """A just-in-time permit holds until its last millisecond, in whatever zone now is told."""
    authorizer = site(
        tmp_path,
        """permit (principal, action, resource)
           when { context.now < datetime("2025-06-01T12:00:00Z") };""",
    )

    assert authorizer.decide(asked(now=now)).allowed is allowed


def test_the_whole_context_can_be_asked(tmp_path: Path) -> None:
    """Every field of the context arrives as its own type."""
    authorizer = site(
        tmp_path,
        """permit (principal, action, resource) when {
          context has hop && context.hop == 1 && context has initiator && context.initiator == "i"
          && context has workflow && context.workflow == "w" && context has runId
          && context.runId == "r" && context has corroborated && context.corroborated
          && context has authorityAge && context.authorityAge == duration("1m500ms")
          && context has requestDigest && context has approval
          && context.approval.digest == context.requestDigest
          && context.now < context.approval.expires && context has eventType
          && context.eventType like "airflow.*" && context has eventSubject
          && context.eventSubject like "load_*" && context.environment == "prod"
        };""",
    )

    decision = authorizer.decide(
        asked(
            hop=1,
            initiator="i",
            workflow="w",
            runId="r",
            corroborated=True,
            authorityAge=timedelta(minutes=1, milliseconds=500, microseconds=999),
            requestDigest="d",
            approval={"by": "b", "expires": NOON + timedelta(seconds=1), "digest": "d"},
            eventType="airflow.dag_run.succeeded",
            eventSubject="load_orders",
        )
    )

    assert decision == Decision(allowed=True, rules=("shop/1",))


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (asked(action="refesh"), "refesh"),
        (asked(action="submit"), "submit"),
        (asked(resource=Resource(type="Dashboard", id="12")), "Dashboard"),
        (asked(resource=replace(ORDERS, attributes={})), "does not fit the schema: entity"),
        (asked(resource=replace(ORDERS, attributes={"pii": 1})), "entity"),
        (asked(resource=replace(ORDERS, attributes={"pii": False, "x": 1})), "entity"),
        (asked(resource=replace(ORDERS, parent=ORDERS)), "entit"),
        (asked(resource=replace(LOOKER, id="\ud800"), action="read"), "surrogates"),
        (asked(hop="1"), "context"),
        (asked(hop=True), "context"),
        (asked(hop=2**63), "request"),
        (asked(hop=1.5), "request"),
        (asked(hops=1), "hops"),
        (asked(now=None), "request"),
        (asked(now=NOON.replace(tzinfo=None)), "must be aware"),
        (asked(now="soon"), "request"),
        (asked(initiator={1, 2}), "policy cannot be shown"),
        (asked(approval={"by": "x", "expires": NOON}), "digest"),
        (replace(asked(), context={"environment": "prod"}), "now"),
    ],
)
def test_what_cannot_be_decided_is_denied(tmp_path: Path, question: Question, said: str) -> None:
    """A question that does not fit the schema is denied with its error, never raised."""
    authorizer = site(tmp_path, PERMIT)

    decision = authorizer.decide(question)

    assert (decision.allowed, decision.rules) == (False, ())
    assert said in decision.error


def test_a_bug_in_the_question_is_denied(tmp_path: Path) -> None:
    """An exception nobody foresaw denies like any other."""

    class Broken(Mapping[str, object]):
        def __getitem__(self, key: str) -> object:
            raise RuntimeError("broken")

        def __iter__(self) -> Iterator[str]:
            raise RuntimeError("broken")

        def __len__(self) -> int:
            raise RuntimeError("broken")

    decision = site(tmp_path, PERMIT).decide(replace(asked(), context=Broken()))

    assert not decision.allowed
    assert decision.error.endswith("broken")


def test_errors_stay_short(tmp_path: Path) -> None:
    """However long a caller makes the context, the record of its error is not."""
    decision = site(tmp_path, PERMIT).decide(asked(initiator="x" * 100_000, hop="1"))

    assert len(decision.error) == ERROR_CHARS_MAX


def test_what_was_asked_before_does_not_matter(tmp_path: Path) -> None:
    """Questions that only look alike are decided apart: True is not 1, nor one group another."""
    authorizer = site(tmp_path, 'permit (principal in Group::"okta/data", action, resource);')
    as_number = asked(resource=replace(ORDERS, attributes={"pii": 0}))

    assert authorizer.decide(asked()).allowed
    assert authorizer.decide(as_number).error
    assert not authorizer.decide(asked(replace(ANA, groups=frozenset()))).allowed
    assert authorizer.decide(asked(replace(ANA, verified_at=NOON + timedelta(1)))).allowed
