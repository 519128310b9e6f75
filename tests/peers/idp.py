"""A real OpenID provider on loopback (idp.mjs), and all that a test may ask of it.

A test package says `from tests.peers.idp import idp, idp_process` in its conftest.py.
"""

import json
import select
import shutil
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from tests.peers.required import missing

HERE = Path(__file__).parent
READY_WITHIN_S = 30  # a first cold start took 3.9 s
ANSWER_WITHIN_S = 10
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"

CLIENT = ("airflow-team-a", "only-for-tests-airflow-team-a")
"""A client with a secret; in the group data-eng."""

KEYED_CLIENT = "portal"
"""A client that proves itself with a signed JWT (RFC 7523); in the group apps."""

PUBLIC_CLIENT = "interlock-cli"
"""A client for the device flow, without a secret."""

KeysMode = Literal["ok", "error", "garbage", "huge", "redirect", "hang"]

_opener = build_opener(ProxyHandler({}))  # never through a proxy: it is on this machine


class Idp:
    """A running provider.

    Attributes:
        url: its issuer identifier and base address.
        audience: the audience of tokens for which no other was asked.
    """

    audience = "https://interlock.example"

    def __init__(self, url: str) -> None:
        self.url = url

    def client_token(
        self,
        client: tuple[str, str] = CLIENT,
        *,
        scope: str = "submit",
        audience: str | None = None,
    ) -> str:
        """An access token by client credentials (RFC 6749 section 4.4)."""
        basic = b64encode(":".join(client).encode()).decode()
        form = {"grant_type": "client_credentials", "scope": scope}
        form |= {"resource": audience} if audience else {}
        status, answer = self.post("/token", form, authorization=f"Basic {basic}")
        assert status == 200, answer
        return str(answer["access_token"])

    def client_key(self) -> bytes:
        """The private key of KEYED_CLIENT: PEM, P-256; its `kid` is portal-1."""
        return str(self._control("client_key")).encode()

    def mint(self, claims: Mapping[str, object], **options: object) -> str:
        """A token that says anything. Options: alg, typ (None: without), header, lifetime."""
        return str(self._control("mint", claims=claims, options=options))

    def sign_with(self, alg: Literal["RS256", "ES256", "EdDSA"]) -> None:
        """Sign access tokens with this algorithm from now on."""
        self._control("algorithm", alg=alg)

    def rotate(self, *, hard: bool = False) -> None:
        """New keys sign from now on; the old ones stay published unless `hard`."""
        self._control("rotate", mode="hard" if hard else "overlap")

    def serve_keys(self, mode: KeysMode) -> None:
        """How the key set answers from now on; "hang" holds back until the next mode is set."""
        self._control("keys", mode=mode)

    def keys_fetched(self) -> int:
        """How often the key set was asked for since the test began."""
        return int(self._control("keys_fetched"))

    def approve_device(self, user_code: str, person: Literal["alice", "bob"] = "alice") -> None:
        """What a person does in the browser: approve the device that shows this code."""
        self._control("settle_device", user_code=user_code, person=person)

    def deny_device(self, user_code: str) -> None:
        """What a careful person does in the browser: say no."""
        self._control("settle_device", user_code=user_code, person=None)

    def reset(self) -> None:
        """New keys, no faults, no counts: as if just started."""
        self._control("reset")

    def post(
        self, path: str, form: Mapping[str, str], **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """Send a form; the status and the JSON answer."""
        request = Request(self.url + path, urlencode(form).encode(), headers)
        try:
            with _opener.open(request, timeout=ANSWER_WITHIN_S) as answer:
                return answer.status, json.load(answer)
        except HTTPError as err:
            with err:
                return err.code, json.load(err)

    def _control(self, name: str, **arguments: object) -> Any:
        body = json.dumps(arguments).encode()
        with _opener.open(f"{self.url}/_test/{name}", body, timeout=ANSWER_WITHIN_S) as answer:
            return json.load(answer)


@contextmanager
def running_idp() -> Iterator[Idp]:
    """Start a provider on a free port, wait until it says it is ready, and end it after."""
    local = HERE.parents[1] / ".node" / "bin" / "node"
    node = shutil.which("node") or (str(local) if local.exists() else missing("node"))
    if not (HERE / "node_modules" / "oidc-provider").is_dir():
        missing("npm's oidc-provider (tests/peers/node_modules)")
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            [node, str(HERE / "idp.mjs")], stdout=subprocess.PIPE, stderr=complaints, text=True
        ) as process,
    ):
        try:
            yield Idp(_ready(process, "idp ready "))
        except NotReadyError as err:
            complaints.seek(0)
            raise NotReadyError(complaints.read().decode()) from err
        finally:
            process.terminate()


class NotReadyError(Exception):
    """A peer ended, or stayed silent for READY_WITHIN_S; the text is what it complained of."""


def _ready(process: subprocess.Popen[str], words: str) -> str:
    """What follows `words` on the process's first line."""
    assert process.stdout is not None
    spoken, _, _ = select.select([process.stdout], [], [], READY_WITHIN_S)
    line = process.stdout.readline() if spoken else ""
    if not line.startswith(words):
        raise NotReadyError(line)
    return line.removeprefix(words).strip()


@pytest.fixture(scope="session")
def idp_process() -> Iterator[Idp]:
    """One provider for all tests of a worker; use `idp`."""
    with running_idp() as running:
        yield running


@pytest.fixture
def idp(idp_process: Idp) -> Idp:
    """A provider as if just started."""
    idp_process.reset()
    return idp_process
