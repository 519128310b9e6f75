"""What is no event: a 4xx problem that names the field, and nothing recorded."""

import json

import pytest

from interlock.adapters.cloudevents import (
    ATTRIBUTE_CHARS_MAX,
    BATCH_MAX,
    BODY_BYTES_MAX,
    EXTENSIONS_MAX,
)
from interlock.surfaces.http.events import BATCH_BYTES_MAX
from tests.surfaces.http.gateway import BATCH, STRUCTURED, Gateway, event

BINARY = ("ce-specversion: 1.0", "ce-type: t", "ce-source: airflow://prod", "ce-id: binary")
DEEP = b'{"data":' + b"[" * 200 + b"]" * 200 + b"}"


def twice(name: str, value: str) -> bytes:
    """A good event with one member twice."""
    return event("twice")[:-1] + f', "{name}": {value}}}'.encode()


async def test_the_harness_can_fail(gateway: Gateway) -> None:
    """The event that every row below spoils is accepted and recorded, so a row is refused for it."""
    before = await gateway.last()

    reply = await gateway.submit(event("good"), "Prefer: wait=10")

    assert reply.status == 202
    assert await gateway.last() > before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "(body)"),
        (b"{", "(body)"),
        (b"null", "(body)"),
        (b"[]", "(body)"),
        (b'"an event"', "(body)"),
        (event("x") + b"{}", "(body)"),
        (event("x").replace(b"run-x", b"\xff"), "(body)"),
        (event("x").replace(b"run-x", b"\xed\xa0\x80"), "(body)"),
        (event("x").replace(b"run-x", b"\\ud800"), "(body)"),
        (event("x").replace(b"run-x", b"a\\u0000b"), "(body)"),
        (b"\xef\xbb\xbf" + event("x"), "(body)"),
        (event("x").decode().encode("utf-16"), "(body)"),
        (twice("id", '"another"'), "(body)"),
        (twice("data", '{"a": 1, "a": 2}'), "(body)"),
        (event("x", data=None)[:-1] + b', "data": NaN}', "(body)"),
        (event("x", data=None)[:-1] + b', "data": -Infinity}', "(body)"),
        (event("x", data=None)[:-1] + b', "data": 1e999}', "(body)"),
        (event("x", data=2**53), "(body)"),
        (DEEP, "(body)"),
        (event("x", specversion=None), "specversion"),
        (event("x", specversion="0.3"), "specversion"),
        (event("x", specversion=1.0), "specversion"),
        (event("x", id=None), "id"),
        (event(""), "id"),
        (event("x", id=7), "id"),
        (event("x", id=["x"]), "id"),
        (event("x", id="a\nb"), "id"),
        (event("x", source=None), "source"),
        (event("x", source=""), "source"),
        (event("x", source={"uri": "airflow://prod"}), "source"),
        (event("x", source="airflow prod"), "source"),
        (event("x", source="airflow://prod/%zz"), "source"),
        (event("x", type=None), "type"),
        (event("x", type=True), "type"),
        (event("x", subject=""), "subject"),
        (event("x", subject=1), "subject"),
        (event("x", subject="s" * (ATTRIBUTE_CHARS_MAX + 1)), "subject"),
        (event("x", dataschema="not a uri"), "dataschema"),
        (event("x", datacontenttype="json"), "datacontenttype"),
        (event("x", time="yesterday"), "time"),
        (event("x", time="2026-01-01"), "time"),
        (event("x", time="2026-01-01T00:00:00"), "time"),
        (event("x", time="2026-13-01T00:00:00Z"), "time"),
        (event("x", time="2026-02-30T00:00:00Z"), "time"),
        (event("x", time="2026-01-01T25:00:00Z"), "time"),
        (event("x", time="1969-12-31T23:59:59Z"), "time"),
        (event("x", time="9999-12-31T23:59:59-23:59"), "time"),
        (event("x", time="0001-01-01T00:00:00+23:59"), "time"),
        (event("x", time=1_767_225_600), "time"),
        (event("x", Upper="a"), "Upper"),
        (event("x", with_underscore="a"), "with_underscore"),
        (event("x", extension={"a": 1}), "extension"),
        (event("x", extension=1.5), "extension"),
        (event("x", **{f"x{n}": "a" for n in range(EXTENSIONS_MAX + 1)}), "(extensions)"),
        (event("x", data_base64="AA=="), "data_base64"),
        (event("x", data=None, data_base64="!"), "data_base64"),
        (event("x", data=None, data_base64=7), "data_base64"),
    ],
)
async def test_a_malformed_event(gateway: Gateway, body: bytes, field: str) -> None:
    """400 and the field at fault; never a repaired event, never a 500."""
    before = await gateway.last()

    reply = await gateway.submit(body)

    told = reply.json()
    assert (reply.status, told["code"], told["field"]) == (400, "event.malformed", field)
    assert reply.headers["content-type"] == "application/problem+json"
    assert await gateway.last() == before


@pytest.mark.parametrize(
    ("headers", "kind", "body", "field"),
    [
        (BINARY[:3], "application/json", b"{}", "id"),
        (BINARY, "application/json", b"{", "(body)"),
        (BINARY, "application/json", b'{"a": 1, "a": 2}', "(body)"),
        ((*BINARY, "CE-Id: other"), "application/json", b"{}", "id"),
        ((*BINARY, "ce-data: 1"), "application/json", b"{}", "data"),
        ((*BINARY, "ce-datacontenttype: a/b"), "application/json", b"{}", "datacontenttype"),
        ((*BINARY, "ce-subject: %ff"), "application/json", b"{}", "subject"),
        ((*BINARY, "ce-subject: a%00b"), "application/json", b"{}", "subject"),
        ((*BINARY, "ce-time: today"), "application/json", b"{}", "time"),
        ((*BINARY, "ce-bad_name: a"), "application/json", b"{}", "bad_name"),
        (("ce-id: x",), "application/json", b"{}", "specversion"),
    ],
)
async def test_a_malformed_binary_event(
    gateway: Gateway, headers: tuple[str, ...], kind: str, body: bytes, field: str
) -> None:
    """Attributes in headers are held to the same rules."""
    before = await gateway.last()

    reply = await gateway.submit(body, *headers, kind=kind)

    told = reply.json()
    assert (reply.status, told["code"], told["field"]) == (400, "event.malformed", field)
    assert await gateway.last() == before


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "text/plain",
        "application/cloudevents+xml",
        "application/cloudevents",
        "",
        "cloudevents",
        f"{STRUCTURED}; charset=utf-16",
        f"{BATCH}; charset=latin-1",
    ],
)
async def test_an_unknown_content_type(gateway: Gateway, kind: str) -> None:
    """415 that names the header and the forms that are read."""
    before = await gateway.last()

    reply = await gateway.submit(event("kind"), kind=kind)

    told = reply.json()
    assert (reply.status, told["code"]) == (415, "event.unsupported_media")
    assert told["field"] == "content-type"
    assert await gateway.last() == before


def sized(size: int) -> bytes:
    """An event of exactly so many bytes."""
    empty = event("sized", data="")
    return event("sized", data="a" * (size - len(empty)))


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
async def test_a_body_over_the_limit(gateway: Gateway, chunked: bool) -> None:
    """413 names the limit, whether the size was announced or came chunk by chunk."""
    body, before = sized(BODY_BYTES_MAX + 1), await gateway.last()
    head = ("POST", "/v1/events", f"Content-Type: {STRUCTURED}", "Connection: close")

    if chunked:
        pieces = [body[at : at + 9_999] for at in range(0, len(body), 9_999)]
        parts = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
        sent = gateway.head(*head, "Transfer-Encoding: chunked"), *parts, b"0\r\n\r\n"
    else:
        sent = gateway.head(*head, f"Content-Length: {len(body)}"), body
    reply = await gateway.raw(*sent)

    told = reply.json()
    assert (reply.status, told["code"]) == (413, "request.too_large")
    assert told["limit"] == BODY_BYTES_MAX
    assert await gateway.last() == before


async def test_a_body_at_the_limit(gateway: Gateway) -> None:
    """The limit itself is allowed: 256 KiB, to the byte."""
    reply = await gateway.submit(sized(BODY_BYTES_MAX), "Prefer: wait=10")

    assert reply.status == 202


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        (b"[" + b",".join([b"{}"] * (BATCH_MAX + 1)) + b"]", BATCH_MAX),
        (b"[" + b" " * BATCH_BYTES_MAX + b"]", BATCH_BYTES_MAX),
    ],
    ids=["too many", "too long"],
)
async def test_a_batch_over_the_limit(gateway: Gateway, body: bytes, limit: int) -> None:
    """413 for the whole of it, with the limit it is over."""
    before = await gateway.last()

    reply = await gateway.submit(body, kind=BATCH)

    assert (reply.status, reply.json()["limit"]) == (413, limit)
    assert await gateway.last() == before


async def test_one_event_of_a_batch_over_the_limit(gateway: Gateway) -> None:
    """It alone is refused."""
    body = b"[" + event("beside it") + b"," + sized(BODY_BYTES_MAX + 99) + b"]"

    reply = await gateway.submit(body, "Prefer: wait=10", kind=BATCH)

    assert [each["status"] for each in reply.json()["events"]] == [202, 413]


@pytest.mark.parametrize("body", [b"", b"{}", b'[{"id": "a", "id": "b"}]', b"[1,]"])
async def test_a_malformed_batch(gateway: Gateway, body: bytes) -> None:
    """400 for the whole of what is no JSON array."""
    before = await gateway.last()

    reply = await gateway.submit(body, kind=BATCH)

    assert (reply.status, reply.json()["field"]) == (400, "(body)")
    assert await gateway.last() == before


async def test_a_refusal_quotes_nothing_dangerous(gateway: Gateway) -> None:
    """A field's name comes back as short ASCII, whatever the sender wrote there."""
    body = json.dumps({"é" * 500: "x", **json.loads(event("quoted"))}).encode()

    reply = await gateway.submit(body)

    assert reply.json()["field"] == "?" * 64
