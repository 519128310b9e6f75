"""An issuer's public keys, as its JWK Set publishes them (RFC 7517).

A set that says something impossible (a shared secret, one `kid` twice) is refused whole: nobody
knows what else is wrong with it. A single key that is weak, private, not for signatures or of a
sort we do not read is left out, so that an issuer may publish it for others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key
from joserfc.jws import JWSRegistry

from interlock.adapters.identity_oidc.algorithms import ALGORITHMS, KeySort
from interlock.adapters.identity_oidc.encoding import base64url, json_object
from interlock.adapters.identity_oidc.roca import is_roca
from interlock.adapters.identity_oidc.token import Token

RSA_BITS_MIN = 2_048  # NIST SP 800-131A revision 2
RSA_BITS_MAX = 8_192  # a check costs time with the square of this

_NUMBERS = {"RSA": ("n", "e"), "EC": ("x", "y"), "OKP": ("x",)}  # RFC 7518 section 6; RFC 8037
_SORTS = frozenset(ALGORITHMS.values())


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that may check signatures.

    Attributes:
        kid: its name in the set.
        sort: what it is, hence which algorithms fit.
        alg: the one algorithm the issuer allows it, if it says so.
        material: joserfc's form of it.
    """

    kid: str
    sort: KeySort
    alg: str | None
    material: Key

    def fits(self, alg: str) -> bool:
        """Whether this key may be used with `alg`."""
        return ALGORITHMS.get(alg) == self.sort and self.alg in {None, alg}

    def signed(self, token: Token) -> bool:
        """Whether this key made the token's signature."""
        if not self.fits(token.alg):
            return False
        # joserfc warns that the name "EdDSA" is deprecated; on our one curve they are the same.
        algorithm = JWSRegistry.algorithms["Ed25519" if token.alg == "EdDSA" else token.alg]
        try:
            return algorithm.verify(token.signed, token.signature, self.material)
        except (JoseError, ValueError):
            return False


def read_keys(document: bytes) -> Mapping[str, PublicKey]:
    """The usable keys of a JWK Set, by `kid`. Raises ValueError for a set not to be trusted."""
    listed = json_object(document).get("keys")
    if not isinstance(listed, list):
        raise ValueError("the key set has no list `keys`")  # noqa: TRY004 - one exception for all
    keys: dict[str, PublicKey] = {}
    for key in _usable(listed):
        if key.kid in keys:
            raise ValueError("the key set names one `kid` twice")
        keys[key.kid] = key
    return keys


def _usable(listed: list[object]) -> Iterator[PublicKey]:
    for jwk in listed:
        if not isinstance(jwk, dict) or jwk.get("kty") == "oct":
            raise ValueError("the key set holds a shared secret, or something that is no key")
        if not _may_verify(jwk):
            continue
        key = _public_key(jwk)
        if key is not None:
            yield key


def _may_verify(jwk: Mapping[str, object]) -> bool:
    """Whether the issuer means this key for checking signatures, and kept its private half."""
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and "d" not in jwk
    )


def _public_key(jwk: Mapping[str, object]) -> PublicKey | None:
    """The key, or None if it is of no sort we read, too weak, or not even a key."""
    kid, alg, kty, crv = (_text(jwk, name) for name in ("kid", "alg", "kty", "crv"))
    sort = KeySort(kty or "", crv)
    if not kid or sort not in _SORTS:
        return None
    try:
        return PublicKey(kid, sort, alg, _material(jwk, sort))
    except (JoseError, ValueError):
        return None


def _text(jwk: Mapping[str, object], name: str) -> str | None:
    """A member that is text or absent; of another type it is empty, which is never right."""
    value = jwk.get(name)
    return value if isinstance(value, str | None) else ""


def _material(jwk: Mapping[str, object], sort: KeySort) -> Key:
    """Only the numbers, canonically spelt, and strong. Raises ValueError or JoseError."""
    numbers: dict[str, str | list[str]] = {"kty": sort.kty}
    if sort.crv is not None:
        numbers["crv"] = sort.crv
    for name in _NUMBERS[sort.kty]:
        numbers[name] = text = _text(jwk, name) or ""
        number = int.from_bytes(base64url(text), "big")
        if name == "n":
            _check_modulus(number)
    return import_key(numbers)


def _check_modulus(modulus: int) -> None:
    if not RSA_BITS_MIN <= modulus.bit_length() <= RSA_BITS_MAX:
        raise ValueError(f"RSA of {modulus.bit_length()} bits")
    if is_roca(modulus):
        raise ValueError("RSA from a broken generator")
