"""A trust profile: one OpenID provider, and what its tokens must say to be believed here."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from interlock.adapters.identity_oidc.algorithms import ALGORITHMS

LEEWAY_MAX = timedelta(seconds=30)  # clocks kept by NTP differ by less than a second
LIFETIME_DEFAULT = timedelta(hours=1)  # what Google, Kubernetes, Okta and AWS hand out by default

Scalar: TypeAlias = str | int | bool
"""What a required claim can be compared with: JSON text, a whole number, true or false."""

_NAME = re.compile(r"[a-z0-9-]+", re.ASCII)
_DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """One issuer. Raises ValueError when made, naming the field that is empty or wrong.

    Attributes:
        name: ours for it, `[a-z0-9-]`; the first part of every principal's and group's id.
        url: its `iss`, compared exactly.
        audience: what `aud` must be, or contain.
        algorithms: those it may sign with; a subset of ALGORITHMS.
        required_scopes: all must be granted. A provider may drop an unknown scope silently and
            still answer 200, so that asking for one proves nothing.
        required_claims: claim to the exact value, or to the values of which it must be one.
        groups_claim: the claim that lists groups; None when this issuer may give none.
        kind: what its subjects are; "auto" is Service for a client's own token, else User.
        max_lifetime: the longest `exp - iat` believed.
        typ: what the header's `typ` must be, with or without `application/`: "at+jwt" keeps ID
            tokens out (RFC 9068), "JWT" for Google and Keycloak, None where the provider sends
            none (Kubernetes) - then there must be none.
        leeway: how far its clock may differ from ours, at most 30 s.
        jwks_url: where its keys are; None to ask its discovery document.
    """

    name: str
    url: str
    audience: str
    algorithms: Collection[str] = frozenset(ALGORITHMS)
    required_scopes: Collection[str] = ()
    required_claims: Mapping[str, Scalar | Collection[Scalar]] = field(
        default_factory=dict[str, Scalar | Collection[Scalar]]
    )
    groups_claim: str | None = None
    kind: Literal["auto", "user", "service", "agent"] = "auto"
    max_lifetime: timedelta = LIFETIME_DEFAULT
    typ: str | None = "at+jwt"
    leeway: timedelta = LEEWAY_MAX
    jwks_url: str | None = None

    def __post_init__(self) -> None:
        for fault in (*self._empty_fields(), *self._wrong_fields()):
            raise ValueError(f"issuer {self.name or '?'}: {fault}")

    def _empty_fields(self) -> Iterator[str]:
        for name in ("name", "url", "audience", "algorithms"):
            if not getattr(self, name):
                yield f"{name} is empty"
        for claim, allowed in self.required_claims.items():
            if isinstance(allowed, Collection) and not allowed:
                yield f"required_claims: {claim} is empty"

    def _wrong_fields(self) -> Iterator[str]:
        if _NAME.fullmatch(self.name) is None:
            yield "name may hold only a-z, 0-9 and -"
        if unknown := set(self.algorithms) - ALGORITHMS.keys():
            yield f"algorithms: {sorted(unknown)} not in {sorted(ALGORITHMS)}"
        if isinstance(self.required_scopes, str):
            yield "required_scopes is a text, not a list of texts"
        if not timedelta() <= self.leeway <= LEEWAY_MAX:
            yield f"leeway is outside 0 to {LEEWAY_MAX.total_seconds():g} s"
        if self.max_lifetime <= timedelta():
            yield "max_lifetime is not positive"
        if not may_fetch(self.jwks_url or self.discovery_url, loopback=True):
            yield "its keys are neither on https nor on loopback; see url and jwks_url"

    @property
    def discovery_url(self) -> str:
        """Where OpenID Discovery 1.0 section 4.1 puts this issuer's document."""
        return self.url.rstrip("/") + _DISCOVERY

    @property
    def on_loopback(self) -> bool:
        """Whether the issuer lives on this machine, where plain http is no risk."""
        return _is_loopback(self.url)


def may_fetch(url: str, *, loopback: bool) -> bool:
    """Whether keys may come from `url`: https, or http where `loopback` is meant and it is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    return loopback and parts.scheme == "http" and _is_loopback(url)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
