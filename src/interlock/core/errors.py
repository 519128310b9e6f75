"""Every way Interlock says no to a caller.

* Refusal
  x BadRequest        400  the request is ambiguous or asks for what cannot be asked
  x Malformed         400  the request does not parse as an event
  x NotIdentified     401  the credential proves nobody
  x NotAllowed        403  policy says no
  x NotFound          404  there is no such thing, or the caller may not see it
  x Conflict          409  another fact already holds this source and id
  x TooLarge          413  over a limit of size
  x UnsupportedMedia  415  not a form of event we read
  x TooMany           429  the queue of a target is full
  x NotReady          503  the record cannot be written now
  x CannotIdentify    503  the keys to check a credential with cannot be had now
"""

from collections.abc import Mapping
from typing import ClassVar

from interlock.core.event import Event

QUEUE_FULL_S = 30  # told to callers of a full queue: some hundred deliveries later


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a malfunction
    """An expected "no", with what a caller needs to act on it.

    Attributes:
        code: stable and dotted; docs/refusals.md has a heading for each; never renamed.
        status: the HTTP status the gateway answers with.
        title: the same few words for every refusal of this code.
        fields: further members of the answer, e.g. the `field` at fault or `retry_after_s`.
    """

    code: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[str]

    def __init__(self, detail: str, **fields: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields: Mapping[str, object] = fields


class BadRequest(Refusal):
    """The request is ambiguous or asks for what cannot be asked; it is never repaired."""

    code, status, title = "request.malformed", 400, "Not a well-formed request"


class Malformed(Refusal):
    """The request does not parse as an event; `field` names what is wrong."""

    code, status, title = "event.malformed", 400, "Not a well-formed event"


class NotIdentified(Refusal):
    """The credential is missing, expired, or signed by nobody we trust.

    `detail` is for our own record; the caller is told only `title`, so that an attacker learns
    nothing about which check failed.
    """

    code, status, title = "identity.not_identified", 401, "Not identified"


class NotAllowed(Refusal):
    """The principal is known and policy forbids the action."""

    code, status, title = "policy.not_allowed", 403, "Not allowed"


class NotFound(Refusal):
    """There is no such thing, or the caller may not see it: the answer is the same."""

    code, status, title = "request.not_found", 404, "Not found"


class Conflict(Refusal):
    """Another fact already holds this source and id; both digests are in the answer."""

    code, status, title = "event.conflict", 409, "Another event holds this source and id"

    @classmethod
    def between(cls, event: Event, first_digest: str) -> "Conflict":
        """The refusal of `event`, whose source and id are held by a fact of `first_digest`."""
        return cls(
            f"source {event.source!r} has sent another event with id {event.id!r} before; "
            "a correction is a new event with a new id",
            first_digest=first_digest,
            digest=event.digest,
        )


class TooLarge(Refusal):
    """Over a limit of size; the answer names the limit."""

    code, status, title = "request.too_large", 413, "Too large"


class UnsupportedMedia(Refusal):
    """Neither CloudEvents structured JSON, nor a batch, nor binary."""

    code, status, title = "event.unsupported_media", 415, "Not a form of event Interlock reads"


class TooMany(Refusal):
    """The queue of a target is full; try again after `retry_after_s`."""

    code, status, title = "queue.full", 429, "Too many pending deliveries"

    @classmethod
    def at(cls, target: str, most: int) -> "TooMany":
        """The refusal where `target` has `most` deliveries open."""
        return cls(
            f"{target} has {most} deliveries open, which is the limit (pending_max); the event was "
            "not recorded, send it again later",
            limit=most,
            retry_after_s=QUEUE_FULL_S,
        )


class NotReady(Refusal):
    """The record cannot be written or read now; nothing was acknowledged and nothing is lost."""

    code, status, title = "ledger.not_ready", 503, "The ledger cannot be reached"


class CannotIdentify(Refusal):
    """The issuer of the credential cannot be reached for its keys: nobody is let in meanwhile."""

    code, status, title = "identity.not_ready", 503, "The caller cannot be identified now"
