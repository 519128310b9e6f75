"""Which keys of a published set may check a signature."""

import json
from math import prod

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from interlock.adapters.identity_oidc.keys import read_keys
from interlock.adapters.identity_oidc.roca import is_roca
from tests.adapters.identity.forge import EC, ED, RSA, SigningKey, b64, ec_key, rsa_numbers

PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
SOUND = rsa_numbers(RSA.private.public_key().public_numbers().n)["n"]  # type: ignore[union-attr]


def infineon(bits: int = 2_048) -> int:
    """A modulus that bears the fingerprint: a power of 65537 modulo every prime above."""
    product = prod(PRIMES)
    return (1 << bits - 1) // product * product + product + pow(65_537, 7, product)


def document(*keys: object) -> bytes:
    """A JWK Set."""
    return json.dumps({"keys": keys}).encode()


def test_the_usual_keys_are_read() -> None:
    """RSA, P-256 and Ed25519 keys are found by their name."""
    assert list(read_keys(document(RSA.jwk(), EC.jwk(), ED.jwk()))) == ["rsa-1", "ec-1", "ed-1"]


def test_a_key_may_leave_out_its_use_and_algorithm() -> None:
    """RFC 7517 makes `use` and `alg` optional; then any algorithm of its sort fits."""
    (key,) = read_keys(document(RSA.jwk(use=None, alg=None))).values()

    assert key.fits("RS256")
    assert key.fits("PS512")
    assert not key.fits("ES256")


LEFT_OUT = {
    "for encryption": RSA.jwk(use="enc"),
    "key_ops without verify": RSA.jwk(key_ops=["encrypt"]),
    "key_ops not a list": RSA.jwk(key_ops="verify"),
    "its private half published": RSA.jwk(d="AQAB"),
    "no kid": RSA.jwk(kid=None),
    "an empty kid": RSA.jwk(kid=""),
    "a kid that is a number": RSA.jwk(kid=7),
    "no kty": RSA.jwk(kty=None),
    "an unknown kty": RSA.jwk(kty="AKP"),
    "RSA of 1024 bits": RSA.jwk(
        **rsa_numbers(rsa.generate_private_key(65_537, 1_024).public_key().public_numbers().n)
    ),
    "RSA of 16384 bits": RSA.jwk(**rsa_numbers((1 << 16_383) + 1)),
    "RSA with the ROCA fingerprint": RSA.jwk(**rsa_numbers(infineon())),
    "RSA with a padded modulus": RSA.jwk(n=f"{SOUND}=="),
    "RSA without an exponent": RSA.jwk(e=None),
    "RSA with an even exponent": RSA.jwk(e="Ag"),
    "RSA with a curve": RSA.jwk(crv="P-256"),
    "EC without a curve": EC.jwk(crv=None),
    "EC on secp256k1": EC.jwk(crv="secp256k1"),
    "EC off its curve": EC.jwk(y=b64(bytes(32))),
    "EC of another curve's size": EC.jwk(crv="P-384"),
    "OKP for key agreement": ED.jwk(crv="X25519"),
    "OKP on Ed448": ED.jwk(crv="Ed448"),
    "OKP of the wrong size": ED.jwk(x=b64(bytes(31))),
}


@pytest.mark.parametrize("row", LEFT_OUT)
def test_a_key_that_is_no_use_is_left_out(row: str) -> None:
    """A weak, private or strange key is not used, and does not take the others with it."""
    assert list(read_keys(document(LEFT_OUT[row], EC.jwk(kid="ec-2")))) == ["ec-2"]


REFUSED = {
    "a shared secret": document(RSA.jwk(), {"kty": "oct", "kid": "s", "k": "c2VjcmV0"}),
    "one kid twice": document(RSA.jwk(), EC.jwk(kid="rsa-1")),
    "a key that is text": document("key"),
    "no list of keys": b'{"keys": {}}',
    "no keys at all": b"{}",
    "a list": b"[]",
    "not JSON": b"<html>",
    "not UTF-8": b'{"keys": [], "a": "\xff"}',
    "a member named twice": b'{"keys": [], "keys": []}',
    "NaN": b'{"keys": [NaN]}',
    "nested without end": b'{"keys": ' + b"[" * 100_000,
}


@pytest.mark.parametrize("row", REFUSED)
def test_a_set_that_cannot_be_right_is_refused_whole(row: str) -> None:
    """Where a set contradicts itself, none of its keys is believed."""
    with pytest.raises(ValueError, match=r".+"):
        read_keys(REFUSED[row])


def test_an_empty_set_is_no_keys() -> None:
    """An issuer may withdraw every key; that is an answer, not a failure."""
    assert read_keys(document()) == {}


def test_a_key_named_for_one_algorithm_checks_no_other() -> None:
    """A key published for RS256 is not used for PS256, though it could be."""
    (key,) = read_keys(document(RSA.jwk(alg="RS256"))).values()

    assert not key.fits("PS256")


@pytest.mark.parametrize(("curve", "alg"), [(ec.SECP384R1(), "ES384"), (ec.SECP521R1(), "ES512")])
def test_each_curve_has_its_algorithm(curve: ec.EllipticCurve, alg: str) -> None:
    """RFC 7518 section 3.4 ties each ES algorithm to one curve."""
    (key,) = read_keys(document(ec_key("k", curve, alg).jwk(alg=None))).values()

    assert key.fits(alg)
    assert not key.fits("ES256")


def test_the_fingerprint_tells_broken_keys_from_sound_ones() -> None:
    """A modulus built as Infineon's library built it is known; twenty ordinary numbers are not."""
    sound = SigningKey("k", "RS256", RSA.private).private.public_key().public_numbers().n  # type: ignore[union-attr]

    assert is_roca(infineon())
    assert not any(is_roca(sound + 2 * step) for step in range(20))
