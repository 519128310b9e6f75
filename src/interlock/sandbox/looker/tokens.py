"""Access tokens: opaque, short-lived, known only here."""

import secrets

__all__ = ["Tokens"]


class Tokens:
    """The live tokens. An expired or revoked one is as unknown as one never issued."""

    def __init__(self, ttl_s: float) -> None:
        self.ttl_s = ttl_s
        self._live: dict[str, tuple[str, float]] = {}  # token -> its user, its end

    def issue(self, user_id: str, now: float) -> str:
        """A new token for `ttl_s` seconds from `now`."""
        self._live = {token: life for token, life in self._live.items() if now < life[1]}
        token = secrets.token_urlsafe(30)  # 40 characters, as long as Looker's
        self._live[token] = (user_id, now + self.ttl_s)
        return token

    def user(self, token: str, now: float) -> str | None:
        """Whose token this is, if it lives."""
        user_id, end = self._live.get(token, (None, now))
        return user_id if now < end else None

    def revoke(self, token: str) -> None:
        """End one token; ending it again changes nothing."""
        self._live.pop(token, None)

    def revoke_all(self) -> None:
        """End every token, whatever life it had left."""
        self._live.clear()
