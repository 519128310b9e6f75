"""Makes tokens, true and false, byte by byte and without the code under test."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://login.example/oauth2"
AUDIENCE = "https://interlock.example"

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_HASHES: dict[str, HashAlgorithm] = {"256": SHA256(), "384": SHA384(), "512": SHA512()}


def b64(raw: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def part(value: object) -> str:
    """A part of a token that says `value`."""
    return b64(json.dumps(value).encode())


@dataclass(frozen=True)
class SigningKey:
    """A private key, the name it is published under and the algorithm it signs with."""

    kid: str
    alg: str
    private: Private

    def sign(self, signed: bytes) -> bytes:
        """The signature's bytes as RFC 7518 section 3 wants them."""
        match self.private:
            case ed25519.Ed25519PrivateKey() as key:
                return key.sign(signed)
            case ec.EllipticCurvePrivateKey() as key:
                r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(_HASHES[self.alg[2:]])))
                size = (key.key_size + 7) // 8
                return r.to_bytes(size, "big") + s.to_bytes(size, "big")
            case rsa.RSAPrivateKey() as key:
                digest = _HASHES[self.alg[2:]]
                if self.alg.startswith("PS"):
                    pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
                    return key.sign(signed, pss, digest)
                return key.sign(signed, padding.PKCS1v15(), digest)

    def jwk(self, **members: object) -> dict[str, Any]:
        """What the issuer publishes, with `members` added or replaced (None takes one out)."""
        jwk = {"kid": self.kid, "use": "sig", "alg": self.alg, **_numbers(self.private)} | members
        return {name: value for name, value in jwk.items() if value is not None}


def _numbers(private: Private) -> dict[str, object]:
    match private:
        case ed25519.Ed25519PrivateKey():
            return {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": b64(private.public_key().public_bytes_raw()),
            }
        case ec.EllipticCurvePrivateKey():
            point, size = private.public_key().public_numbers(), (private.key_size + 7) // 8
            x, y = (b64(number.to_bytes(size, "big")) for number in (point.x, point.y))
            return {"kty": "EC", "crv": f"P-{private.key_size}", "x": x, "y": y}
        case rsa.RSAPrivateKey():
            return rsa_numbers(private.public_key().public_numbers().n)


def rsa_numbers(modulus: int) -> dict[str, object]:
    """The members of an RSA key with this modulus."""
    size = (modulus.bit_length() + 7) // 8
    return {"kty": "RSA", "n": b64(modulus.to_bytes(size, "big")), "e": "AQAB"}


def rsa_key(kid: str, alg: str = "RS256") -> SigningKey:
    """A new RSA key of 2048 bits."""
    return SigningKey(kid, alg, rsa.generate_private_key(65_537, 2_048))


def ec_key(kid: str, curve: ec.EllipticCurve | None = None, alg: str = "ES256") -> SigningKey:
    """A new key on a curve, P-256 unless told."""
    return SigningKey(kid, alg, ec.generate_private_key(curve or ec.SECP256R1()))


def ed_key(kid: str, alg: str = "EdDSA") -> SigningKey:
    """A new Ed25519 key."""
    return SigningKey(kid, alg, ed25519.Ed25519PrivateKey.generate())


RSA = rsa_key("rsa-1")
EC = ec_key("ec-1")
ED = ed_key("ed-1")
STRANGER = rsa_key("rsa-1")  # not the issuer's, under the same name


def claims(**changes: object) -> dict[str, object]:
    """Claims that are believed at NOW, changed as told; None takes a claim out."""
    at = int(NOW.timestamp())
    good: dict[str, object] = {
        "iss": URL,
        "aud": AUDIENCE,
        "sub": "airflow-prod",
        "client_id": "airflow-prod",
        "scope": "runs:read submit",
        "groups": ["data-eng"],
        "iat": at,
        "nbf": at,
        "exp": at + 300,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def token(
    says: Mapping[str, object] | None = None,
    key: SigningKey = RSA,
    *,
    header: str | None = None,
    payload: str | None = None,
    **members: object,
) -> str:
    """A token signed by `key`; `members` change its header, `header`/`payload` replace a part."""
    named = {"alg": key.alg, "kid": key.kid, "typ": "at+jwt"} | members
    head = header or part({name: value for name, value in named.items() if value is not None})
    body = payload if payload is not None else part(claims() if says is None else says)
    return f"{head}.{body}.{b64(key.sign(f'{head}.{body}'.encode()))}"
