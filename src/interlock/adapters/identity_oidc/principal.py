"""A principal, made from claims that were verified and from nothing else."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from interlock.adapters.identity_oidc.claims import is_name
from interlock.adapters.identity_oidc.issuer import Issuer
from interlock.core.errors import NotIdentified
from interlock.core.principal import Kind, Principal, VerifiedClaims

ACTORS_MAX = 4  # longer chains of "acting for" are a mistake or a loop
GROUPS_MAX = 1_000  # what a 16 KiB token can hold; a list beyond is not a person's

_CLIENT_CLAIMS = ("client_id", "azp", "cid")  # RFC 9068; OpenID Connect; Okta
_CLIENT_MARKS = (("gty", "client-credentials"), ("idtyp", "app"))  # Auth0; Entra


def principal(claims: VerifiedClaims, issuer: Issuer, now: datetime) -> Principal:
    """Who the claims prove, as known at `now`.

    With an `act` claim (RFC 8693 section 4.1) the caller is the outermost actor; it acts for the
    actor inside, and so on to the subject, who keeps the groups. An actor gets none of them.
    Raises NotIdentified if the groups or the chain are not what their RFC says.
    """
    expires_at = datetime.fromtimestamp(cast("float", claims["exp"]), UTC)
    actors = _actors(claims, issuer)
    caller = Principal(
        kind=_kind(claims, issuer, delegated=bool(actors)),
        id=f"{issuer.name}/{claims['sub']}",
        groups=_groups(claims, issuer),
        verified_at=now,
        expires_at=expires_at,
    )
    for position, actor in enumerate(reversed(actors), start=1):
        outermost = position == len(actors)
        caller = Principal(
            kind=_named_kind(issuer, Kind.SERVICE) if outermost else Kind.SERVICE,
            id=f"{issuer.name}/{actor}",
            verified_at=now,
            expires_at=expires_at,
            acting_for=caller,
        )
    return caller


def _kind(claims: VerifiedClaims, issuer: Issuer, *, delegated: bool) -> Kind:
    """The subject's kind. A profile's own `kind` speaks of the caller, not of whom it acts for."""
    by_client = any(claims.get(name) == claims["sub"] for name in _CLIENT_CLAIMS)
    marked = any(claims.get(name) == mark for name, mark in _CLIENT_MARKS)
    guess = Kind.SERVICE if by_client or marked else Kind.USER
    return guess if delegated else _named_kind(issuer, guess)


def _named_kind(issuer: Issuer, otherwise: Kind) -> Kind:
    return otherwise if issuer.kind == "auto" else Kind(issuer.kind.capitalize())


def _groups(claims: VerifiedClaims, issuer: Issuer) -> frozenset[str]:
    listed = claims.get(issuer.groups_claim) if issuer.groups_claim else None
    if listed is None:  # some providers write null for "none"
        return frozenset()
    if not isinstance(listed, list) or not all(is_name(group) for group in listed):
        raise NotIdentified(f"{issuer.name}: `{issuer.groups_claim}` is not a list of names")
    if len(listed) > GROUPS_MAX:
        raise NotIdentified(f"{issuer.name}: more than {GROUPS_MAX} groups")
    return frozenset(f"{issuer.name}/{group}" for group in listed)


def _actors(claims: VerifiedClaims, issuer: Issuer) -> list[str]:
    """The subjects of the `act` chain, outermost (the caller) first."""
    found: list[str] = []
    inner: Mapping[str, object] = claims
    while "act" in inner:
        actor = inner["act"]
        if not isinstance(actor, dict) or not is_name(actor.get("sub")):
            raise NotIdentified(f"{issuer.name}: `act` names nobody")
        if actor.get("iss", issuer.url) != issuer.url:
            raise NotIdentified(f"{issuer.name}: `act` speaks for another issuer")
        if len(found) == ACTORS_MAX:
            raise NotIdentified(f"{issuer.name}: more than {ACTORS_MAX} actors")
        found.append(actor["sub"])
        inner = actor
    return found
