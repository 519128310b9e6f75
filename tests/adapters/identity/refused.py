"""The table of refusals: one row per rule, each a token bent in one way only."""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.adapters.identity.forge import (
    AUDIENCE,
    EC,
    ED,
    NOW,
    RSA,
    STRANGER,
    SigningKey,
    b64,
    claims,
    part,
    rsa_key,
    token,
)

AT = int(NOW.timestamp())
WEAK_IN_SET = rsa_key("for-encryption")  # published with `use: enc`
NAMED = SigningKey("named", "PS256", RSA.private)  # published for RS256 only


@dataclass(frozen=True)
class Row:
    """How the token is bent, the words our record must hold, and changes to the profile."""

    make: Callable[[], str]
    why: str
    profile: Mapping[str, Any] = field(default_factory=dict)


def says(why: str, profile: Mapping[str, Any] | None = None, /, **changes: object) -> Row:
    """A token whose claims are changed, and correctly signed."""
    return Row(lambda: token(claims(**changes)), why, profile or {})


def head(why: str, /, **members: object) -> Row:
    """A token whose header is changed, and correctly signed."""
    return Row(lambda: token(**members), why)  # type: ignore[arg-type] # header members


def hmac_with_public_key() -> str:
    """HS256 with the public key's own PEM as the secret: the classic confusion."""
    pem = RSA.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{part({'alg': 'HS256', 'kid': 'rsa-1', 'typ': 'at+jwt'})}.{part(claims())}"
    return f"{signed}.{b64(hmac.digest(pem, signed.encode(), sha256().name))}"


def edit(change: Callable[[str, str, str], str]) -> Callable[[], str]:
    """A good token whose three parts are put together again by `change`."""
    return lambda: change(*token().split("."))


def last_bit(text: str) -> str:
    """The same bytes in another spelling: a bit that base64url leaves unused is set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


def twice(value: Mapping[str, object], name: str, first: object) -> str:
    """A part that names one member twice."""
    return b64(f'{{"{name}": {json.dumps(first)}, {json.dumps(value)[1:]}'.encode())


HEAD = {"alg": "RS256", "kid": "rsa-1", "typ": "at+jwt"}

FORM = {
    "empty": Row(lambda: "", "three parts"),
    "no token at all": Row(lambda: "let me in", "three parts"),
    "two parts": Row(edit(lambda h, p, s: f"{h}.{p}"), "three parts"),
    "four parts": Row(edit(lambda h, p, s: f"{h}.{p}.{s}."), "three parts"),
    "five parts, as an encrypted token": Row(edit(lambda h, p, s: f"{h}.{p}.{s}.{p}.{s}"), "three parts"),
    "over 16 KiB": Row(lambda: token(claims(pad="x" * 13_000)), "over 16384"),
    "text beyond ASCII": Row(edit(lambda h, p, s: f"{h}.{p}.{s}é"), "not base64url"),
    "a lone surrogate": Row(edit(lambda h, p, s: f"{h}.{p}.\ud800{s}"), "not base64url"),
    "a line break at the end": Row(edit(lambda h, p, s: f"{h}.{p}.{s}\n"), "not base64url"),
    "ordinary base64": Row(edit(lambda h, p, s: f"{h}.{p}.+/{s[2:]}"), "not base64url"),
    "a padded signature": Row(edit(lambda h, p, s: f"{h}.{p}.{s}=="), "not base64url"),
    "a padded payload": Row(edit(lambda h, p, s: f"{h}.{p}=.{s}"), "not base64url"),
    "a signature in another spelling": Row(edit(lambda h, p, s: f"{h}.{p}.{last_bit(s)}"), "not canonical"),
    "a part of impossible length": Row(edit(lambda h, p, s: f"{h}.{p}.AAAAA"), "malformed"),
    "an empty payload": Row(edit(lambda h, p, s: f"{h}..{s}"), "not base64url"),
    "an empty signature": Row(edit(lambda h, p, s: f"{h}.{p}."), "not base64url"),
    "a header that is no JSON": Row(lambda: token(header=b64(b"{")), "not UTF-8 JSON"),
    "a header that is a list": Row(lambda: token(header=part(["RS256"])), "not a JSON object"),
    "a payload that is text": Row(lambda: token(payload=part("airflow-prod")), "not a JSON object"),
    "a payload in UTF-16": Row(lambda: token(payload=b64(json.dumps(claims()).encode("utf-16"))), "not UTF-8"),
    "a payload with a byte order mark": Row(lambda: token(payload=b64(b"\xef\xbb\xbf" + json.dumps(claims()).encode())), "not UTF-8 JSON"),
    "a header member named twice": Row(lambda: token(header=twice(HEAD, "alg", "none")), "named twice"),
    "a claim named twice": Row(lambda: token(payload=twice(claims(), "sub", "root")), "named twice"),
    "a nested member named twice": Row(lambda: token(payload=b64(b'{"act": {"sub": "a", "sub": "b"}}')), "named twice"),
    "NaN": Row(lambda: token(payload=b64(b'{"exp": NaN}')), "NaN"),
    "a number without end": Row(lambda: token(payload=b64(b'{"exp": ' + b"9" * 5_000 + b"}")), "malformed"),
    "nested without end": Row(lambda: token(payload=b64(b'{"a": ' + b"[" * 9_000)), "malformed"),
}  # fmt: skip

HEADER = {
    "b64": head("forbidden", b64=True),
    "crit": head("forbidden", crit=["exp"]),
    "crit, empty": head("forbidden", crit=[]),
    "jku: fetch my keys": head("forbidden", jku="https://evil.example/jwks"),
    "jwk: here is my key": Row(lambda: token(key=STRANGER, jwk=STRANGER.jwk()), "forbidden"),
    "x5c: here is my certificate": head("forbidden", x5c=["MIIB"]),
    "x5u: fetch my certificate": head("forbidden", x5u="https://evil.example/x5c"),
    "zip": head("forbidden", zip="DEF"),
    "no alg": head("lacks", alg=None),
    "an alg that is a list": head("lacks", alg=["RS256"]),
    "no kid": head("lacks", kid=None),
    "an empty kid": head("lacks", kid=""),
    "a kid that is a number": head("lacks", kid=1),
    "a kid in other letters": head("no key has", kid="RSA-1"),
    "a kid that is a path": head("no key has", kid="../../dev/null"),
    "a kid nobody published": head("no key has", kid="rsa-2"),
    "a typ that is a number": head("not text", typ=1),
    "no typ": head("`typ`", typ=None),
    "an ID token": head("`typ`", typ="JWT"),
    "a logout token": head("`typ`", typ="logout+jwt"),
    "a typ where the provider sends none": Row(token, "`typ`", {"typ": None}),
}

ALGORITHM = {
    "none": Row(lambda: f"{part(HEAD | {'alg': 'none'})}.{part(claims())}.", "not base64url"),
    "none, with a signature": head("`alg`", alg="none"),
    "None": head("`alg`", alg="None"),
    "rs256 in small letters": head("`alg`", alg="rs256"),
    "HS256 keyed with the public key": Row(hmac_with_public_key, "`alg`"),
    "ES256K": head("`alg`", alg="ES256K"),
    "an encryption algorithm": head("`alg`", alg="RSA-OAEP"),
    "one this issuer may not use": Row(lambda: token(key=EC), "`alg`", {"algorithms": ["RS256"]}),
    "RS256 under an EC key's name": head("does not hold", kid="ec-1"),
    "ES256 under an RSA key's name": Row(lambda: token(key=EC, kid="rsa-1"), "does not hold"),
    "EdDSA under an EC key's name": Row(lambda: token(key=ED, kid="ec-1"), "does not hold"),
    "ES384 with a P-256 key": Row(lambda: token(key=SigningKey("ec-1", "ES384", EC.private)), "does not hold"),
    "PS256 with a key for RS256": Row(lambda: token(key=NAMED), "does not hold"),
    "a key for encryption": Row(lambda: token(key=WEAK_IN_SET), "no key has"),
}  # fmt: skip

SIGNATURE = {
    "a stranger's key under a known name": Row(lambda: token(key=STRANGER), "does not hold"),
    "another token's signature": Row(lambda: f"{token().rpartition('.')[0]}.{token(claims(sub='x')).rpartition('.')[2]}", "does not hold"),
    "a claim changed after signing": Row(edit(lambda h, p, s: f"{h}.{part(claims(sub='root'))}.{s}"), "does not hold"),
    "a header changed after signing": Row(edit(lambda h, p, s: f"{part(HEAD | {'x': 1})}.{p}.{s}"), "does not hold"),
    "cut short": Row(edit(lambda h, p, s: f"{h}.{p}.{s[:-6]}"), "does not hold"),
    "zeros": Row(edit(lambda h, p, s: f"{h}.{p}.{b64(bytes(256))}"), "does not hold"),
    "ES256 of zeros (CVE-2022-21449)": Row(lambda: f"{token(key=EC).rpartition('.')[0]}.{b64(bytes(64))}", "does not hold"),
    "ES256 in DER": Row(lambda: f"{token(key=EC).rpartition('.')[0]}.{b64(bytes.fromhex('3006020101020101'))}", "does not hold"),
    "Ed25519 of the wrong length": Row(lambda: f"{token(key=ED).rpartition('.')[0]}.{b64(bytes(63))}", "does not hold"),
}  # fmt: skip

CLAIMS = {
    "no iss": says("no issuer", iss=None),
    "another iss": says("no issuer", iss="https://evil.example"),
    "an iss that begins like ours": says("no issuer", iss="https://login.example/oauth2x"),
    "an iss with a slash more": says("no issuer", iss="https://login.example/oauth2/"),
    "a list of iss": says("no issuer", iss=["https://login.example/oauth2"]),
    "no aud": says("`aud`", aud=None),
    "another aud": says("`aud`", aud="https://other.example"),
    "an aud that begins like ours": says("`aud`", aud=f"{AUDIENCE}.evil"),
    "an empty list of aud": says("`aud`", aud=[]),
    "an aud within a list within a list": says("`aud`", aud=[[AUDIENCE]]),
    "an aud beside a number": says("`aud`", aud=[AUDIENCE, 7]),
    "an aud as a member's name": says("`aud`", aud={AUDIENCE: 1}),
    "no sub": says("`sub`", sub=None),
    "an empty sub": says("`sub`", sub=""),
    "a sub that is a number": says("`sub`", sub=7),
    "a sub with a line break": says("`sub`", sub="alice\nroot"),
    "a sub with NUL": says("`sub`", sub="alice\x00"),
    "a sub with a lone surrogate": says("`sub`", sub="alice\ud800"),
    "a sub written backwards": says("`sub`", sub="alice\u202etoor"),
    "a sub without end": says("`sub`", sub="a" * 1_025),
    "no exp": says("not a date", exp=None),
    "an exp that is text": says("not a date", exp=str(AT + 60)),
    "an exp that is true": says("not a date", exp=True),
    "an exp beyond all years": says("not a date", exp=10**18),
    "an exp of infinity": Row(lambda: token(payload=b64(json.dumps(claims()).replace(str(AT + 300), "1e999").encode())), "not a date"),
    "an exp before 1970": says("not a date", exp=-1),
    "expired, leeway over": says("expired", exp=AT - 30),
    "no iat": says("not a date", iat=None),
    "an iat to come": says("not valid yet", iat=AT + 31, nbf=AT),
    "an iat to come, and no nbf": says("not valid yet", iat=AT + 31, nbf=None),
    "a nbf to come": says("not valid yet", nbf=AT + 31),
    "a nbf that is null": Row(lambda: token(claims() | {"nbf": None}), "not a date"),
    "a lifetime of a day": says("max_lifetime", exp=AT + 86_400),
    "a lifetime of a day, nearly over": says("max_lifetime", iat=AT - 86_000, exp=AT + 300),
    "no scope": says("scope", scope=None),
    "another scope": says("scope", scope="runs:read"),
    "a scope that begins like ours": says("scope", scope="submit:none"),
    "a scope in other letters": says("scope", scope="SUBMIT"),
    "a scope that is a number": says("scope", scope=1),
    "an empty scope beside a full scp": says("scope", scope="", scp=["submit"]),
    "a required claim that is missing": says("`email_verified`", {"required_claims": {"email_verified": True}}),
    "1 where true is required": says("`email_verified`", {"required_claims": {"email_verified": True}}, email_verified=1),
    "text where true is required": says("`email_verified`", {"required_claims": {"email_verified": True}}, email_verified="true"),
    "a list that holds the required value": says("`hd`", {"required_claims": {"hd": "acme.example"}}, hd=["acme.example"]),
    "a required sub of another repository": says("`sub`", {"required_claims": {"sub": ["repo:acme/etl:ref:refs/heads/main", "repo:acme@1/etl@2:ref:refs/heads/main"]}}, sub="repo:acme/etl:pull_request"),
    "groups as one text": says("not a list of names", groups="admins"),
    "groups that are numbers": says("not a list of names", groups=[1]),
    "an empty group": says("not a list of names", groups=[""]),
    "a group with a line break": says("not a list of names", groups=["a\nb"]),
    "groups without end": says("more than 1000", groups=["g"] * 1_001),
    "an act that is text": says("names nobody", act="alice"),
    "an act without sub": says("names nobody", act={"iss": "x"}),
    "an act for another issuer": says("another issuer", act={"sub": "x", "iss": "https://evil.example"}),
    "act within act without end": says("more than 4", act={"sub": "a", "act": {"sub": "b", "act": {"sub": "c", "act": {"sub": "d", "act": {"sub": "e"}}}}}),
}  # fmt: skip

REFUSED: Mapping[str, Row] = {
    f"{chapter}: {name}": row
    for chapter, rows in {
        "form": FORM,
        "header": HEADER,
        "algorithm": ALGORITHM,
        "signature": SIGNATURE,
        "claims": CLAIMS,
    }.items()
    for name, row in rows.items()
}

PUBLISHED: list[object] = [
    RSA.jwk(alg=None),
    EC.jwk(),
    ED.jwk(),
    NAMED.jwk(alg="RS256"),
    WEAK_IN_SET.jwk(use="enc"),
]
"""What the provider publishes while the table is run."""
