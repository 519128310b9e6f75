"""Tokens of a real, certified provider, over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
from anyio import wait_all_tasks_blocked

from interlock.adapters.clock import SystemClock
from interlock.adapters.http_client import AioHttp
from interlock.adapters.identity_oidc import Issuer, OidcVerifier
from interlock.core.errors import CannotIdentify, NotIdentified
from interlock.core.principal import Kind
from tests.peers.idp import DEVICE_CODE, KEYED_CLIENT, PUBLIC_CLIENT, Idp, KeysMode

pytestmark = [pytest.mark.anyio, pytest.mark.peer]


@pytest.fixture
async def http() -> AsyncIterator[AioHttp]:
    """The gateway's own way out."""
    client = AioHttp()
    yield client
    await client.close()


@pytest.fixture
def verifying(idp: Idp, http: AioHttp) -> OidcVerifier:
    """A verifier that trusts the provider, found by discovery."""
    profile = Issuer(
        name="idp",
        url=idp.url,
        audience=idp.audience,
        required_scopes=["submit"],
        groups_claim="groups",
    )
    return OidcVerifier([profile], http, SystemClock())


async def test_a_client_is_a_service_with_its_groups(idp: Idp, verifying: OidcVerifier) -> None:
    """Client credentials: a Service named after the client, in the client's groups."""
    found = await verifying.verify(idp.client_token())

    assert (found.kind, found.id) == (Kind.SERVICE, "idp/airflow-team-a")
    assert found.groups == {"idp/data-eng"}


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
async def test_every_algorithm_the_provider_signs_with(
    idp: Idp, verifying: OidcVerifier, alg: str
) -> None:
    """RSA, elliptic curve and Edwards curve signatures of another implementation hold."""
    idp.sign_with(alg)  # type: ignore[arg-type]

    found = await verifying.verify(idp.client_token())

    assert found.id == "idp/airflow-team-a"


async def test_a_client_with_a_key_needs_no_secret(idp: Idp, verifying: OidcVerifier) -> None:
    """private_key_jwt (RFC 7523): the client signs, and is a Service like any other."""
    now = SystemClock().now()
    says = {"iss": KEYED_CLIENT, "sub": KEYED_CLIENT, "aud": idp.url, "jti": "1", "iat": now}
    assertion = jwt.encode(
        says | {"exp": now + timedelta(seconds=60)},
        idp.client_key(),
        algorithm="ES256",
        headers={"kid": "portal-1"},
    )
    form = {
        "grant_type": "client_credentials",
        "scope": "submit",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }

    status, answer = idp.post("/token", form)

    assert status == 200
    assert (await verifying.verify(answer["access_token"])).groups == {"idp/apps"}


async def test_a_scope_dropped_in_silence_is_noticed(idp: Idp, verifying: OidcVerifier) -> None:
    """The provider grants less than was asked and says 200; the token is refused for it."""
    with pytest.raises(NotIdentified, match="scope"):
        await verifying.verify(idp.client_token(scope="read unheard-of"))


async def test_a_token_for_another_audience_is_refused(idp: Idp, verifying: OidcVerifier) -> None:
    """A token for a neighbour's API is not for us."""
    with pytest.raises(NotIdentified, match="aud"):
        await verifying.verify(idp.client_token(audience="https://other.example"))


async def test_a_device_that_a_person_approved(idp: Idp, verifying: OidcVerifier) -> None:
    """Device flow (RFC 8628): pending, then a User with their own groups; an ID token is no use."""
    _, device = idp.post("/device/auth", {"client_id": PUBLIC_CLIENT, "scope": "openid submit"})
    form = {
        "grant_type": DEVICE_CODE,
        "client_id": PUBLIC_CLIENT,
        "device_code": device["device_code"],
    }

    pending = idp.post("/token", form)
    idp.approve_device(device["user_code"], "bob")
    status, answer = idp.post("/token", form)

    assert pending[1]["error"] == "authorization_pending"
    assert status == 200
    found = await verifying.verify(answer["access_token"])
    assert (found.kind, found.id) == (Kind.USER, "idp/bob")
    assert found.groups == {"idp/platform-admins", "idp/analytics"}
    with pytest.raises(NotIdentified, match="typ"):
        await verifying.verify(answer["id_token"])


async def test_a_device_that_a_person_denied(idp: Idp) -> None:
    """Who says no in the browser hands out nothing."""
    _, device = idp.post("/device/auth", {"client_id": PUBLIC_CLIENT, "scope": "openid submit"})
    form = {"grant_type": DEVICE_CODE, "client_id": PUBLIC_CLIENT}
    idp.deny_device(device["user_code"])

    status, answer = idp.post("/token", form | {"device_code": device["device_code"]})

    assert (status, answer["error"]) == (400, "access_denied")


@pytest.mark.parametrize("hard", [False, True])
async def test_rotation_is_noticed_at_once(idp: Idp, verifying: OidcVerifier, hard: bool) -> None:
    """The first token of a new key is believed; the old key's only where it stays published."""
    old = idp.client_token()
    await verifying.verify(old)
    idp.rotate(hard=hard)

    assert (await verifying.verify(idp.client_token())).id == "idp/airflow-team-a"
    if hard:
        with pytest.raises(NotIdentified, match="no key"):
            await verifying.verify(old)
    else:
        assert (await verifying.verify(old)).id == "idp/airflow-team-a"


@pytest.mark.parametrize("mode", ["error", "garbage", "huge", "redirect"])
async def test_without_keys_nobody_is_let_in(
    idp: Idp, verifying: OidcVerifier, mode: KeysMode
) -> None:
    """A key set that fails, is too big or moved: not ready, and ready again once it is mended."""
    idp.serve_keys(mode)
    with pytest.raises(CannotIdentify):
        await verifying.verify(idp.client_token())
    idp.serve_keys("ok")

    assert (await verifying.verify(idp.client_token())).id == "idp/airflow-team-a"


async def test_callers_wait_together_for_slow_keys(idp: Idp, verifying: OidcVerifier) -> None:
    """Twenty callers while the key set hangs: one request, and all are answered when it comes."""
    idp.serve_keys("hang")
    tokens = [idp.client_token() for _ in range(20)]

    waiting = [asyncio.ensure_future(verifying.verify(token)) for token in tokens]
    await wait_all_tasks_blocked()
    idp.serve_keys("ok")
    found = await asyncio.gather(*waiting)

    assert len(found) == 20
    assert idp.keys_fetched() == 1


SHAPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Kubernetes": (
        {"sub": "system:serviceaccount:etl:airflow", "aud": [Idp.audience], "kubernetes.io": {}},
        {"typ": None},
    ),
    "GitHub Actions": ({"sub": "repo:acme@1/etl@2:ref:refs/heads/main"}, {"typ": "JWT"}),
    "AWS": ({"sub": "arn:aws:iam::123456789012:role/etl"}, {"typ": "JWT", "alg": "RS256"}),
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_other_platforms_tokens(idp: Idp, http: AioHttp, shape: str) -> None:
    """Workload tokens as these platforms shape them are believed with the subject pinned."""
    claims, options = SHAPES[shape]
    profile = Issuer(
        name="platform",
        url=idp.url,
        audience=idp.audience,
        required_claims={"sub": str(claims["sub"])},
        kind="service",
        typ=options["typ"],
    )

    found = await OidcVerifier([profile], http, SystemClock()).verify(idp.mint(claims, **options))

    assert str(found) == f'Service::"platform/{claims["sub"]}"'
