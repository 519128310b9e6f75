"""Who is asking, proven by an OpenID provider's token.

A token is read strictly (`token`), its issuer chosen by exact `iss` (`issuer`), its key found
(`keyring`, `keys`), its signature and claims checked (`claims`), and only then is there a
principal (`principal`). `verifier` does these in order; `verified` remembers the answer briefly.
Rules: RFC 7515, 7517, 7519, 8725 (best practice), 9068 (access tokens) and OpenID Discovery 1.0.
"""

from interlock.adapters.identity_oidc.issuer import Issuer
from interlock.adapters.identity_oidc.verifier import OidcVerifier

__all__ = ["Issuer", "OidcVerifier"]
