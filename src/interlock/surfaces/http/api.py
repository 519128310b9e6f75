"""The verbs that read, through FastAPI, and the document that describes every verb."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from interlock import __version__
from interlock.adapters.cloudevents import BATCH, STRUCTURED
from interlock.app.bootstrap import Running
from interlock.app.verbs import VERBS, Gateway
from interlock.core.errors import BadRequest, NotFound, Refusal
from interlock.core.principal import Principal
from interlock.core.step import State
from interlock.ports import Filter
from interlock.surfaces.http.boundary import credential
from interlock.surfaces.http.problems import Failed, WrongMethod, problem_body, problem_headers

PAGE_MAX = 500  # rows: about 200 KiB

Text = Annotated[str, Query(max_length=2_048)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]
SUMMARY = {verb.name: verb.summary for verb in VERBS}


router = APIRouter()


def _gateway(request: Request) -> Gateway:
    found: Gateway = request.app.state.gateway
    return found


async def _caller(request: Request) -> Principal:
    return await _gateway(request).admit.identify(credential(request.scope["headers"]))


Gate = Annotated[Gateway, Depends(_gateway)]
Caller = Annotated[Principal, Depends(_caller)]


@router.get("/v1/handoffs", operation_id="handoffs", summary=SUMMARY["handoffs"])
async def handoffs(  # noqa: PLR0913, PLR0917 - FastAPI reads the query from it
    gateway: Gate,
    principal: Caller,
    source: Text = "",
    event: Text = "",
    type: Text = "",  # noqa: A002 - the attribute's name
    subject: Text = "",
    since: datetime | None = None,
    after: Text = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """One parameter for each part of the filter."""
    wanted = Filter(
        source=source,
        event=event,
        type=type,
        subject=subject,
        since=_aware(since),
        after=after,
        limit=limit,
    )
    return await gateway.handoffs(wanted, principal)


@router.get("/v1/handoffs/{id}", operation_id="trace", summary=SUMMARY["trace"])
async def trace(
    gateway: Gate,
    principal: Caller,
    id: str,  # noqa: A002 - the path's word
) -> dict[str, Any]:
    """One hand-off whole."""
    return await gateway.trace(id, principal)


@router.get("/v1/deliveries", operation_id="deliveries", summary=SUMMARY["deliveries"])
async def deliveries(  # noqa: PLR0913, PLR0917 - FastAPI reads the query from it
    gateway: Gate,
    principal: Caller,
    handoff: Text = "",
    route: Text = "",
    target: Text = "",
    state: State | None = None,
    since: datetime | None = None,
    after: Text = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """One parameter for each part of the filter."""
    wanted = Filter(
        handoff=handoff,
        route=route,
        target=target,
        state=state,
        since=_aware(since),
        after=after,
        limit=limit,
    )
    return await gateway.deliveries(wanted, principal)


def api(running: Running) -> FastAPI:
    """The FastAPI application over this gateway."""
    app = FastAPI(
        title="Interlock",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.gateway = running.gateway
    app.include_router(router)
    _public(app, running)
    _problems(app)
    _described(app)
    return app


def _public(app: FastAPI, running: Running) -> None:
    """What needs no credential, for it tells nothing about anyone."""

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> dict[str, str]:
        await running.gateway.ledger.cursor("readyz")  # raises NotReady: 503
        return {"status": "ready", "config_rev": running.gateway.site.rev}

    if issuer := running.issuer:

        @app.get("/.well-known/openid-configuration", include_in_schema=False)
        async def discovery() -> dict[str, Any]:
            return issuer.discovery()

        @app.get("/.well-known/jwks.json", include_in_schema=False)
        async def jwks() -> dict[str, Any]:
            return issuer.jwks()


def _problems(app: FastAPI) -> None:
    """Every refusal looks alike, whoever raised it."""

    @app.exception_handler(Refusal)
    async def refused(_: Request, err: Refusal) -> Response:
        return _answer(err)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, err: RequestValidationError) -> Response:
        first = err.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        return _answer(BadRequest(f"{field}: {first['msg']}", field=field))

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, err: HTTPException) -> Response:
        path = request.url.path
        if err.status_code == WrongMethod.status:
            allow = (err.headers or {}).get("Allow", "")
            return _answer(WrongMethod(f"{path} takes {allow}", allow=allow))
        return _answer(NotFound(f"there is nothing at {path}"))

    @app.exception_handler(Exception)
    async def failed(_: Request, __: Exception) -> Response:
        return _answer(Failed())  # the server logs what it was


def _answer(refusal: Refusal) -> Response:
    headers = {name.decode(): value.decode() for name, value in problem_headers(refusal)}
    return Response(problem_body(refusal), refusal.status, headers)


def _described(app: FastAPI) -> None:
    """Add the verbs that are not FastAPI's to its OpenAPI document."""
    made = app.openapi

    def with_events() -> dict[str, Any]:
        document = made()
        one = {"schema": {"type": "object", "required": ["specversion", "id", "source", "type"]}}
        many = {"schema": {"type": "array", "items": one["schema"]}}
        for name, content in (
            ("submit", {STRUCTURED: one, BATCH: many}),
            ("plan", {STRUCTURED: one}),
        ):
            verb = next(verb for verb in VERBS if verb.name == name)
            document["paths"][verb.path] = {
                verb.method.lower(): {
                    "operationId": verb.name,
                    "summary": verb.summary,
                    "requestBody": {"required": True, "content": content},
                    "responses": {
                        "202" if name == "submit" else "200": {"description": verb.summary},
                        "4XX": {"description": "A refusal (RFC 9457)"},
                    },
                }
            }
        return document

    app.openapi = with_events  # type: ignore[method-assign]  # FastAPI's documented way


def _aware(at: datetime | None) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise BadRequest("since: give an offset: 2026-01-01T00:00:00Z", field="since")
    return at
