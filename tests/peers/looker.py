"""The sandbox Looker as a real process on loopback, with what a test wants to say to it and read there."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import yaml

SHOP = Path(__file__).parents[2] / "examples" / "airflow-looker" / "looker.yaml"
ANSWER_S = 10  # any answer comes in milliseconds; this ends a test whose sandbox hangs
END_S = 10  # from SIGTERM to the end


@dataclass(frozen=True)
class Reply:
    """An HTTP answer as it came."""

    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class LookerPeer:
    """A running sandbox Looker; `client_id` and `client_secret` are its first API key."""

    base_url: str
    client_id: str
    client_secret: str

    def script(self, name: str, **body: object) -> None:
        """POST to `/_sandbox/<name>`: advance, clock, tokens, builds, tasks or faults."""
        reply = self.request("POST", f"/_sandbox/{name}", body=body)
        assert reply.status == http.client.NO_CONTENT, reply.body.decode()

    def no_more_faults(self) -> None:
        """Forget the faults that have not happened yet."""
        self.request("DELETE", "/_sandbox/faults")

    def journal(self, operation: str | None = None) -> list[dict[str, Any]]:
        """Every call in order, or those of one operation."""
        calls = self.request("GET", "/_sandbox/journal").json()
        return [call for call in calls if operation in (None, call["operation"])]

    def effects(self) -> dict[str, int]:
        """How often each effect has happened."""
        effects: dict[str, int] = self.request("GET", "/_sandbox/effects").json()
        return effects

    def forget(self) -> None:
        """Begin the journal and the effects anew."""
        self.request("DELETE", "/_sandbox/journal")

    def login(self) -> str:
        """A token, by a call of its own."""
        form = {"client_id": self.client_id, "client_secret": self.client_secret}
        token: str = self.call("POST", "/login", form=form).json()["access_token"]
        return token

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: object = None,
        form: Mapping[str, str] | None = None,
        timeout_s: float = ANSWER_S,
    ) -> Reply:
        """One raw call of API 4.0; `path` comes after `/api/4.0`."""
        headers = {} if token is None else {"Authorization": f"token {token}"}
        path = f"/api/4.0{path}"
        return self.request(
            method, path, headers=headers, body=body, form=form, timeout_s=timeout_s
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        form: Mapping[str, str] | None = None,
        timeout_s: float = ANSWER_S,
    ) -> Reply:
        """One HTTP request on a connection of its own; `bytes` as body are sent as they are."""
        sent = dict(headers or {})
        data: bytes | None = None
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            data = urlencode(form).encode()
        elif isinstance(body, bytes):
            data = body
        elif body is not None:
            sent["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        connection = http.client.HTTPConnection(urlsplit(self.base_url).netloc, timeout=timeout_s)
        try:
            connection.request(method, path, body=data, headers=sent)
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()


@contextmanager
def looker(content: Path = SHOP) -> Iterator[LookerPeer]:
    """A sandbox Looker with this content, in a process of its own, for the length of the block."""
    key = yaml.safe_load(content.read_text(encoding="utf-8"))["api_clients"][0]
    command = [sys.executable, "-m", "interlock.sandbox.looker", "--content", str(content)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        try:
            assert line.startswith("looker ready "), f"the sandbox ended with {process.wait()}"
            yield LookerPeer(line.split()[-1], key["client_id"], key["client_secret"])
        finally:
            process.terminate()
            process.wait(END_S)
