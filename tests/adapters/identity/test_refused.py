"""Every way to bend a token is refused, for its own reason and with one answer."""

import json
from base64 import urlsafe_b64decode
from contextlib import suppress
from typing import Any

import pytest

from interlock.adapters.identity_oidc import OidcVerifier
from interlock.core.errors import NotIdentified
from interlock.core.principal import Kind, Principal
from interlock.ports import Verifier
from tests.adapters.identity.forge import NOW, RSA, STRANGER, claims, token
from tests.adapters.identity.provider import Provider, SetClock, issuer, verifier
from tests.adapters.identity.refused import PUBLISHED, REFUSED, Row

pytestmark = pytest.mark.anyio


def strict(row: Row) -> Verifier:
    """The verifier under test, with the profile and the keys this row needs."""
    provider = Provider()
    provider.keys = PUBLISHED
    return verifier(provider, SetClock(), **row.profile)


class Credulous:
    """See Verifier. Believes whatever it can read: what the table must tell from ours."""

    async def verify(self, credential: str) -> Principal:
        """See Verifier."""
        payload = credential.split(".")[1]
        found = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return Principal(kind=Kind.USER, id=f"okta/{found['sub']}", verified_at=NOW)


async def refusal(verifying: Verifier, row: Row) -> NotIdentified | None:
    """What the verifier answers to the row's token; None if it lets it in."""
    try:
        await verifying.verify(row.make())
    except NotIdentified as refused:
        return refused
    return None


@pytest.mark.parametrize("name", REFUSED)
async def test_a_bent_token_proves_nobody(name: str) -> None:
    """Refused as not identified; our record says why and quotes nothing of the token."""
    row = REFUSED[name]

    refused = await refusal(strict(row), row)

    assert refused is not None
    assert refused.code == "identity.not_identified"
    assert row.why in refused.detail
    quoted = [part for part in row.make().split(".") if len(part) > 8 and part in refused.detail]
    assert quoted == []


async def test_the_straight_token_is_believed() -> None:
    """The token that every row bends is good, so that each row fails by its bend alone."""
    profiles: list[dict[str, Any]] = [{}, {"required_claims": {"sub": "airflow-prod"}}]

    found = [await strict(Row(token, "", profile)).verify(token()) for profile in profiles]

    assert {principal.id for principal in found} == {"okta/airflow-prod"}


async def test_the_table_catches_a_verifier_that_believes() -> None:
    """A verifier that checks nothing lets in every row it can read at all: over seventy."""
    let_in = []
    for name, row in REFUSED.items():
        with suppress(Exception):
            if await refusal(Credulous(), row) is None:
                let_in.append(name)

    assert len(let_in) > 70


async def test_one_issuer_cannot_speak_for_another() -> None:
    """Signed with one issuer's key and naming another's `iss`: the keys of the named one decide."""
    provider = Provider(RSA)
    provider.elsewhere["https://b.example/jwks"] = {"keys": [STRANGER.jwk()]}
    second = issuer(name="b", url="https://b.example", jwks_url="https://b.example/jwks")
    verifying = OidcVerifier([issuer(), second], provider, SetClock())

    with pytest.raises(NotIdentified, match="b: the signature does not hold"):
        await verifying.verify(token(claims(iss="https://b.example")))
