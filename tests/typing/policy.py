"""Cedar fits the port."""

from interlock.adapters.policy_cedar import CedarAuthorizer
from interlock.ports import Authorizer

authorizer: type[Authorizer] = CedarAuthorizer
