"""The ASGI application: the boundary, then the two hot paths, then FastAPI for the rest."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from interlock.app.bootstrap import Running
from interlock.app.verbs import Gateway
from interlock.core.errors import Refusal
from interlock.core.event import Json
from interlock.surfaces.http.api import api
from interlock.surfaces.http.boundary import check
from interlock.surfaces.http.events import Receive, Scope, Send, encoded, events, plan
from interlock.surfaces.http.problems import Failed, WrongMethod, problem_body, problem_headers

LOG = logging.getLogger(__name__)
JSON = [(b"content-type", b"application/json")]

Handler = Callable[[Gateway, Scope, Receive], Awaitable[tuple[int, Json]]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
HANDLERS: dict[str, Handler] = {"/v1/events": events, "/v1/plan": plan}


def application(running: Running) -> App:
    """The whole HTTP surface of this gateway."""
    rest = api(running)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            return  # no lifespan of our own, no WebSocket
        try:
            check(scope["raw_path"], scope["query_string"], scope["headers"])
            handler = _handler(scope)
        except Refusal as refusal:
            await _refuse(send, refusal)
            return
        if handler:
            await _answer(send, handler, running.gateway, scope, receive)
        else:
            await rest(scope, receive, send)

    return app


def _handler(scope: Scope) -> Handler | None:
    """Who answers, if it is not FastAPI. Raises WrongMethod."""
    found = HANDLERS.get(scope["path"])
    if found and scope["method"] != "POST":
        raise WrongMethod(f"{scope['path']} takes POST", allow="POST")
    return found


async def _answer(
    send: Send, handler: Handler, gateway: Gateway, scope: Scope, receive: Receive
) -> None:
    try:
        status, answer = await handler(gateway, scope, receive)
    except Refusal as refusal:
        await _refuse(send, refusal)
    except Exception:
        LOG.exception("a request failed")
        await _refuse(send, Failed())
    else:
        await _send(send, status, JSON, encoded(answer))


async def _refuse(send: Send, refusal: Refusal) -> None:
    await _send(send, refusal.status, problem_headers(refusal), problem_body(refusal))


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    start: dict[str, Any] = {"type": "http.response.start", "status": status}
    await send(start | {"headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
