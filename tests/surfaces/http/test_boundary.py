"""The boundary, a row for each: a request has one reading or none (specs: RFC 9110, 9112)."""

import asyncio
from pathlib import Path

import pytest

from interlock.surfaces.http import events, wire
from interlock.surfaces.http.boundary import HEADER_BYTES_MAX, HEADERS_MAX, QUERY_BYTES_MAX
from tests.surfaces.http.gateway import ANSWER_S, STRUCTURED, Gateway, Reply, event
from tests.surfaces.http.gateway import gateway as gateway_in

KIND = f"Content-Type: {STRUCTURED}"
CHUNKED = "Transfer-Encoding: chunked"


def refused(reply: Reply, status: int, code: str) -> bool:
    """Whether it is a problem of that code, said once, and the connection was ended after it."""
    told = reply.json()
    return (
        reply.headers["content-type"] == "application/problem+json"
        and reply.headers["connection"] == "close"
        and (reply.status, told["status"], told["code"], reply.more) == (status, status, code, b"")
    )


def chunks(body: bytes, *trailers: str) -> bytes:
    """The body in one chunk."""
    lines = "".join(f"{trailer}\r\n" for trailer in trailers).encode()
    return b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, lines)


async def test_the_harness_can_fail(gateway: Gateway) -> None:
    """What every row below is a small change of is accepted: a row is refused for that change."""
    body = event("harness")
    head = gateway.head("POST", "/v1/events", KIND, CHUNKED, "Connection: close", "Prefer: wait=9")

    reply = await gateway.raw(head + chunks(body))

    assert reply.status == 202
    assert not refused(reply, 400, "request.malformed")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(["Content-Length: {n}", "Content-Length: {n}"], id="two lengths"),
        pytest.param(["Content-Length: {n}, {n}"], id="a list of lengths"),
        pytest.param(["Content-Length: +{n}"], id="a signed length"),
        pytest.param(["Content-Length: -{n}"], id="a negative length"),
        pytest.param(["Content-Length: 0x{n}"], id="a length in hex"),
        pytest.param(["Content-Length: {n} {n}"], id="a length with a space"),
        pytest.param(["Content-Length: 99999999999999999999"], id="a length beyond 64 bits"),
        pytest.param(["Content-Length:"], id="an empty length"),
        pytest.param(["Content-Length: {n}", CHUNKED], id="length, then chunked"),
        pytest.param([CHUNKED, "Content-Length: {n}"], id="chunked, then length"),
        pytest.param([CHUNKED, CHUNKED], id="chunked twice"),
        pytest.param(["Transfer-Encoding: gzip, chunked"], id="a coding nobody decodes"),
        pytest.param(["Transfer-Encoding: chunked, identity"], id="chunked is not the last"),
        pytest.param(["Transfer-Encoding: xchunked"], id="nearly chunked"),
        pytest.param(["Transfer-Encoding : chunked"], id="a space before the colon"),
        pytest.param(["Transfer-Encoding: \x0bchunked"], id="a vertical tab"),
        pytest.param([CHUNKED, "X: a\r\n folded"], id="obs-fold"),
        pytest.param([CHUNKED, "X: a\nY: b"], id="a bare LF"),
        pytest.param([CHUNKED, "X: a\rb"], id="a bare CR"),
        pytest.param([CHUNKED, "X: a\0b"], id="a NUL"),
        pytest.param([CHUNKED, "X Y: a"], id="a space in a name"),
        pytest.param([CHUNKED, ": a"], id="an empty name"),
        pytest.param([CHUNKED, "Host: other"], id="two Hosts"),
        pytest.param([CHUNKED, "Authorization: Bearer other"], id="two Authorizations"),
        pytest.param([CHUNKED, KIND], id="two Content-Types"),
        pytest.param([CHUNKED, "Prefer: wait=1", "Prefer: wait=9"], id="two Prefers"),
        pytest.param([CHUNKED, "Connection: upgrade", "Upgrade: h2c"], id="an upgrade"),
    ],
)
async def test_an_ambiguous_head_is_refused(gateway: Gateway, headers: list[str]) -> None:
    """400, the connection ends, and nothing of it is recorded."""
    body = event("ambiguous")
    n, before = len(body), await gateway.last()
    framed = [header.replace("{n}", str(n)) for header in headers]
    sent = chunks(body) if "Transfer-Encoding" in "".join(framed) else body

    reply = await gateway.raw(gateway.head("POST", "/v1/events", KIND, *framed) + sent)

    assert refused(reply, 400, "request.malformed")
    assert await gateway.last() == before


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"0x%x\r\n%b\r\n0\r\n\r\n", id="hex prefix"),
        pytest.param(b"-%x\r\n%b\r\n0\r\n\r\n", id="negative"),
        pytest.param(b"+%x\r\n%b\r\n0\r\n\r\n", id="signed"),
        pytest.param(b" %x\r\n%b\r\n0\r\n\r\n", id="space before"),
        pytest.param(b"%x \r\n%b\r\n0\r\n\r\n", id="space after"),
        pytest.param(b"1111111111111111%x\r\n%b\r\n0\r\n\r\n", id="beyond 64 bits"),
        pytest.param(b"%x\n%b\n0\n\n", id="bare LF"),
        pytest.param(b"%x;a\nb\r\n%b\r\n0\r\n\r\n", id="bare LF in an extension"),
        pytest.param(b"%x\r\n%bXX0\r\n\r\n", id="no line end after the data"),
        pytest.param(b"\r\n%x\r\n%b\r\n0\r\n\r\n", id="no size"),
    ],
)
async def test_a_malformed_chunk_is_refused(gateway: Gateway, broken: bytes) -> None:
    """400, the connection ends, and nothing of it is recorded, however much was read before."""
    body, before = event("chunk"), await gateway.last()
    head = gateway.head("POST", "/v1/events", KIND, CHUNKED)

    reply = await gateway.raw(head, broken % (len(body), body))

    assert refused(reply, 400, "request.malformed")
    assert await gateway.last() == before


@pytest.mark.parametrize(
    "target",
    [
        "/v1/handoffs/",
        "//v1/handoffs",
        "/v1//handoffs",
        "/v1/./handoffs",
        "/v1/x/../handoffs",
        "/../v1/handoffs",
        "/v1/%2e%2e/v1/handoffs",
        "/v1%2fhandoffs",
        "/v1%252fhandoffs",
        "/v1/%68andoffs",
        "/v1/handoffs%00",
        "/v1/handoffs%zz",
        "/v1/handoffs;a=b",
        "/v1\\handoffs",
        "/v1/handoffs\xff",
        "/v1/hand\toffs",
        "/v1/hand offs",
        "/v1/handoffs#part",
        "/.hidden",
        "/.well-known/../v1/handoffs",
        "v1/handoffs",
        "*",
        "gateway:80",
        "http://gateway/v1/handoffs",
        "http://elsewhere/v1/handoffs",
        "https://a@gateway/v1/handoffs",
    ],
)
async def test_a_target_has_one_reading(gateway: Gateway, target: str) -> None:
    """No dots, no escapes, no empty parts, no other host: 400, and no redirect to a nicer one."""
    before = await gateway.last()

    reply = await gateway.raw(gateway.head("GET", target))

    assert refused(reply, 400, "request.malformed")
    assert await gateway.last() == before


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(b"GET /healthz HTTP/1.1\r\n\r\n", id="no Host"),
        pytest.param(b"GET /healthz\r\n\r\n", id="HTTP 0.9"),
        pytest.param(b"GET /healthz HTTP/1.0\r\n\r\n", id="HTTP 1.0 without Host"),
        pytest.param(b"GET /healthz HTTP/3.7\r\nHost: a\r\n\r\n", id="a version nobody speaks"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP 2"),
        pytest.param(b"GET /healthz HTTP/1.1\nHost: a\n\n", id="bare LF"),
        pytest.param(b"BREW /healthz HTTP/1.1\r\nHost: a\r\n\r\n", id="a method nobody knows"),
        pytest.param(
            b"POST /v1/events HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            id="HTTP 1.0 with chunks",
        ),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00", id="TLS"),
    ],
)
async def test_what_is_no_request_is_refused(gateway: Gateway, request_: bytes) -> None:
    """400 as a problem, and the connection ends."""
    assert refused(await gateway.raw(request_), 400, "request.malformed")


@pytest.mark.parametrize("whole", [True, False], ids=["in one packet", "after the body"])
async def test_a_trailer_is_no_header(gateway: Gateway, whole: bool) -> None:
    """A credential that comes after the body identifies nobody, though it be a good one."""
    body, good = event("trailer"), gateway.token()
    head = gateway.head("POST", "/v1/events", KIND, CHUNKED, "Connection: close", client=None)
    tail = chunks(body, f"Authorization: Bearer {good}")
    parts = [head + tail] if whole else [head, tail]

    reply = await gateway.raw(*parts)

    assert reply.status == 401


async def test_a_trailer_is_no_attribute(gateway: Gateway) -> None:
    """In binary mode attributes are headers: one in a trailer is not there, so the id is missing."""
    head = gateway.head(
        *("POST", "/v1/events", "Content-Type: application/json", CHUNKED, "Connection: close"),
        *("ce-specversion: 1.0", "ce-source: airflow://prod", "ce-type: t"),
    )

    reply = await gateway.raw(head + chunks(b"{}", "ce-id: late"))

    assert (reply.status, reply.json()["field"]) == (400, "id")


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-User: airflow",
        "x-forwarded-user: airflow",
        "X_Forwarded_User: airflow",
        "X-Remote-User: airflow",
        "X-Forwarded-For: 127.0.0.1",
        "Connection: authorization",
    ],
)
async def test_a_header_identifies_nobody(gateway: Gateway, header: str) -> None:
    """Who the caller is, only a token says: with it the header changes nothing, without it is 401."""
    [whoever, stranger] = [
        await gateway.ask("GET", "/v1/handoffs", b"", header, client=client)
        for client in (None, "stranger")
    ]

    assert whoever.status == 401
    assert stranger.json() == {"handoffs": [], "next": None}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([f"x{n}: a" for n in range(HEADERS_MAX)], id="too many"),
        pytest.param([f"x: {'a' * HEADER_BYTES_MAX}"], id="too long"),
    ],
)
async def test_too_many_headers(gateway: Gateway, headers: list[str]) -> None:
    """431, which names both limits."""
    reply = await gateway.raw(gateway.head("GET", "/v1/handoffs", *headers))

    assert refused(reply, 431, "request.headers_too_large")
    assert str(HEADER_BYTES_MAX) in reply.json()["detail"]


async def test_a_head_without_end(gateway: Gateway) -> None:
    """431 while it is still coming: what a head may hold in memory is bounded."""
    part = b"x: " + b"a" * 16_384

    reply = await gateway.raw(b"GET /healthz HTTP/1.1\r\n", part, part, part, part)

    assert refused(reply, 431, "request.headers_too_large")


async def test_a_query_without_end(gateway: Gateway) -> None:
    """413, which names the limit."""
    query = "a" * (QUERY_BYTES_MAX + 1)

    reply = await gateway.ask("GET", f"/v1/handoffs?source={query}")

    assert (reply.status, reply.json()["limit"]) == (413, QUERY_BYTES_MAX)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that waits a fifth of a second for what is slow."""
    monkeypatch.setattr(events, "BODY_S", 0.2)
    monkeypatch.setattr(wire, "HEAD_S", 0.2)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param((True, b'{"specversion"'), id="a body that stops"),
        pytest.param((True, b""), id="a body that does not begin"),
        pytest.param((False, b"POST /v1/events HTTP/1.1\r\nHost:"), id="a head that stops"),
        pytest.param((False, b""), id="silence"),
    ],
)
async def test_what_does_not_arrive_in_time(gateway: Gateway, sent: tuple[bool, bytes]) -> None:
    """408 and the end of the connection: a slow sender holds nothing for long."""
    (has_head, part), before = sent, await gateway.last()
    head = gateway.head("POST", "/v1/events", KIND, "Content-Length: 900") if has_head else b""

    reply = await gateway.raw(head + part)

    assert refused(reply, 408, "request.too_slow")
    assert await gateway.last() == before


@pytest.mark.usefixtures("impatient")
async def test_a_long_wait_is_not_slow(tmp_path: Path) -> None:
    """The limits are for what has to arrive: while the gateway itself takes long, none runs."""
    async with gateway_in(tmp_path) as gateway:
        reply = await gateway.submit(event("long", subject="lost"), "Prefer: wait=1")

    assert reply.status == 202
    assert reply.json()["state"] in {"pending", "sending", "unknown"}


async def test_requests_after_one_another(gateway: Gateway) -> None:
    """Two honest requests in one packet get two answers, in order."""
    first = gateway.head("GET", "/healthz")
    second = gateway.head("GET", "/nothing", "Connection: close")

    reply = await gateway.raw(first + second)

    assert reply.status == 200
    assert reply.more.startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/v1/events", 401), ("GET", "/healthz", 200), ("GET", "/v1/handoffs", 401)],
)
@pytest.mark.parametrize("framing", ["Content-Length: 1000000", CHUNKED])
async def test_an_answer_before_the_end_of_the_body_ends_the_connection(
    gateway: Gateway, method: str, path: str, status: int, framing: str
) -> None:
    """What is left of an answered request is not waited for, nor taken for the next one."""
    reply = await gateway.raw(gateway.head(method, path, KIND, framing, client=None))

    assert (reply.status, reply.more) == (status, b"")
    assert reply.headers["connection"] == "close"


async def test_an_answer_after_the_end_of_the_body_does_not(gateway: Gateway) -> None:
    """A whole request that is refused costs its sender no connection, chunks or not."""
    whole = gateway.head("POST", "/v1/events", KIND, CHUNKED, client=None) + chunks(b"{}")
    last = gateway.head("GET", "/healthz", "Connection: close")

    reply = await gateway.raw(whole + last)

    assert reply.status == 401
    assert "connection" not in reply.headers
    assert reply.more.startswith(b"HTTP/1.1 200 ")


@pytest.mark.usefixtures("impatient")
async def test_an_empty_line_is_no_request(gateway: Gateway) -> None:
    """Between two requests it is let pass (RFC 9112 2.2), and keeps no connection open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(gateway.head("GET", "/healthz"))
    first = await reader.readuntil(b"\r\n\r\n")
    async with asyncio.timeout(ANSWER_S):
        writer.write(b"\r\n")
        rest = await reader.read()
    writer.close()

    assert first.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in rest


async def test_nothing_follows_a_refusal(gateway: Gateway) -> None:
    """What comes behind an ambiguous request is not taken for the next one."""
    first = gateway.head("GET", "/v1//handoffs")
    second = gateway.head("GET", "/healthz", "Connection: close")

    assert refused(await gateway.raw(first + second), 400, "request.malformed")


async def test_a_caller_who_leaves(gateway: Gateway) -> None:
    """A body that is broken off is nothing: no event, no entry."""
    before = await gateway.last()
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(gateway.head("POST", "/v1/events", KIND, "Content-Length: 900") + event("left"))
    await writer.drain()
    writer.close()
    await writer.wait_closed()

    assert (await gateway.ask("GET", "/healthz")).status == 200
    assert await gateway.last() == before
