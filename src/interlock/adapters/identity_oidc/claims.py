"""What a token's claims must say before anything else reads them.

This is the only place that makes VerifiedClaims. The signature comes first: until it holds, the
claims are a stranger's. RFC 7519 section 4.1, RFC 8725 section 3, RFC 9068 section 4.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from interlock.adapters.identity_oidc.issuer import Issuer, Scalar
from interlock.adapters.identity_oidc.keys import PublicKey
from interlock.adapters.identity_oidc.token import Token
from interlock.core.errors import NotIdentified
from interlock.core.principal import VerifiedClaims

SUBJECT_CHARS_MAX = 1_024  # OpenID allows 255; an AWS role with its path can be longer
DATE_MAX = 253_402_300_799  # the last second of the year 9999: what a datetime can hold


def verify_claims(token: Token, key: PublicKey, issuer: Issuer, now: datetime) -> VerifiedClaims:
    """The token's claims, signed by `key` and within `issuer`'s profile at `now`.

    Raises NotIdentified with the first fault found.
    """
    assert token.claims["iss"] == issuer.url, "the issuer is chosen by the token's exact `iss`"
    if not key.signed(token):
        raise NotIdentified(f"{issuer.name}: the signature does not hold")
    for fault in _faults(token, issuer, now.timestamp()):
        raise NotIdentified(f"{issuer.name}: {fault}")
    return VerifiedClaims(token.claims)


def is_name(value: object) -> bool:
    """Whether it can be part of an id: text, not empty, printable, of sane length."""
    return isinstance(value, str) and 0 < len(value) <= SUBJECT_CHARS_MAX and value.isprintable()


def _faults(token: Token, issuer: Issuer, now: float) -> Iterator[str]:
    claims = token.claims
    if _media_type(token.typ) != _media_type(issuer.typ):
        yield "`typ` is not this issuer's"
    if issuer.audience not in _texts(claims.get("aud")):
        yield "`aud` does not name us"
    if not is_name(claims.get("sub")):
        yield "`sub` is missing or not a name"
    yield from _time_faults(claims, issuer, now)
    if not set(issuer.required_scopes) <= _scopes(claims):
        yield "a required scope is missing"
    for name, allowed in issuer.required_claims.items():
        if not _is_one_of(claims.get(name), allowed):
            yield f"required claim `{name}` differs"


def _time_faults(claims: Mapping[str, object], issuer: Issuer, now: float) -> Iterator[str]:
    leeway = issuer.leeway.total_seconds()
    exp, iat = _date(claims.get("exp")), _date(claims.get("iat"))
    nbf = _date(claims["nbf"]) if "nbf" in claims else iat
    if exp is None or iat is None or nbf is None:
        yield "`exp`, `iat` or `nbf` is not a date"
        return
    if now >= exp + leeway:
        yield "it has expired"
    if max(iat, nbf) > now + leeway:
        yield "it is not valid yet"
    if exp - iat > issuer.max_lifetime.total_seconds() + leeway:
        yield "it lives longer than `max_lifetime`"


def _date(value: object) -> float | None:
    """A NumericDate (RFC 7519 section 2), or None. True is a number to Python, not to JSON."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value <= DATE_MAX else None


def _texts(value: object) -> Collection[str]:
    """`aud` as a list: one text, or a list of nothing but text (RFC 7519 section 4.1.3)."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(text, str) for text in value):
        return value
    return []


def _scopes(claims: Mapping[str, object]) -> frozenset[str]:
    """Granted scopes: `scope` (RFC 9068) or, at Okta and Entra, `scp`; a text or a list."""
    granted = claims.get("scope", claims.get("scp"))
    return frozenset(granted.split(" ") if isinstance(granted, str) else _texts(granted))


def _is_one_of(found: object, allowed: Scalar | Collection[Scalar]) -> bool:
    """Equal in value and in type: 1 is not true, as it would be to Python."""
    choices = [allowed] if isinstance(allowed, str | int) else allowed
    return any(type(found) is type(choice) and found == choice for choice in choices)


def _media_type(typ: str | None) -> str | None:
    """RFC 7515 section 4.1.9: case does not matter and `application/` may be left out."""
    return None if typ is None else typ.lower().removeprefix("application/")
