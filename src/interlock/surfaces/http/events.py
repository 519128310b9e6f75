"""`POST /v1/events` and `POST /v1/plan`: plain ASGI, for each event passes here.

FastAPI's way through dependencies costs twice the CPU of the whole request; its OpenAPI document
still describes both (see api.py).
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

import orjson

from interlock.adapters.cloudevents import (
    BATCH,
    BODY_BYTES_MAX,
    STRUCTURED,
    media_type,
    read_batch,
    read_binary,
    read_event,
)
from interlock.app.verbs import Gateway
from interlock.core.errors import BadRequest, Refusal, TooLarge, UnsupportedMedia
from interlock.core.event import Event, Json
from interlock.core.principal import Principal
from interlock.surfaces.http.boundary import Headers, credential
from interlock.surfaces.http.problems import TooSlow, problem

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BATCH_BYTES_MAX = 4 * BODY_BYTES_MAX
BODY_S = 15.0  # for a body to arrive

_WAIT = re.compile(rb"(?:.*[,;]\s*)?wait=(\d{1,4})(?:\s*[,;].*)?\Z")


async def events(gateway: Gateway, scope: Scope, receive: Receive) -> tuple[int, Json]:
    """Submit what the request holds; the status and the answer. Raises Refusal."""
    headers = scope["headers"]
    principal = await gateway.admit.identify(credential(headers))
    found = await _read(headers, receive)
    wait_s = _wait_s(headers)
    if isinstance(found, Event):
        return 202, await gateway.submit(found, principal, wait_s)
    ends = await asyncio.gather(*(_each(gateway, each, principal, wait_s) for each in found))
    statuses = {status for status, _ in ends}
    answers: list[Json] = [{"status": status, **answer} for status, answer in ends]
    return (statuses.pop() if len(statuses) == 1 else 207), {"events": answers}


async def plan(gateway: Gateway, scope: Scope, receive: Receive) -> tuple[int, Json]:
    """Plan the one event of the request; the status and the answer. Raises Refusal."""
    headers = scope["headers"]
    principal = await gateway.admit.identify(credential(headers))
    found = await _read(headers, receive)
    if not isinstance(found, Event):
        raise BadRequest("one event can be planned at a time", field="content-type")
    return 200, await gateway.plan(found, principal)


async def _each(
    gateway: Gateway, found: Event | Refusal, principal: Principal, wait_s: float
) -> tuple[int, Mapping[str, Any]]:
    """What one event of a batch comes to: nothing that happens to it touches the others."""
    try:
        if isinstance(found, Refusal):
            raise found
        return 202, await gateway.submit(found, principal, wait_s)
    except Refusal as refusal:
        return refusal.status, problem(refusal)


async def _read(headers: Headers, receive: Receive) -> Event | list[Event | Refusal]:
    """The event, or the events of a batch: HTTP protocol binding 3."""
    names = dict(headers)
    kind = media_type(names.get(b"content-type", b"").decode("latin-1"))
    if kind == STRUCTURED:
        return read_event(await _body(receive, BODY_BYTES_MAX))
    if kind == BATCH:
        return read_batch(await _body(receive, BATCH_BYTES_MAX))
    if any(name.startswith(b"ce-") for name in names):
        return read_binary(headers, await _body(receive, BODY_BYTES_MAX))
    raise UnsupportedMedia(
        f"send {STRUCTURED}, {BATCH}, or binary mode with ce- headers", field="content-type"
    )


async def _body(receive: Receive, most: int) -> bytes:
    """The whole body, of at most `most` bytes."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise BadRequest("the request ended before its body did", field="(body)")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > most:
                    raise TooLarge(f"the body may have {most} bytes", limit=most)
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError as err:
        raise TooSlow(f"the body must arrive within {BODY_S:g} s") from err


def _wait_s(headers: Headers) -> float:
    """RFC 7240 4.3: how long the caller would wait for the end."""
    for name, value in headers:
        if name == b"prefer" and (found := _WAIT.match(value)):
            return float(found[1])
    return 0


def encoded(answer: Json) -> bytes:
    """The answer's body."""
    return orjson.dumps(answer)
