"""The signature algorithms a token may use: asymmetric ones, each bound to one sort of key.

With a shared secret whoever can check a token can also make one, so HS* is not here; nor is
`none`. The binding is what defeats algorithm confusion (RFC 8725 sections 2.1 and 3.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeySort:
    """The sort of key an algorithm needs: `kty`, and `crv` where the key has a curve."""

    kty: str
    crv: str | None = None


_RSA = KeySort("RSA")
_ED25519 = KeySort("OKP", "Ed25519")

ALGORITHMS: Mapping[str, KeySort] = {
    "RS256": _RSA,
    "RS384": _RSA,
    "RS512": _RSA,
    "PS256": _RSA,
    "PS384": _RSA,
    "PS512": _RSA,
    "ES256": KeySort("EC", "P-256"),
    "ES384": KeySort("EC", "P-384"),
    "ES512": KeySort("EC", "P-521"),
    "EdDSA": _ED25519,  # RFC 8037; Ed448 goes by the same name and is refused by its curve
    "Ed25519": _ED25519,  # RFC 9864, the fully specified name
}
