"""Our own issuer: what it signs, others can check, and it gives away nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from interlock.adapters import issuer as issuer_file
from interlock.adapters.identity_oidc import Issuer, OidcVerifier
from interlock.adapters.issuer import JWKS_PATH, OidcIssuer
from tests.adapters.identity.provider import Provider, SetClock

URL = "https://interlock.example/issuer"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTES = timedelta(minutes=10)


def pem(private: Any, password: bytes | None = None) -> bytes:
    """A private key as a file holds it."""
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))


RSA_PEM = pem(rsa.generate_private_key(65_537, 2_048))
EC_PEM = pem(ec.generate_private_key(ec.SECP256R1()))


def made(key: bytes = EC_PEM, clock: SetClock | None = None) -> OidcIssuer:
    """An issuer at NOW."""
    return OidcIssuer(URL, key, clock or SetClock(NOW))


@pytest.mark.parametrize(("key", "alg"), [(RSA_PEM, "RS256"), (EC_PEM, "ES256")])
def test_others_can_check_what_it_signs(key: bytes, alg: str) -> None:
    """An independent library verifies the token with the published key and reads the claims."""
    issuer = made(key)
    (published,) = jwt.PyJWKSet.from_dict(issuer.jwks()).keys

    token = issuer.mint("sts.amazonaws.com", "interlock:acme:retrain", {"event": "e-1"}, MINUTES)

    says = jwt.decode(
        token,
        published,
        algorithms=[alg],
        audience="sts.amazonaws.com",
        issuer=URL,
        options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
    )
    assert (says["sub"], says["event"]) == ("interlock:acme:retrain", "e-1")
    assert (says["iat"], says["exp"]) == (NOW.timestamp(), (NOW + MINUTES).timestamp())
    assert jwt.get_unverified_header(token)["kid"] == published.key_id


@pytest.mark.anyio
async def test_our_own_verifier_believes_it() -> None:
    """Another Interlock, given the two documents, takes the token as a Service's."""
    issuer = made()
    provider = Provider()
    documents = {
        f"{URL}/.well-known/openid-configuration": issuer.discovery(),
        f"{URL}{JWKS_PATH}": issuer.jwks(),
    }
    provider.elsewhere.update(documents)
    profile = Issuer(name="peer", url=URL, audience="b", typ="JWT", kind="service")

    found = await OidcVerifier([profile], provider, SetClock(NOW)).verify(
        issuer.mint("b", "interlock:acme:b", {}, MINUTES)
    )

    assert str(found) == 'Service::"peer/interlock:acme:b"'


def test_the_documents_hold_no_secret() -> None:
    """What is published has the public numbers only, under the RFC 7638 thumbprint."""
    document: Any = made(RSA_PEM).jwks()

    assert [set(key) for key in document["keys"]] == [{"kty", "n", "e", "kid", "use", "alg"}]
    assert made(RSA_PEM).jwks() == made(RSA_PEM).jwks()


def test_a_token_is_reused_for_most_of_its_life() -> None:
    """The same request gives the same token up to 80 % of its life, then a new one."""
    clock = SetClock(NOW)
    issuer = made(clock=clock)
    first = issuer.mint("a", "s", {}, MINUTES)
    clock.at = NOW + MINUTES * 0.79
    again = issuer.mint("a", "s", {}, MINUTES)
    clock.at = NOW + MINUTES * 0.8

    assert again == first
    assert issuer.mint("a", "s", {}, MINUTES) != first


def test_another_request_gets_another_token() -> None:
    """Audience, subject, claims and lifetime each make it another token."""
    issuer = made()
    tokens = {
        issuer.mint("a", "s", {}, MINUTES),
        issuer.mint("b", "s", {}, MINUTES),
        issuer.mint("a", "t", {}, MINUTES),
        issuer.mint("a", "s", {"x": 1}, MINUTES),
        issuer.mint("a", "s", {}, MINUTES / 2),
    }

    assert len(tokens) == 5


def test_the_memory_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit the token least lately used makes room."""
    monkeypatch.setattr(issuer_file, "MINTED_MAX", 2)
    issuer = made()
    first = {name: issuer.mint(name, "s", {}, MINUTES) for name in "ab"}
    issuer.mint("a", "s", {}, MINUTES)
    issuer.mint("c", "s", {}, MINUTES)

    assert issuer.mint("a", "s", {}, MINUTES) == first["a"]
    assert issuer.mint("b", "s", {}, MINUTES) != first["b"]


WRONG: dict[str, tuple[tuple[Any, ...], str]] = {
    "no audience": (("", "s", {}, MINUTES), "empty"),
    "no subject": (("a", "", {}, MINUTES), "empty"),
    "a claim that is ours": (("a", "s", {"iss": "evil"}, MINUTES), "iss"),
    "a lifetime too long": (("a", "s", {}, timedelta(hours=2)), "lifetime"),
    "no lifetime": (("a", "s", {}, timedelta()), "lifetime"),
}


@pytest.mark.parametrize("row", WRONG)
def test_a_wrong_request_is_told(row: str) -> None:
    """A token that should not exist is not made; the message names what is wrong."""
    request, named = WRONG[row]

    with pytest.raises(ValueError, match=named):
        made().mint(*request)


KEYS = {
    "not PEM": b"secret",
    "a password": pem(ec.generate_private_key(ec.SECP256R1()), b"x"),
    "RSA of 1024 bits": pem(rsa.generate_private_key(65_537, 1_024)),
    "P-384": pem(ec.generate_private_key(ec.SECP384R1())),
    "Ed25519": pem(ed25519.Ed25519PrivateKey.generate()),
}


@pytest.mark.parametrize("row", KEYS)
def test_a_key_it_cannot_use_is_refused(row: str) -> None:
    """At start-up, and without a word of the key in the message."""
    with pytest.raises(ValueError, match="issuer: key is") as error:
        made(KEYS[row])

    assert KEYS[row].decode() not in str(error.value)


@pytest.mark.parametrize("url", ["http://interlock.example", "s3://bucket", ""])
def test_it_lives_on_https(url: str) -> None:
    """Clouds fetch its documents over TLS or not at all."""
    with pytest.raises(ValueError, match="url"):
        OidcIssuer(url, EC_PEM, SetClock(NOW))
