"""The application: HTTP in, an operation played or spoiled, HTTP out, every call in the journal."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from interlock.sandbox.looker.answers import Answer, Call, Refused, not_found, unprocessable
from interlock.sandbox.looker.content import Content
from interlock.sandbox.looker.controls import Sandbox, control_routes
from interlock.sandbox.looker.faults import spoiled
from interlock.sandbox.looker.instance import Looker
from interlock.sandbox.looker.operations import OPERATIONS, Operation
from interlock.sandbox.looker.projection import project

__all__ = ["create_app"]

BASE = "/api/4.0"
BODY_BYTES_MAX = 1_048_576  # a query's parameters take a few kB
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def create_app(content: Content, now: Callable[[], float]) -> Starlette:
    """The sandbox Looker: API 4.0 under `/api/4.0`, its scripts under `/_sandbox`.

    Serve it with `interlock.sandbox.server`, which can break connections when a fault asks for it.

    Args:
        content: What the instance contains.
        now: The real clock, UNIX seconds; scripts move the sandbox's own clock on from it.
    """
    sandbox = Sandbox(Looker(content, now))
    routes = [
        Route(BASE + op.path, _endpoint(sandbox, op), methods=[op.method]) for op in OPERATIONS
    ]
    logout = next(op for op in OPERATIONS if op.id == "logout")
    # The official Python SDK (26.22) leaves the version out when it logs out.
    routes.append(Route("/api/logout", _endpoint(sandbox, logout), methods=[logout.method]))
    elsewhere = Operation("", "", unknown)
    routes.append(Route("/api/{rest:path}", _endpoint(sandbox, elsewhere), methods=METHODS))
    return Starlette(routes=[*routes, *control_routes(sandbox)])


def unknown(_looker: Looker, _call: Call) -> Answer:
    """What the sandbox does not play; the journal has it under this name."""
    raise not_found()


def _endpoint(sandbox: Sandbox, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        looker = sandbox.looker
        call, problem = await _read(looker, operation, request)
        fault = sandbox.faults.take(operation.id)
        if fault and not fault.has_effect:
            answer = Answer()
        else:
            answer = _answer(looker, operation, call, problem)
        wall = looker.clock.wall()
        sandbox.journal.add(
            call,
            at=wall,
            status=fault.status_sent(answer.status) if fault else answer.status,
            effects=answer.effects,
            fault=fault.kind if fault else None,
        )
        response = _rendered(answer)
        if fault:
            response = await spoiled(fault, request, response, wall)
        # The instance's own clock, right or wrong: it is how a client can notice a skew.
        response.headers["Date"] = formatdate(wall, usegmt=True)
        return response

    return endpoint


async def _read(
    looker: Looker, operation: Operation, request: Request
) -> tuple[Call, Refused | None]:
    """The call, and what is wrong with its body, if anything is."""
    token = _token(request.headers.get("Authorization", ""))
    body: Mapping[str, Any] = {}
    problem = None
    try:
        body = await _body(request)
    except Refused as refused:
        problem = refused
    call = Call(
        operation=operation.id,
        path=request.path_params,
        query=dict(request.query_params),
        body=body,
        token=token,
        user_id=looker.tokens.user(token, looker.clock.monotonic()),
    )
    return call, problem


def _token(authorization: str) -> str:
    """Looker takes `token X` and `Bearer X`."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() in ("token", "bearer") else ""


async def _body(request: Request) -> Mapping[str, Any]:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_BYTES_MAX:
            raise Refused(413, f"A body takes at most {BODY_BYTES_MAX} bytes")
    if not raw:
        return {}
    if request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(raw.decode("utf-8", "replace")))
    try:
        body = json.loads(raw)
    except ValueError as failure:  # also of bytes that are not UTF-8
        raise Refused(400, "The body is not JSON") from failure
    if not isinstance(body, dict):
        raise Refused(400, "The body is not a JSON object")
    return body


def _answer(looker: Looker, operation: Operation, call: Call, problem: Refused | None) -> Answer:
    try:
        return _played(looker, operation, call, problem)
    except Refused as refused:
        return Answer(refused.body, refused.status)


def _played(looker: Looker, operation: Operation, call: Call, problem: Refused | None) -> Answer:
    if operation.id != "login" and call.user_id is None:
        raise Refused(401, "Requires authentication.")
    if problem:
        raise problem
    answer = operation.play(looker, call)
    body = answer.body
    if "limit" in operation.takes:
        body = _page(body, call.query)
    if "fields" in operation.takes:
        body = project(body, call.query.get("fields"))
    return replace(answer, body=body)


def _page(body: list[Any], query: Mapping[str, str]) -> list[Any]:
    start = _count(query, "offset", 0)
    return body[start : start + _count(query, "limit", len(body))]


def _count(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal():
        raise unprocessable(name, "invalid", f"{name} must be a whole number, 0 or more")
    return int(text)


def _rendered(answer: Answer) -> Response:
    if answer.status == HTTPStatus.NO_CONTENT:
        return Response(status_code=answer.status)
    if isinstance(answer.body, str):
        return PlainTextResponse(answer.body, answer.status)
    return JSONResponse(answer.body, answer.status)
