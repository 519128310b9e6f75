"""Interlock as an OpenID issuer: short tokens that clouds and services trade or trust.

Whoever is to believe them needs the two documents, `discovery` at the issuer's url plus
DISCOVERY_PATH and `jwks` at its url plus JWKS_PATH. Shapes: OpenID Discovery 1.0 and RFC 7517;
the members are those that Kubernetes publishes, which AWS STS and Google accept.
"""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from interlock.core.event import Json
from interlock.ports import Clock

DISCOVERY_PATH = "/.well-known/openid-configuration"
JWKS_PATH = "/.well-known/jwks.json"

LIFETIME_MAX = timedelta(hours=1)  # a token is for one use; clouds hand out no longer ones either
REUSED_UNTIL = 0.8  # of its life; the rest is the receiver's to use it in
MINTED_MAX = 1_024  # tokens kept for reuse; about 1 KiB each
RSA_BITS_MIN = 2_048  # NIST SP 800-131A revision 2

_OURS = frozenset({"aud", "exp", "iat", "iss", "jti", "nbf", "sub"})


class OidcIssuer:
    """Signs as `url` with one private key, PEM without a password: RSA (RS256) or P-256 (ES256).

    Raises ValueError when made, if the url is not https (or loopback) or the key is neither.
    """

    def __init__(self, url: str, private_key: bytes, clock: Clock) -> None:
        parts = urlsplit(url)
        local = parts.hostname in {"127.0.0.1", "::1", "localhost"}
        if parts.scheme != "https" and not (local and parts.scheme == "http"):
            raise ValueError("issuer: url is neither https nor on loopback")
        self.url = url
        self._clock = clock
        self._key, self._alg = _signing_key(private_key)
        self._kid = self._key.thumbprint()  # RFC 7638: the same key has the same name everywhere
        self._minted: dict[str, tuple[str, datetime]] = {}

    def mint(
        self, audience: str, subject: str, claims: Mapping[str, Json], lifetime: timedelta
    ) -> str:
        """A token for `audience` about `subject`, with further `claims`.

        The same request again gives the same token until REUSED_UNTIL of its life. Raises
        ValueError if audience or subject is empty, `claims` names one of ours (`iss`, `exp`...),
        or the lifetime is not within LIFETIME_MAX.
        """
        _check(audience, subject, claims, lifetime)
        now = self._clock.now()
        wanted = json.dumps([audience, subject, dict(claims), str(lifetime)], sort_keys=True)
        token, until = self._minted.pop(wanted, ("", now))
        if now >= until:
            token, until = self._sign(audience, subject, claims, now, lifetime)
        while len(self._minted) >= MINTED_MAX:
            del self._minted[next(iter(self._minted))]
        self._minted[wanted] = (token, until)
        return token

    def discovery(self) -> dict[str, Json]:
        """The document that says where the keys are."""
        return {
            "issuer": self.url,
            "jwks_uri": self.url.rstrip("/") + JWKS_PATH,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self._alg],
        }

    def jwks(self) -> dict[str, Json]:
        """The public key, as a set of one."""
        named = {"kid": self._kid, "use": "sig", "alg": self._alg}
        public = cast("dict[str, Json]", self._key.as_dict(private=False, **named))
        return {"keys": [public]}

    def _sign(
        self,
        audience: str,
        subject: str,
        claims: Mapping[str, Json],
        now: datetime,
        lifetime: timedelta,
    ) -> tuple[str, datetime]:
        """A new token, and when to stop handing it out."""
        issued = int(now.timestamp())
        says = {
            **claims,
            "iss": self.url,
            "aud": audience,
            "sub": subject,
            "iat": issued,
            "nbf": issued,
            "exp": issued + int(lifetime.total_seconds()),
            "jti": secrets.token_urlsafe(16),
        }
        header = {"alg": self._alg, "kid": self._kid, "typ": "JWT"}
        token = jwt.encode(header, says, self._key, algorithms=[self._alg])
        return token, now + lifetime * REUSED_UNTIL


def _check(audience: str, subject: str, claims: Mapping[str, Json], lifetime: timedelta) -> None:
    if not audience or not subject:
        raise ValueError("issuer: audience or subject is empty")
    if taken := _OURS & claims.keys():
        raise ValueError(f"issuer: claims may not name {sorted(taken)}")
    if not timedelta(seconds=1) <= lifetime <= LIFETIME_MAX:
        raise ValueError(f"issuer: lifetime is outside 1 s to {LIFETIME_MAX}")


def _signing_key(pem: bytes) -> tuple[RSAKey | ECKey, str]:
    """The key and its algorithm. The errors quote nothing of the key."""
    try:
        private = load_pem_private_key(pem, password=None)
    except (TypeError, ValueError):
        raise ValueError("issuer: key is not an unencrypted PEM private key") from None
    if isinstance(private, RSAPrivateKey) and private.key_size >= RSA_BITS_MIN:
        return RSAKey.import_key(private), "RS256"
    if isinstance(private, EllipticCurvePrivateKey) and isinstance(private.curve, SECP256R1):
        return ECKey.import_key(private), "ES256"
    raise ValueError(f"issuer: key is neither RSA of {RSA_BITS_MIN} bits or more nor P-256")
