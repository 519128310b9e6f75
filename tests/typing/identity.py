"""The verifier fits its port; mypy is the test."""

from interlock.adapters.identity_oidc import OidcVerifier
from interlock.ports import Verifier

verifier: type[Verifier] = OidcVerifier
