"""A token as it arrives: well-formed, and not believed in any way."""

from collections.abc import Mapping
from dataclasses import dataclass

from interlock.adapters.identity_oidc.encoding import base64url, json_object
from interlock.core.errors import NotIdentified

TOKEN_BYTES_MAX = 16_384  # the largest whole header line that common proxies let through

FORBIDDEN_HEADERS = frozenset({"b64", "crit", "jku", "jwk", "x5c", "x5u", "zip"})
"""A token may not name its own key (`jku jwk x5c x5u`), ask for rules we lack (`crit b64`) or
expand (`zip`)."""


@dataclass(frozen=True, slots=True)
class Token:
    """The parts of a compact JWS (RFC 7515 section 3.1), decoded once.

    Attributes:
        alg: the algorithm that it claims.
        kid: the key that it claims.
        typ: the media type that it claims, if any.
        claims: what it says.
        signed: the bytes its signature covers.
        signature: the signature's bytes.
    """

    alg: str
    kid: str
    typ: str | None
    claims: Mapping[str, object]
    signed: bytes
    signature: bytes


def read_token(text: str) -> Token:
    """Take a compact JWS apart. Raises NotIdentified; the detail never quotes the token."""
    if len(text) > TOKEN_BYTES_MAX:
        raise NotIdentified(f"the token is over {TOKEN_BYTES_MAX} bytes")
    parts = text.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        raise NotIdentified("the token is not three parts")
    try:
        header, claims = (json_object(base64url(part)) for part in parts[:2])
        signature = base64url(parts[2])
    except ValueError as err:
        raise NotIdentified(f"the token is malformed: {_reason(err)}") from None
    if FORBIDDEN_HEADERS & header.keys():
        raise NotIdentified("the token's header has a forbidden member")
    alg, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
    if not isinstance(alg, str) or not isinstance(kid, str) or not kid:
        raise NotIdentified("the token's header lacks `alg` or `kid`")
    if not isinstance(typ, str | None) or (typ is None and "typ" in header):
        raise NotIdentified("the token's `typ` is not text")
    signed = f"{parts[0]}.{parts[1]}".encode("ascii")
    return Token(alg, kid, typ, claims, signed, signature)


def _reason(err: ValueError) -> str:
    """Our own words for it: the text of a decoder's error may quote what it decoded."""
    return str(err) if type(err) is ValueError else "not UTF-8 JSON"
