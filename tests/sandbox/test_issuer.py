"""The throw-away issuer: its tokens are believed, and it asks for what it should."""

import json
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from interlock.adapters.http_client import AioHttp
from interlock.adapters.identity_oidc import Issuer, OidcVerifier
from interlock.core.principal import Kind
from interlock.sandbox.issuer import DEVICE_CODE, DEVICES_MAX, LIFETIME_S, Directory, create_app
from interlock.sandbox.server import serving
from tests.adapters.identity.provider import SetClock
from tests.peers.idp import Idp

pytestmark = pytest.mark.anyio

AUDIENCE = "https://interlock.example"
CLIENTS: dict[str, Any] = {
    "audience": AUDIENCE,
    "clients": {"airflow-prod": {"secret": "s:1 ü", "groups": ["data-eng"]}, "cli": {}},
    "people": {"alice": {"groups": ["analytics"]}},
}
CREDENTIALS = {
    "grant_type": "client_credentials",
    "client_id": "airflow-prod",
    "client_secret": "s:1 ü",
    "scope": "submit",
}


class Peer:
    """The issuer in this loop, its clock, and what a test says to it."""

    def __init__(self, url: str, http: AioHttp, clock: SetClock) -> None:
        self.url = url
        self.http = http
        self.clock = clock

    async def post(self, path: str, form: dict[str, str], **headers: str) -> tuple[int, Any]:
        """Send a form; the status, and the answer if it is JSON."""
        kind = {"content-type": "application/x-www-form-urlencoded"}
        body = urlencode(form).encode()
        answer = await self.http.request("POST", self.url + path, headers=kind | headers, body=body)
        is_json = answer.headers["content-type"] == "application/json"
        return answer.status, json.loads(answer.body) if is_json else answer.body.decode()

    async def begin(self) -> dict[str, Any]:
        """Begin a device flow."""
        _, device = await self.post("/device/code", {"client_id": "cli", "scope": "submit"})
        return dict(device)

    async def poll(self, device: dict[str, Any]) -> tuple[int, Any]:
        """Ask for the device's token."""
        form = {"grant_type": DEVICE_CODE, "client_id": "cli"}
        return await self.post("/token", form | {"device_code": device["device_code"]})

    def verifier(self) -> OidcVerifier:
        """A verifier that trusts it."""
        profile = Issuer(
            name="demo",
            url=self.url,
            audience=AUDIENCE,
            required_scopes=["submit"],
            groups_claim="groups",
        )
        return OidcVerifier([profile], self.http, self.clock)


@asynccontextmanager
async def running(approve: str | None = None) -> AsyncIterator[Peer]:
    """An issuer with CLIENTS, for the length of a block."""
    clock, http = SetClock(), AioHttp()
    directory = Directory(**CLIENTS)
    app = create_app(directory, lambda: clock.now().timestamp(), approve=approve)
    async with serving(app) as url:
        yield Peer(url, http, clock)
        await http.close()


async def test_a_client_gets_a_token_that_is_believed() -> None:
    """Client credentials in the form: a Service with its groups."""
    async with running() as peer:
        status, answer = await peer.post("/token", CREDENTIALS)
        found = await peer.verifier().verify(answer["access_token"])

    assert status == 200
    assert str(found) == 'Service::"demo/airflow-prod"'
    assert found.groups == {"demo/data-eng"}


async def test_a_client_may_use_http_basic() -> None:
    """RFC 6749 section 2.3.1: each half is form-encoded before it is Base64."""
    basic = b64encode(b"airflow-prod:s%3A1+%C3%BC").decode()
    async with running() as peer:
        status, _ = await peer.post(
            "/token", {"grant_type": "client_credentials"}, authorization=f"Basic {basic}"
        )

    assert status == 200


WRONG: dict[str, tuple[dict[str, str], dict[str, str], tuple[int, str]]] = {
    "a wrong secret": ({"client_secret": "x"}, {}, (401, "invalid_client")),
    "no secret": ({"client_secret": ""}, {}, (401, "invalid_client")),
    "nobody": ({"client_id": "nobody"}, {}, (401, "invalid_client")),
    "Basic that is none": ({}, {"authorization": "Basic ?"}, (401, "invalid_client")),
    "a client without a secret": (
        {"client_id": "cli", "client_secret": ""},
        {},
        (400, "unsupported_grant_type"),
    ),
    "an unknown grant": ({"grant_type": "password"}, {}, (400, "unsupported_grant_type")),
    "a device code that is none": ({"grant_type": DEVICE_CODE}, {}, (400, "expired_token")),
}


@pytest.mark.parametrize("row", WRONG)
async def test_others_get_nothing(row: str) -> None:
    """Errors are those of RFC 6749 section 5.2 and RFC 8628 section 3.5."""
    form, headers, (status, error) = WRONG[row]
    async with running() as peer:
        answer = await peer.post("/token", CREDENTIALS | form, **headers)

    assert answer == (status, {"error": error})


async def test_a_person_approves_a_device() -> None:
    """Pending until somebody approves at /device; then a User's token, once."""
    async with running() as peer:
        device = await peer.begin()
        pending = await peer.poll(device)
        page, _ = await peer.post("/device", {"user_code": device["user_code"], "person": "alice"})
        status, answer = await peer.poll(device)
        again = await peer.poll(device)
        found = await peer.verifier().verify(answer["access_token"])

    assert pending == (400, {"error": "authorization_pending"})
    assert (page, status) == (200, 200)
    assert again == (400, {"error": "expired_token"})
    assert (found.kind, found.id) == (Kind.USER, "demo/alice")
    assert found.groups == {"demo/analytics"}


async def test_the_page_is_filled_in() -> None:
    """The complete address leads to a form with the code, and nothing in it runs as a script."""
    async with running() as peer:
        device = await peer.begin()
        page = await peer.http.request("GET", device["verification_uri_complete"])
        evil = await peer.http.request("GET", f"{peer.url}/device?user_code='><script>")

    assert f"value='{device['user_code']}'".encode() in page.body
    assert b"<option>alice</option>" in page.body
    assert b"<script>" not in evil.body


@pytest.mark.parametrize("form", [{"user_code": "BBBB-BBBB", "person": "alice"}, {"person": "bob"}])
async def test_a_wrong_approval_changes_nothing(form: dict[str, str]) -> None:
    """A wrong code or an unknown person is told, and the device goes on waiting."""
    async with running() as peer:
        device = await peer.begin()
        status, _ = await peer.post("/device", {"user_code": device["user_code"]} | form)
        pending = await peer.poll(device)

    assert status == 404
    assert pending == (400, {"error": "authorization_pending"})


async def test_a_demo_can_approve_by_itself() -> None:
    """With `approve` the first poll is answered."""
    async with running(approve="alice") as peer:
        status, _ = await peer.poll(await peer.begin())

    assert status == 200


async def test_devices_do_not_pile_up() -> None:
    """At DEVICES_MAX no more may begin, until the old ones have ended."""
    async with running() as peer:
        first, *_ = [await peer.begin() for _ in range(DEVICES_MAX)]
        full = await peer.begin()
        peer.clock.at += timedelta(seconds=LIFETIME_S)
        ended = await peer.poll(first)
        again = await peer.begin()

    assert full == {"error": "slow_down"}
    assert ended == (400, {"error": "expired_token"})
    assert "device_code" in again


def test_who_approves_must_exist() -> None:
    """A demo that names nobody does not start."""
    with pytest.raises(ValueError, match="bob"):
        create_app(Directory(**CLIENTS), lambda: 0.0, approve="bob")


COMMAND = [sys.executable, "-m", "interlock.sandbox.issuer"]


@pytest.mark.peer
def test_as_a_program(tmp_path: Path) -> None:
    """It says where it is, hands out tokens, and ends in order on SIGTERM."""
    clients = tmp_path / "clients.json"
    clients.write_text(json.dumps(CLIENTS))
    command = [*COMMAND, "--port", "0", "--clients", str(clients)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        words, _, url = process.stdout.readline().strip().rpartition(" ")
        status, _ = Idp(url).post("/token", CREDENTIALS)
        process.send_signal(signal.SIGTERM)
        ended = process.wait(10)

    assert (words, status, ended) == ("issuer ready", 200, 0)


@pytest.mark.parametrize("text", ["{", "{}", '{"audience": "a", "clients": {}, "x": 1}'])
def test_a_wrong_file_is_a_sentence(tmp_path: Path, text: str) -> None:
    """A file that is wrong ends it with 2 and its name, without a stack trace."""
    clients = tmp_path / "clients.json"
    clients.write_text(text)

    ended = subprocess.run(
        [*COMMAND, "--clients", str(clients)], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    assert "clients.json" in ended.stderr
    assert "Traceback" not in ended.stderr
