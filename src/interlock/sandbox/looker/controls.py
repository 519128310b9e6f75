"""The scripts: what a test or a rehearsal tells the sandbox under `/_sandbox`, and reads there.

POST   /_sandbox/advance  {"seconds": 10}               time passes
POST   /_sandbox/clock    {"frozen": true, "skew_s": -90}  the clock stands still, or is wrong
POST   /_sandbox/tokens   {"ttl_s": 30, "revoke_all": true}  tokens to come; tokens there are
POST   /_sandbox/builds   a BuildScript                 how later PDT builds go
POST   /_sandbox/tasks    a TaskScript                  how later query tasks go
POST   /_sandbox/faults   a Fault                       what spoils the next calls
DELETE /_sandbox/faults                                 nothing does
GET    /_sandbox/journal  every call      DELETE        forget calls and effects
GET    /_sandbox/effects  {"triggered datagroup shop::orders_datagroup": 1, ...}
"""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from interlock.sandbox.looker.answers import Refused, checked, unprocessable
from interlock.sandbox.looker.builds import BuildScript
from interlock.sandbox.looker.faults import Fault, Faults
from interlock.sandbox.looker.instance import Looker
from interlock.sandbox.looker.journal import Journal
from interlock.sandbox.looker.operations import OPERATIONS
from interlock.sandbox.looker.tasks import TaskScript

__all__ = ["Advance", "ClockScript", "Sandbox", "TokenScript", "control_routes"]

BASE = "/_sandbox"
Script = TypeVar("Script", bound=BaseModel)


class Sandbox:
    """The instance, what spoils its calls, and who writes them down."""

    def __init__(self, looker: Looker) -> None:
        self.looker = looker
        self.faults = Faults()
        self.journal = Journal()


class Advance(BaseModel):
    """Let time pass at once."""

    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(ge=0)


class ClockScript(BaseModel):
    """Stop or start the clock; set how wrong it is. What is absent stays as it is."""

    model_config = ConfigDict(extra="forbid")

    frozen: bool | None = None
    skew_s: float | None = Field(default=None, description="Seconds ahead; negative is behind.")


class TokenScript(BaseModel):
    """`ttl_s` is the life of tokens issued from now on; `revoke_all` ends those there are."""

    model_config = ConfigDict(extra="forbid")

    ttl_s: float | None = Field(default=None, gt=0)
    revoke_all: bool = False


def control_routes(sandbox: Sandbox) -> list[Route]:
    """The routes under `/_sandbox`. They ask for no token: they are served on loopback only."""
    looker = sandbox.looker
    return [
        _post("advance", Advance, lambda script: looker.clock.advance(script.seconds)),
        _post("clock", ClockScript, lambda script: _set_clock(looker, script)),
        _post("tokens", TokenScript, lambda script: _set_tokens(looker, script)),
        _post("builds", BuildScript, looker.builds.script),
        _post("tasks", TaskScript, looker.tasks.script),
        _post("faults", Fault, lambda fault: _add_fault(sandbox, fault)),
        _delete("faults", sandbox.faults.clear),
        _get("journal", sandbox.journal.calls),
        _delete("journal", sandbox.journal.forget),
        _get("effects", sandbox.journal.effects),
    ]


def _set_clock(looker: Looker, script: ClockScript) -> None:
    if script.skew_s is not None:
        looker.clock.skew_s = script.skew_s
    if script.frozen is not None:
        (looker.clock.freeze if script.frozen else looker.clock.thaw)()


def _set_tokens(looker: Looker, script: TokenScript) -> None:
    if script.ttl_s is not None:
        looker.tokens.ttl_s = script.ttl_s
    if script.revoke_all:
        looker.tokens.revoke_all()


def _add_fault(sandbox: Sandbox, fault: Fault) -> None:
    known = {operation.id for operation in OPERATIONS}
    if fault.operation is not None and fault.operation not in known:
        raise unprocessable("operation", "invalid", f"one of {', '.join(sorted(known))}")
    sandbox.faults.add(fault)


def _post(name: str, model: type[Script], apply: Callable[[Script], None]) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            apply(checked(model, json.loads(await request.body() or b"{}")))
        except Refused as refused:
            return JSONResponse(refused.body, refused.status)
        except json.JSONDecodeError as failure:
            return JSONResponse({"message": f"The body is not JSON: {failure}"}, 400)
        return Response(status_code=204)

    return Route(f"{BASE}/{name}", endpoint, methods=["POST"])


def _get(name: str, read: Callable[[], Any]) -> Route:
    async def endpoint(_request: Request) -> Response:
        return JSONResponse(read())

    return Route(f"{BASE}/{name}", endpoint, methods=["GET"])


def _delete(name: str, forget: Callable[[], None]) -> Route:
    async def endpoint(_request: Request) -> Response:
        forget()
        return Response(status_code=204)

    return Route(f"{BASE}/{name}", endpoint, methods=["DELETE"])
