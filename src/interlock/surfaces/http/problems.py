"""A refusal as an HTTP answer: RFC 9457 problem details with a stable `code`."""

from collections.abc import Mapping

import orjson

from interlock.core.errors import NotIdentified, NotReady, Refusal, TooMany

PROBLEM = "application/problem+json"
RETRYABLE = (TooMany, NotReady)


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
    return found


def problem_body(refusal: Refusal) -> bytes:
    """The answer's body."""
    return orjson.dumps(problem(refusal))
