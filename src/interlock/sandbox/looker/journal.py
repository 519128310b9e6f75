"""The journal: every call in order, and how often each effect has happened."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from interlock.sandbox.looker.answers import Call

__all__ = ["Entry", "Journal"]

CALLS_MAX = 100_000  # newest calls kept, about 100 MB; effects are counted for ever
SECRETS = frozenset({"client_secret", "access_token"})


@dataclass(frozen=True)
class Entry:
    """One call: what was asked, by whom, what was answered and what it changed.

    `at` is UNIX seconds on the sandbox's clock; `status` is None when the client got no answer.
    """

    number: int
    at: float
    operation: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    user: str | None
    source: str | None
    status: int | None
    effects: tuple[str, ...]
    fault: str | None


class Journal:
    """Keeps no secret: neither tokens nor client secrets are ever written."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=CALLS_MAX)
        self._effects: Counter[str] = Counter()
        self._calls = 0

    def add(
        self,
        call: Call,
        *,
        at: float,
        status: int | None,
        effects: tuple[str, ...],
        fault: str | None,
    ) -> None:
        """Write one call."""
        self._calls += 1
        self._effects.update(effects)
        self._entries.append(
            Entry(
                number=self._calls,
                at=at,
                operation=call.operation,
                path=call.path,
                query=_harmless(call.query),
                body=_harmless(call.body),
                user=call.user_id,
                source=call.source,
                status=status,
                effects=effects,
                fault=fault,
            )
        )

    def calls(self) -> list[dict[str, Any]]:
        """The newest `CALLS_MAX` calls, oldest first."""
        return [asdict(entry) for entry in self._entries]

    def effects(self) -> dict[str, int]:
        """Each effect with its count."""
        return dict(self._effects)

    def forget(self) -> None:
        """Begin anew; numbers go on."""
        self._entries.clear()
        self._effects.clear()


def _harmless(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in SECRETS}
