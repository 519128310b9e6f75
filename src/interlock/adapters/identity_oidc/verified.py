"""Tokens that were verified a moment ago, so that a busy caller pays for a signature once."""

from datetime import datetime, timedelta
from hashlib import sha256

from interlock.core.principal import Principal

VERIFIED_FOR = timedelta(seconds=60)  # how long a fact about the issuer may go unnoticed
VERIFIED_MAX = 8_192  # principals kept; about 1 KiB each


class VerifiedTokens:
    """Principals by the SHA-256 of their token, for at most VERIFIED_FOR.

    Only successes come in, so that nobody fills it with rubbish; the oldest leaves first. The
    token itself is not kept.
    """

    def __init__(self) -> None:
        self._entries: dict[bytes, tuple[Principal, datetime]] = {}

    def find(self, token: str, now: datetime) -> Principal | None:
        """Whom this token proved, if that may still be relied on at `now`."""
        entry = self._entries.get(_digest(token))
        return entry[0] if entry is not None and now < entry[1] else None

    def remember(self, token: str, principal: Principal, now: datetime) -> None:
        """Keep it until VERIFIED_FOR from `now`, or until the token ends if that is sooner."""
        digest = _digest(token)
        self._entries.pop(digest, None)
        while len(self._entries) >= VERIFIED_MAX:
            del self._entries[next(iter(self._entries))]
        until = now + VERIFIED_FOR
        expires_at = principal.expires_at
        self._entries[digest] = (principal, min(until, expires_at) if expires_at else until)

    def forget_all(self) -> None:
        """A key was withdrawn: every token must prove itself again."""
        self._entries.clear()


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
