"""A small site to ask policy about: one Looker target, one source, a few principals."""

from datetime import UTC, datetime
from pathlib import Path

from interlock.adapters.policy_cedar import (
    ActionType,
    CedarAuthorizer,
    ResourceType,
    load,
    schema_text,
)
from interlock.core.decision import Question, Resource
from interlock.core.principal import Kind, Principal

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
SCHEMA = schema_text(
    [
        ResourceType(name="Model", parents=("Target",)),
        ResourceType(name="Explore", parents=("Model",), attributes={"pii": "Bool"}),
    ],
    [ActionType(name="refresh", resources=("Model", "Explore"))],
)
LOOKER = Resource(type="Target", id="looker-prod", attributes={"owner": "analytics"})
SHOP = Resource(type="Model", id="looker-prod/shop", parent=LOOKER)
ORDERS = Resource(
    type="Explore", id="looker-prod/shop::orders", attributes={"pii": False}, parent=SHOP
)
ANA = Principal(
    kind=Kind.USER, id="okta/ana", groups=frozenset({"okta/data", "okta/staff"}), verified_at=NOON
)
ANAS_AGENT = Principal(kind=Kind.AGENT, id="okta/bot", verified_at=NOON, acting_for=ANA)


def asked(
    principal: Principal = ANA,
    action: str = "refresh",
    resource: Resource = ORDERS,
    **context: object,
) -> Question:
    """A question, at noon in prod unless `context` says otherwise."""
    things = {"now": NOON, "environment": "prod", **context}
    return Question(principal=principal, action=action, resource=resource, context=things)


def site(folder: Path, text: str) -> CedarAuthorizer:
    """The authorizer of a site with these policies, in the one file `shop.cedar`."""
    (folder / "shop.cedar").write_text(text)
    return CedarAuthorizer(load(folder, SCHEMA), SCHEMA)
