"""What needs no credential, and what every answer looks like that is not the one asked for."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace

import pytest

from interlock.app.verbs import VERBS
from interlock.core.principal import Principal
from tests.surfaces.http.gateway import Gateway, event


@asynccontextmanager
async def without(gateway: Gateway, table: str) -> AsyncIterator[None]:
    """A ledger whose database answers with an error wherever that table is asked, for the block."""
    with closing(sqlite3.connect(gateway.folder / "interlock.db")) as database:
        database.execute(f"ALTER TABLE {table} RENAME TO gone")
        try:
            yield
        finally:
            database.execute(f"ALTER TABLE gone RENAME TO {table}")


async def test_it_is_alive(gateway: Gateway) -> None:
    """`/healthz` needs no credential and tells nothing about anyone."""
    reply = await gateway.ask("GET", "/healthz", client=None)

    assert (reply.status, reply.json()) == (200, {"status": "alive"})


async def test_it_is_ready(gateway: Gateway) -> None:
    """`/readyz` says so, with the revision of the configuration."""
    reply = await gateway.ask("GET", "/readyz", client=None)

    rev = gateway.running.gateway.site.rev
    assert (reply.status, reply.json()) == (200, {"status": "ready", "config_rev": rev})


async def test_it_is_not_ready_without_its_ledger(gateway: Gateway) -> None:
    """503 as a problem that says when to ask again; alive all the same, and ready again after."""
    async with without(gateway, "cursors"):
        broken = await gateway.ask("GET", "/readyz", client=None)
        alive = await gateway.ask("GET", "/healthz", client=None)
    after = await gateway.ask("GET", "/readyz", client=None)

    assert (broken.status, broken.json()["code"]) == (503, "ledger.not_ready")
    assert broken.headers["content-type"] == "application/problem+json"
    assert broken.headers["retry-after"] == "2"
    assert (alive.status, after.status) == (200, 200)


async def test_nothing_is_accepted_without_the_ledger(gateway: Gateway) -> None:
    """503 and retryable, never a 2xx; the same event sent again is then the first of its name."""
    async with without(gateway, "event_keys"):
        broken = await gateway.submit(event("later"))
    after = await gateway.submit(event("later"))

    assert (broken.status, broken.json()["retryable"]) == (503, True)
    assert "retry-after" in broken.headers
    assert (after.status, after.json()["duplicate"]) == (202, False)


async def test_the_document_has_every_verb(gateway: Gateway) -> None:
    """`/openapi.json` names each verb with its method and path."""
    document = (await gateway.ask("GET", "/openapi.json", client=None)).json()

    assert {(verb.name, verb.method, verb.path) for verb in VERBS} == {
        (described["operationId"], method.upper(), path)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    }


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v2/events", "/docs", "/redoc", "/metrics", "/v1/handoffs/a/b", "/favicon.ico"],
)
async def test_what_is_not_there(gateway: Gateway, path: str) -> None:
    """404 as a problem whose status is the answer's."""
    reply = await gateway.ask("GET", path)

    told = reply.json()
    assert (reply.status, told["status"], told["code"]) == (404, 404, "request.not_found")
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["openid-configuration", "jwks.json"])
async def test_a_gateway_that_issues_nothing(gateway: Gateway, path: str) -> None:
    """Without `issuer` in the configuration the two documents of an issuer are not there."""
    assert (await gateway.ask("GET", f"/.well-known/{path}")).status == 404


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v1/events", "POST"),
        ("PUT", "/v1/events", "POST"),
        ("GET", "/v1/plan", "POST"),
        ("POST", "/v1/handoffs", "GET"),
        ("DELETE", "/v1/handoffs/h-000000000000000000000000", "GET"),
        ("PATCH", "/v1/deliveries", "GET"),
        ("OPTIONS", "/v1/deliveries", "GET"),
        ("TRACE", "/healthz", "GET"),
    ],
)
async def test_a_wrong_method(gateway: Gateway, method: str, path: str, allow: str) -> None:
    """405 as a problem whose status is the answer's, with what is allowed (RFC 9110 15.5.6)."""
    reply = await gateway.ask(method, path)

    told = reply.json()
    assert (reply.status, told["status"], told["code"]) == (405, 405, "request.wrong_method")
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["allow"] == allow


class Broken:
    """A verifier with a bug."""

    async def verify(self, credential: str) -> Principal:
        """Fail as no verifier should."""
        raise ZeroDivisionError("secret detail")


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/events"), ("GET", "/v1/handoffs")])
async def test_our_own_mistake(gateway: Gateway, method: str, path: str) -> None:
    """500 as a problem that tells nothing of what it was; the gateway goes on."""
    running = gateway.running
    admit = replace(running.gateway.admit, verifier=Broken())
    async with gateway.beside(
        replace(running, gateway=replace(running.gateway, admit=admit))
    ) as it:
        broken = await it.ask(method, path)
        after = await it.ask("GET", "/healthz")

    assert (broken.status, broken.json()["code"]) == (500, "gateway.failed")
    assert broken.headers["content-type"] == "application/problem+json"
    assert b"secret detail" not in broken.body
    assert after.status == 200
