"""Tokens that are believed, and the principal that each proves."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from interlock.core.principal import Kind, Principal
from tests.adapters.identity.forge import (
    AUDIENCE,
    EC,
    ED,
    NOW,
    RSA,
    SigningKey,
    claims,
    ec_key,
    token,
)
from tests.adapters.identity.provider import Provider, SetClock, verifier

pytestmark = pytest.mark.anyio

AT = int(NOW.timestamp())
GITHUB = {"sub": ["repo:acme/etl:ref:refs/heads/main", "repo:acme@1/etl@2:ref:refs/heads/main"]}


async def test_a_service_with_its_groups() -> None:
    """A client's own token: Service, named after our name for the issuer, groups likewise."""
    found = await verifier().verify(token())

    assert found == Principal(
        kind=Kind.SERVICE,
        id="okta/airflow-prod",
        groups=frozenset({"okta/data-eng"}),
        verified_at=NOW,
        expires_at=NOW + timedelta(seconds=300),
    )


ALGORITHMS = {
    "RS256": RSA,
    "RS384": SigningKey("k", "RS384", RSA.private),
    "RS512": SigningKey("k", "RS512", RSA.private),
    "PS256": SigningKey("k", "PS256", RSA.private),
    "PS384": SigningKey("k", "PS384", RSA.private),
    "PS512": SigningKey("k", "PS512", RSA.private),
    "ES256": EC,
    "ES384": ec_key("k", ec.SECP384R1(), "ES384"),
    "ES512": ec_key("k", ec.SECP521R1(), "ES512"),
    "EdDSA": ED,
    "Ed25519": SigningKey("k", "Ed25519", ED.private),
}


@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_every_algorithm_of_the_list_works(alg: str) -> None:
    """Each asymmetric algorithm verifies with the key published for it."""
    key = ALGORITHMS[alg]

    found = await verifier(Provider(key)).verify(token(key=key))

    assert found.id == "okta/airflow-prod"


BELIEVED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "aud in a list": (claims(aud=["https://other.example", AUDIENCE]), {}, {}),
    "just within the leeway of exp": (claims(exp=AT - 29), {}, {}),
    "just within the leeway of nbf": (claims(iat=AT + 30, nbf=AT + 30), {}, {}),
    "no nbf": (claims(nbf=None), {}, {}),
    "times with a fraction": (claims(iat=AT + 0.5, exp=AT + 60.5), {}, {}),
    "Kubernetes' 3607 seconds": (claims(exp=AT + 3_607), {}, {}),
    "scp as a list (Okta)": (claims(scope=None, scp=["submit"]), {}, {}),
    "scp as a text (Entra)": (claims(scope=None, scp="submit x"), {}, {}),
    "typ with application/": (claims(), {"typ": "application/at+jwt"}, {}),
    "typ in capitals": (claims(), {"typ": "AT+JWT"}, {}),
    "no typ, as Kubernetes": (claims(), {"typ": None}, {"typ": None}),
    "typ JWT, as Google": (claims(), {"typ": "JWT"}, {"typ": "JWT"}),
    "an unknown header member": (claims(), {"x5t": "abc"}, {}),
    "a required claim": (claims(hd="acme.example"), {}, {"required_claims": {"hd": "acme.example"}}),
    "a required truth": (claims(email_verified=True), {}, {"required_claims": {"email_verified": True}}),
    "no scopes required": (claims(scope=None), {}, {"required_scopes": []}),
    "a longer lifetime allowed": (claims(exp=AT + 86_400), {}, {"max_lifetime": timedelta(days=1)}),
    "keys without discovery": (claims(), {}, {"jwks_url": "https://keys.example/jwks"}),
}  # fmt: skip


@pytest.mark.parametrize("row", BELIEVED)
async def test_what_providers_really_send_is_believed(row: str) -> None:
    """Shapes that the specifications allow and that known providers use."""
    says, header, profile = BELIEVED[row]

    found = await verifier(**profile).verify(token(says, **header))

    assert found.id == "okta/airflow-prod"


@pytest.mark.parametrize("sub", GITHUB["sub"])
async def test_either_form_of_a_required_claim_will_do(sub: str) -> None:
    """GitHub changed the form of `sub` in 2026: a profile lists both."""
    found = await verifier(required_claims=GITHUB).verify(token(claims(sub=sub)))

    assert found.id == f"okta/{sub}"


KINDS: dict[str, tuple[dict[str, Any], str, Kind]] = {
    "a person": ({"sub": "alice", "client_id": "cli"}, "auto", Kind.USER),
    "no client named": ({"sub": "alice", "client_id": None}, "auto", Kind.USER),
    "sub is the client_id": ({}, "auto", Kind.SERVICE),
    "sub is the azp": ({"client_id": None, "azp": "airflow-prod"}, "auto", Kind.SERVICE),
    "sub is the cid (Okta)": ({"client_id": None, "cid": "airflow-prod"}, "auto", Kind.SERVICE),
    "gty (Auth0)": ({"sub": "x@clients", "gty": "client-credentials"}, "auto", Kind.SERVICE),
    "idtyp (Entra)": ({"sub": "0-1-2", "idtyp": "app"}, "auto", Kind.SERVICE),
    "users by profile": ({}, "user", Kind.USER),
    "services by profile": ({"sub": "alice"}, "service", Kind.SERVICE),
    "agents by profile": ({"sub": "alice"}, "agent", Kind.AGENT),
}


@pytest.mark.parametrize("row", KINDS)
async def test_the_kind_follows_from_the_token_or_the_profile(row: str) -> None:
    """A client's own token is a Service, another's a User, unless the profile says what it is."""
    changes, kind, expected = KINDS[row]

    found = await verifier(kind=kind).verify(token(claims(**changes)))

    assert found.kind is expected


async def test_an_issuer_without_a_groups_claim_gives_none() -> None:
    """Groups come only from the claim that the profile names."""
    found = await verifier(groups_claim=None).verify(token(claims(groups=["admins"])))

    assert found.groups == frozenset()


@pytest.mark.parametrize("says", [claims(groups=None), claims() | {"groups": None}])
async def test_a_token_without_groups_has_none(says: dict[str, object]) -> None:
    """A groups claim that is missing or null is nobody's membership, not a fault."""
    found = await verifier().verify(token(says))

    assert found.groups == frozenset()


@pytest.mark.parametrize(("kind", "expected"), [("auto", Kind.SERVICE), ("agent", Kind.AGENT)])
async def test_an_actor_acts_for_the_subject(kind: str, expected: Kind) -> None:
    """RFC 8693: the outermost actor calls; the subject comes last and alone has the groups."""
    says = claims(sub="alice", client_id="bot", act={"sub": "bot", "act": {"sub": "portal"}})

    caller = await verifier(kind=kind).verify(token(says))

    assert (caller.kind, caller.id, caller.groups) == (expected, "okta/bot", frozenset())
    portal = caller.acting_for
    assert portal is not None
    assert (portal.kind, portal.id) == (Kind.SERVICE, "okta/portal")
    alice = portal.acting_for
    assert alice is not None
    assert (alice.kind, alice.id, alice.groups) == (
        Kind.USER,
        "okta/alice",
        frozenset({"okta/data-eng"}),
    )


async def test_the_end_of_the_token_is_the_end_of_the_principal() -> None:
    """`expires_at` is `exp`, without the leeway."""
    found = await verifier(clock=SetClock()).verify(token(claims(exp=AT + 60)))

    assert found.expires_at == datetime.fromtimestamp(AT + 60, UTC)
