"""An endpoint that answers as told and remembers what it was sent: an Http (see ports)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from interlock.ports import Answer


@dataclass(frozen=True)
class Heard:
    """A request as it arrived."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    within: timedelta


@dataclass
class Endpoint:
    """It answers every request alike, or raises."""

    answer: Answer | Exception = field(
        default_factory=lambda: Answer(status=200, headers={}, body=b"")
    )
    heard: list[Heard] = field(default_factory=list[Heard])

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        within: timedelta = timedelta(seconds=10),
        size_max: int = 1_048_576,
    ) -> Answer:
        """See Http."""
        self.heard.append(Heard(method, url, headers or {}, body, within))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer
