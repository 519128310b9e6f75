"""A gateway in this process behind a real socket, an issuer whose tokens a test can forge, and raw HTTP.

What a test sends is bytes, and it reads until the gateway ends the connection: nothing between them
repairs what was said.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from interlock.adapters.clock import SystemClock
from interlock.app import bootstrap, configuration
from interlock.core.entry import Entry
from interlock.sandbox.server import serving
from interlock.surfaces.http import application, listen, serve
from tests.adapters.identity.forge import RSA, claims, token
from tests.surfaces.cli.gateway import AUDIENCE, endpoint

ANSWER_S = 10.0  # any answer comes in milliseconds; this ends a test whose gateway hangs
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
GROUPS = {"airflow": ["data-eng"], "auditor": ["audit"], "stranger": []}
POLICIES = """\
@id("loads")
permit (principal in Group::"forge/data-eng", action, resource);

@id("audit-prod")
permit (principal in Group::"forge/audit", action == Action::"read", resource == Source::"airflow-prod");

@id("audit-hook")
permit (principal in Group::"forge/audit", action == Action::"read", resource == Target::"hook");
"""
"""Loaders may do everything; the auditors see one source and one target, and no payload."""


def site(folder: Path, issuer: str, endpoint: str) -> Path:
    """A site's files in `folder`; the path of its configuration.

    It has two sources, targets that answer and one that is gone, and a route for each end.
    """
    (folder / "policies").mkdir()
    (folder / "policies" / "base.cedar").write_text(POLICIES)
    file = folder / "interlock.yaml"
    file.write_text(_config(issuer, endpoint))
    return file


def _config(issuer: str, endpoint: str) -> str:
    return f"""\
site: acme
environment: test
identity:
  audience: {AUDIENCE}
  issuers: [{{name: forge, url: "{issuer}", groups_claim: groups}}]
sources:
  airflow-prod: {{owner: data-platform, uri: "airflow://prod"}}
  airflow-dev: {{owner: everyone, uri: "airflow://dev"}}
targets:
  hook: {{connector: http, owner: apps, base_url: "{endpoint}", repeat: harmless}}
  side: {{connector: http, owner: apps, base_url: "{endpoint}", repeat: harmless}}
  gone: {{connector: http, owner: apps, base_url: "http://127.0.0.1:9"}}
routes:
  - {{name: tell, when: {{subject: {{prefix: load_}}}}, to: hook, do: post, with: {{path: /taken}}, within: 10m}}
  - {{name: also, when: {{subject: load_both}}, to: side, do: post, with: {{path: /taken}}, within: 10m}}
  - {{name: break, when: {{subject: broken}}, to: hook, do: post, with: {{path: /rejected}}, within: 10m}}
  - {{name: lose, when: {{subject: lost}}, to: gone, do: post, within: 10m}}
  - {{name: unmapped, when: {{subject: unmapped}}, to: hook, do: post, with: {{path: "${{{{ event.data.nowhere }}}}"}}, within: 10m}}
"""


@dataclass(frozen=True)
class Reply:
    """One answer as it came; `more` is what followed it before the connection ended."""

    status: int
    headers: dict[str, str]
    body: bytes
    more: bytes = b""

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Gateway:
    """A gateway at work."""

    running: bootstrap.Running
    port: int
    issuer: str
    folder: Path

    def token(self, client: str = "airflow", **changes: object) -> str:
        """A token of that client, its claims changed as told."""
        return forged(self.issuer, client, **changes)

    def head(self, method: str, path: str, *headers: str, client: str | None = "airflow") -> bytes:
        """The head of a request, of that client (None: of nobody)."""
        lines = [f"{method} {path} HTTP/1.1", "Host: gateway"]
        if client:
            lines.append(f"Authorization: Bearer {self.token(client)}")
        return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1")

    async def raw(self, *parts: bytes) -> Reply:
        """What the gateway says to these bytes until it ends the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            async with asyncio.timeout(ANSWER_S):
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                return _reply(await reader.read())
        finally:
            writer.close()

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *headers: str,
        client: str | None = "airflow",
    ) -> Reply:
        """The answer to one request as honest clients write it."""
        framing = ("Connection: close", f"Content-Length: {len(body)}")
        return await self.raw(self.head(method, path, *framing, *headers, client=client) + body)

    async def submit(
        self, body: bytes, *headers: str, kind: str = STRUCTURED, client: str | None = "airflow"
    ) -> Reply:
        """The answer to `POST /v1/events`."""
        return await self.ask(
            "POST", "/v1/events", body, f"Content-Type: {kind}", *headers, client=client
        )

    async def settled(self, id_: str, **parts: object) -> dict[str, Any]:
        """Submit an event and wait for its end; the receipt."""
        reply = await self.submit(event(id_, **parts), "Prefer: wait=10")
        assert reply.status == 202, reply.body
        receipt: dict[str, Any] = reply.json()
        return receipt

    @asynccontextmanager
    async def beside(self, running: bootstrap.Running) -> AsyncIterator["Gateway"]:
        """Another gateway on the same ledger: this one with a part exchanged."""
        async with _answering(running) as port:
            yield replace(self, running=running, port=port)

    async def last(self) -> int:
        """The position of the ledger's last entry."""
        return await self.running.gateway.ledger.last()

    async def entries(self, after: int) -> list[Entry]:
        """What has been recorded behind that position."""
        return [*await self.running.gateway.ledger.entries(after, 500)]


def forged(issuer: str, client: str, **changes: object) -> str:
    """A token of that client which is believed now, its claims changed as told."""
    now = int(SystemClock().now().timestamp())
    says = {
        "iss": issuer,
        "sub": client,
        "client_id": client,
        "groups": GROUPS[client],
        "iat": now,
        "nbf": now,
        "exp": now + 300,
    }
    return token(claims(**(says | changes)))


def event(id_: str, **parts: object) -> bytes:
    """A load's event as structured mode has it; None takes an attribute out."""
    attributes = {
        "specversion": "1.0",
        "type": "airflow.dag_run.succeeded",
        "source": "airflow://prod",
        "subject": "load_orders",
        "id": id_,
        "data": {"run_id": f"run-{id_}"},
    }
    changed = attributes | parts
    return json.dumps(
        {name: value for name, value in changed.items() if value is not None}
    ).encode()


@asynccontextmanager
async def gateway(folder: Path) -> AsyncIterator[Gateway]:
    """A gateway with its files in `folder`, for the length of the block."""
    with endpoint() as hook:
        async with serving(issuing()) as issuer:
            loaded = configuration.load(site(folder, issuer, hook), bootstrap.connectors())
            async with (
                bootstrap.running(loaded) as running,
                _answering(running) as port,
            ):
                running.gateway.admit.strangers.most = 10_000  # a test is a crowd of them
                yield Gateway(running, port, issuer, folder)


@asynccontextmanager
async def _answering(running: bootstrap.Running) -> AsyncIterator[int]:
    """The port at which that gateway answers."""
    stop = asyncio.Event()
    with listen("127.0.0.1", 0) as listener:
        answering = asyncio.create_task(serve(application(running), listener, stop))
        try:
            yield listener.getsockname()[1]
        finally:
            stop.set()
            await answering


def issuing() -> Starlette:
    """The two documents of an issuer whose one key is the forger's."""

    async def discovery(request: Request) -> JSONResponse:
        url = str(request.base_url).rstrip("/")
        return JSONResponse({"issuer": url, "jwks_uri": f"{url}/jwks"})

    async def jwks(_: Request) -> JSONResponse:
        return JSONResponse({"keys": [RSA.jwk()]})

    return Starlette(
        routes=[Route("/.well-known/openid-configuration", discovery), Route("/jwks", jwks)]
    )


def _reply(answer: bytes) -> Reply:
    head, _, rest = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    length = int(headers["content-length"])
    assert len(rest) >= length, "the answer ended before its body did"
    return Reply(int(first.split()[1]), headers, rest[:length], rest[length:])
