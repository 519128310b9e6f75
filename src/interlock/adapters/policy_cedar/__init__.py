"""Policy decided by Cedar, through cedarpy; nothing else imports it."""

from interlock.adapters.policy_cedar.authorizer import CedarAuthorizer
from interlock.adapters.policy_cedar.policies import Policy, PolicyInvalid, load
from interlock.adapters.policy_cedar.schema import ActionType, ResourceType, schema_text

__all__ = [
    "ActionType",
    "CedarAuthorizer",
    "Policy",
    "PolicyInvalid",
    "ResourceType",
    "load",
    "schema_text",
]
