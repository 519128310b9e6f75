"""The event: a fact some system reports (CloudEvents 1.0.2, https://github.com/cloudevents/spec)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What JSON can say (RFC 8259)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact, as reported. Immutable; a correction is a new event.

    Attributes:
        source: URI-reference of the system that reports it.
        id: unique within `source`; the two together are the event's identity.
        time: when the fact happened, aware, as the sender says.
        extensions: attributes beyond the specification's own, as text.
        digest: hex SHA-256 of what the fact *is*: type, subject, dataschema and canonical data
            (RFC 8785). Sending time, trace context and extensions are outside it.
        body: the event as CloudEvents JSON, kept for delivery, reading and replay.
    """

    source: str
    id: str
    type: str
    subject: str | None = None
    time: datetime | None = None
    dataschema: str | None = None
    datacontenttype: str | None = None
    extensions: Mapping[str, str] = field(default_factory=dict[str, str])
    data: Json = None
    digest: str
    body: bytes

    @property
    def key(self) -> str:
        """The identity used for once-only capture: hex SHA-256 of source and id."""
        return event_key(self.source, self.id)

    def attribute(self, name: str) -> str | None:
        """A context attribute as text (RFC 3339 for `time`); None if the event lacks it."""
        match name:
            case "id" | "source" | "type" | "subject" | "dataschema" | "datacontenttype":
                value: str | None = getattr(self, name)
                return value
            case "time":
                return self.time.isoformat() if self.time else None
            case "specversion":
                return "1.0"
            case _:
                return self.extensions.get(name)


def event_key(source: str, event_id: str) -> str:
    """The key of the event `event_id` of `source`. NUL cannot occur in either, so none collide."""
    return sha256(f"{source}\0{event_id}".encode()).hexdigest()
