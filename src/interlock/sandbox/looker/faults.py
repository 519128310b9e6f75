"""Faults on demand: the next calls fail as networks, proxies and servers make them fail."""

from email.utils import formatdate
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from interlock.sandbox.looker.answers import Refused

__all__ = ["Fault", "FaultKind", "Faults", "spoiled"]

TIMES_MAX = 10_000  # calls one fault may spoil; more is a mistake in the script


class FaultKind(StrEnum):
    """What goes wrong.

    RESET breaks the connection, STALL never answers (it ends when the client gives up), TRUNCATED
    sends the first half of the real answer, HTML sends a proxy's error page.
    """

    UNAUTHORIZED = "unauthorized"
    TOO_MANY_REQUESTS = "too_many_requests"
    SERVER_ERROR = "server_error"
    RESET = "reset"
    STALL = "stall"
    TRUNCATED = "truncated"
    HTML = "html"


class Fault(BaseModel):
    """Spoil the next `times` calls, of one operation or of any."""

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    operation: str | None = Field(default=None, description="An operation id; None is any.")
    times: int = Field(default=1, ge=1, le=TIMES_MAX)
    when: Literal["before", "after"] = Field(
        default="before",
        description="Whether the call has its effect; a truncated answer always comes after it.",
    )
    status: int = Field(default=503, ge=500, le=599, description="Of server_error and html.")
    retry_after_s: int | None = Field(
        default=None, ge=0, description="Retry-After; None sends none."
    )
    retry_after_as: Literal["seconds", "date"] = "seconds"

    @property
    def has_effect(self) -> bool:
        """Whether the call is played before it is spoiled."""
        return self.when == "after" or self.kind is FaultKind.TRUNCATED

    def status_sent(self, real: int) -> int | None:
        """The status that the client sees instead of `real`; None if it sees none."""
        match self.kind:
            case FaultKind.UNAUTHORIZED:
                return 401
            case FaultKind.TOO_MANY_REQUESTS:
                return 429
            case FaultKind.SERVER_ERROR | FaultKind.HTML:
                return self.status
            case FaultKind.RESET | FaultKind.STALL:
                return None
            case FaultKind.TRUNCATED:
                return real


class Faults:
    """The faults to come, first in first out."""

    def __init__(self) -> None:
        self._coming: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let it happen, after those added before."""
        self._coming.append(fault)

    def clear(self) -> None:
        """Let no more faults happen."""
        self._coming.clear()

    def take(self, operation: str) -> Fault | None:
        """The fault that this call of `operation` meets; it has then happened once."""
        for place, fault in enumerate(self._coming):
            if fault.operation in (None, operation):
                left = fault.model_copy(update={"times": fault.times - 1})
                self._coming[place : place + 1] = [left] if left.times else []
                return fault
        return None


async def spoiled(fault: Fault, request: Request, real: Response, wall: float) -> Response:
    """What goes to the client instead of `real`; for RESET and STALL, nothing ever does.

    Args:
        fault: What goes wrong.
        request: The call; served by `interlock.sandbox.server`, which can break connections.
        real: The right answer.
        wall: Now, UNIX seconds, for a `Retry-After` that is a date.
    """
    status = fault.status_sent(real.status_code)
    if status is None:
        if fault.kind is FaultKind.RESET:
            request.state.reset()
        while (await request.receive())["type"] != "http.disconnect":
            pass
        return Response()  # to nobody
    match fault.kind:
        case FaultKind.TRUNCATED:
            half = bytes(real.body[: len(real.body) // 2])
            return Response(half, status, media_type=real.media_type)
        case FaultKind.HTML:
            page = f"<!DOCTYPE html>\n<html><head><title>{status}</title></head></html>\n"
            return HTMLResponse(page, status)
        case FaultKind.UNAUTHORIZED:
            body = Refused(status, "Requires authentication.").body
        case _:
            body = Refused(status, "An error has occurred.").body
    return JSONResponse(body, status, headers=_retry_after(fault, wall))


def _retry_after(fault: Fault, wall: float) -> dict[str, str]:
    # RFC 9110 10.2.3: seconds, or an HTTP date.
    if fault.retry_after_s is None:
        return {}
    if fault.retry_after_as == "seconds":
        return {"Retry-After": str(fault.retry_after_s)}
    return {"Retry-After": formatdate(wall + fault.retry_after_s, usegmt=True)}
