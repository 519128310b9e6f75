"""How this Airflow proves who it is: a short token, from a file or from a token endpoint."""

import re
import secrets
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlencode

from airflow_provider_interlock._clock import now
from airflow_provider_interlock._http import Answer, NotSent, exchange

TOKEN_BYTES_MAX = 16_384  # the gateway refuses longer ones
B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 2.1; nothing else is a bearer token
EXPIRY_MARGIN = timedelta(seconds=30)  # clocks differ, and a request takes a while
ASSERTION_LIFE = timedelta(seconds=60)  # used once, at once (RFC 7523 section 3)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Credential(Protocol):
    """Makes the bearer token of one request."""

    def token(self, *, fresh: bool) -> str:
        """Return a token, masked in every log; `fresh` asks for one not used before, if it can.

        Raises:
            NotSent: there is no token to be had now. The text says what to look at.
        """


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A workload identity token. The platform rotates it, so it is read at every use."""

    path: Path

    def token(self, *, fresh: bool) -> str:  # noqa: ARG002 - each reading is the freshest there is
        """Return what the file holds now."""
        try:
            with self.path.open(encoding="ascii", errors="replace") as file:
                text = file.read(TOKEN_BYTES_MAX + 1).strip()
        except OSError as err:
            raise NotSent(f"token_file: {err}") from err
        if not text or len(text) > TOKEN_BYTES_MAX:
            raise NotSent(f"token_file: {self.path} is empty or over {TOKEN_BYTES_MAX} bytes")
        return _bearer(text, f"token_file: {self.path}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKey:
    """`private_key_jwt` (OpenID Connect Core, section 9): the key signs and stays on this host."""

    client_id: str
    key_file: Path
    key_id: str | None = None

    def prove(self, token_url: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return the form fields and headers that authenticate the client at `token_url`."""
        import jwt

        issued = now()
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": token_url,
            "jti": secrets.token_urlsafe(),
            "iat": issued,
            "exp": issued + ASSERTION_LIFE,
        }
        headers = {"kid": self.key_id} if self.key_id else None
        try:
            pem = self.key_file.read_bytes()
            assertion = jwt.encode(claims, pem, _algorithm(pem), headers)
        except (OSError, ValueError, TypeError, jwt.PyJWTError) as err:
            raise NotSent(f"key_file: {self.key_file} gives no signature: {err}") from err
        proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        return {"client_id": self.client_id, **proof}, {}


def _algorithm(pem: bytes) -> str:
    """Return the JWS algorithm that goes with a private key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    match load_pem_private_key(pem, password=None):
        case rsa.RSAPrivateKey():
            return "RS256"
        case ec.EllipticCurvePrivateKey(curve=ec.SECP256R1()):
            return "ES256"
        case ed25519.Ed25519PrivateKey():
            return "EdDSA"
        case _:
            raise ValueError("use an RSA, P-256 or Ed25519 key")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecret:
    """`client_secret_basic`, for identity providers that know nothing better."""

    client_id: str
    secret: str = field(repr=False)

    def prove(self, token_url: str) -> tuple[dict[str, str], dict[str, str]]:  # noqa: ARG002
        """Return the form fields and headers that authenticate the client."""
        # RFC 6749 2.3.1: both are form-encoded before they are joined.
        pair = f"{quote(self.client_id, safe='')}:{quote(masked(self.secret), safe='')}"
        return {}, {"Authorization": "Basic " + masked(b64encode(pair.encode()).decode())}


@dataclass(slots=True, kw_only=True)
class ClientCredentials:
    """Access tokens from a token endpoint (RFC 6749 section 4.4), kept until just before expiry."""

    token_url: str
    client: PrivateKey | ClientSecret
    scope: str | None = None
    resource: str | None = None
    clock: Callable[[], datetime] = now
    _token: str = field(default="", init=False, repr=False)
    _until: datetime | None = field(default=None, init=False)

    def token(self, *, fresh: bool) -> str:
        """Return the kept token, or a new one."""
        if fresh or self._until is None or self.clock() >= self._until:
            self._token, life = self._fetch()
            self._until = self.clock() + life - EXPIRY_MARGIN
        return self._token

    def _fetch(self) -> tuple[str, timedelta]:
        fields, headers = self.client.prove(self.token_url)
        wanted = {
            "grant_type": "client_credentials",
            "scope": self.scope,
            "resource": self.resource,
        }
        form = {name: value for name, value in {**wanted, **fields}.items() if value}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return _granted(exchange(self.token_url, headers, urlencode(form).encode()))


def _granted(answer: Answer) -> tuple[str, timedelta]:
    """Read a token response (RFC 6749 section 5). Without `expires_in` the token is used once."""
    said = answer.members()
    token, life = said.get("access_token"), said.get("expires_in", 0)
    if answer.status == 200 and isinstance(token, str) and token and isinstance(life, int):  # noqa: PLR2004
        return _bearer(token, "token_url: access_token"), timedelta(seconds=life)
    raise NotSent(
        f"token_url: no token (HTTP {answer.status}, {said.get('error', 'no reason given')})"
    )


def _bearer(text: str, where: str) -> str:
    """Return a token, masked.

    Raises:
        NotSent: it is none. The text says where it was read, never what.
    """
    if not B64TOKEN.fullmatch(text):
        raise NotSent(
            f"{where} is not one bearer token (RFC 6750: letters, digits and -._~+/, then =); "
            "look for a line break, or for more than one"
        )
    return masked(text)


def masked(secret: str) -> str:
    """Return `secret`, once no log of this process can show it."""
    from airflow.sdk.log import mask_secret

    mask_secret(secret)
    return secret
