"""Whatever we accept, an independent library accepts with the same claims."""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt
from hypothesis import find, given, settings
from hypothesis import strategies as st

from interlock.adapters.clock import SystemClock
from interlock.adapters.identity_oidc import OidcVerifier
from interlock.core.errors import NotIdentified
from interlock.core.principal import Principal
from tests.adapters.identity.forge import AUDIENCE, EC, ED, RSA, STRANGER, URL, b64, part
from tests.adapters.identity.provider import Provider, issuer

CLOCK = SystemClock()  # PyJWT reads the real clock, so ours must too
AT = int(CLOCK.now().timestamp())
LIFE_S = 36_000  # the tokens outlast any run of the tests
KEYS = {key.kid: key for key in (RSA, EC, ED)}
GOOD = {"iss": URL, "aud": AUDIENCE, "sub": "alice", "iat": AT, "exp": AT + LIFE_S, "groups": ["a"]}
OPTIONS: Any = {"require": ["aud", "exp", "iat", "iss", "sub"]}

scraps = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.text(max_size=5), max_size=3),
)
times = st.sampled_from([AT - 7_200, AT - 600.5, AT + LIFE_S, AT + 2 * LIFE_S, str(AT), None, True])
bent_claims = st.fixed_dictionaries(
    {},
    optional={
        "iss": st.sampled_from([f"{URL}/", URL[:-1], None, [URL]]),
        "aud": st.sampled_from([[AUDIENCE], [AUDIENCE, "x"], "x", [], None, [[AUDIENCE]]]),
        "sub": scraps,
        "iat": times,
        "nbf": times,
        "exp": times,
        "groups": scraps,
    },
)
bent_headers = st.fixed_dictionaries(
    {},
    optional={
        "alg": st.sampled_from(["RS256", "ES256", "EdDSA", "HS256", "none", "PS256", "ES384"]),
        "kid": st.sampled_from([*KEYS, "x", "", None]),
        "crit": scraps,
        "b64": st.booleans(),
        "x": scraps,
    },
)


@st.composite
def tokens(draw: st.DrawFn) -> str:
    """A token bent in none, some or all of: claims, header, key, and its text after signing."""
    key = draw(st.sampled_from([RSA, EC, ED, STRANGER]))
    header = {"alg": key.alg, "kid": key.kid, "typ": "at+jwt"}
    header |= draw(st.one_of(st.just({}), bent_headers))
    says = GOOD | draw(st.one_of(st.just({}), bent_claims))
    signed = f"{part(header)}.{part(says)}"
    text = f"{signed}.{b64(key.sign(signed.encode()))}"
    if draw(st.booleans()):
        at = draw(st.integers(0, len(text) - 1))
        text = text[:at] + draw(st.sampled_from(["", "A", "Q", "=", ".", "\n"])) + text[at + 1 :]
    return text


def ours(credential: str) -> Principal | None:
    """Whom our verifier believes it proves."""
    lifetime = timedelta(seconds=LIFE_S)
    profile = issuer(required_scopes=[], max_lifetime=lifetime)
    verifying = OidcVerifier([profile], Provider(), CLOCK)
    try:
        return asyncio.run(verifying.verify(credential))
    except NotIdentified:
        return None


def theirs(credential: str) -> Mapping[str, Any] | None:
    """The claims that PyJWT believes, given the key that the header names."""
    try:
        kid = jwt.get_unverified_header(credential)["kid"]
        return jwt.decode(
            credential,
            KEYS[kid].private.public_key(),
            algorithms=["RS256", "PS256", "ES256", "ES384", "EdDSA"],
            audience=AUDIENCE,
            issuer=URL,
            leeway=30,
            options=OPTIONS,
        )
    except (jwt.PyJWTError, KeyError):
        return None


def credulous(credential: str) -> Mapping[str, Any] | None:
    """The claims that a reader who checks nothing believes."""
    payload = credential.split(".")[1]
    try:
        found = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@given(tokens())
@settings(max_examples=300, deadline=None)
def test_what_we_accept_pyjwt_accepts(credential: str) -> None:
    """For any token: if it proves somebody to us, PyJWT reads the same claims from it."""
    principal = ours(credential)
    if principal is None:
        return
    found = theirs(credential)

    assert found is not None
    assert principal.id == f"okta/{found['sub']}"
    assert principal.groups == {f"okta/{group}" for group in found["groups"] or ()}
    assert principal.expires_at is not None
    assert principal.expires_at.timestamp() == found["exp"]


def test_the_fuzz_reaches_tokens_that_both_accept() -> None:
    """Among the tokens drawn are good ones, so that the comparison is not empty."""
    assert theirs(find(tokens(), lambda text: ours(text) is not None)) is not None


def test_the_fuzz_catches_a_reader_that_checks_nothing() -> None:
    """Among the tokens drawn are some that only a credulous reader accepts."""
    bad = find(tokens(), lambda text: credulous(text) is not None and theirs(text) is None)

    assert ours(bad) is None
