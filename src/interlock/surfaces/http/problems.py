"""A refusal as an HTTP answer: RFC 9457 problem details with a stable `code`.

Beside those of the core, HTTP has refusals of its own; they are here.
"""

from collections.abc import Mapping

import orjson

from interlock.core.errors import (
    BadRequest,
    CannotIdentify,
    NotIdentified,
    NotReady,
    Refusal,
    TooMany,
)

PROBLEM = "application/problem+json"
RETRYABLE = (TooMany, NotReady, CannotIdentify)


class WrongMethod(Refusal):
    """The path exists and has no such method; `allow` names those it has."""

    code, status, title = "request.wrong_method", 405, "Not what this path can do"


class TooSlow(Refusal):
    """The request did not arrive in time; slower senders hold a connection for nothing."""

    code, status, title = "request.too_slow", 408, "The request came too slowly"


class HeadersTooLarge(Refusal):
    """More headers, or more bytes of them, than any honest request has."""

    code, status, title = "request.headers_too_large", 431, "Headers too large"


class Failed(Refusal):
    """Our own mistake. What it was is in the log, not in the answer."""

    code, status, title = "gateway.failed", 500, "The gateway failed"

    def __init__(self) -> None:
        super().__init__("Try again; if it lasts, look for this time in the gateway's log.")


CLOSING = (BadRequest, TooSlow, HeadersTooLarge)
"""What ends the connection: who sends half a request may send the other half as the next one."""


def problem(refusal: Refusal) -> dict[str, object]:
    """The answer's members. A caller whom nobody knows is told nothing about why."""
    detail = refusal.detail
    fields: Mapping[str, object] = refusal.fields
    if isinstance(refusal, NotIdentified):
        detail, fields = "Send a valid token: Authorization: Bearer ...", {}
    return {
        "type": f"urn:interlock:refusal:{refusal.code}",
        "code": refusal.code,
        "title": refusal.title,
        "status": refusal.status,
        "detail": detail,
        "retryable": isinstance(refusal, RETRYABLE),
        **fields,
    }


def problem_headers(refusal: Refusal) -> list[tuple[bytes, bytes]]:
    """What the answer's headers must say beside its length."""
    found = [(b"content-type", PROBLEM.encode())]
    if isinstance(refusal, NotIdentified):
        found.append((b"www-authenticate", b'Bearer realm="interlock"'))
    if wait := refusal.fields.get("retry_after_s"):
        found.append((b"retry-after", str(wait).encode()))
    if allow := refusal.fields.get("allow"):
        found.append((b"allow", str(allow).encode()))
    if isinstance(refusal, CLOSING):
        found.append((b"connection", b"close"))
    return found


def problem_body(refusal: Refusal) -> bytes:
    """The answer's body."""
    return orjson.dumps(problem(refusal))
