"""Access tokens: one login serves all who ask at once, and the next comes before it is needed."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

from pydantic import TypeAdapter

from interlock.connectors.kit import Tools
from interlock.connectors.looker import answers
from interlock.connectors.looker.config import LookerConfig
from interlock.connectors.looker.exchange import Call, CallError, read, send
from interlock.core.step import Unavailable
from interlock.ports import SecretError

LIFE_SHARE = 0.8  # of a token's life, and it is renewed: no call starts with one about to end

_GRANT = TypeAdapter(answers.Grant)


@dataclass(slots=True)
class Tokens:
    """The token of one API key."""

    config: LookerConfig
    base_url: str
    tools: Tools
    _token: str = field(default="", repr=False)
    _renew_at: datetime | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def token(self) -> str:
        """A token that is good now, as far as we know. Raises CallError: Unavailable."""
        async with self._lock:
            now = self.tools.clock.now()
            if self._renew_at is None or now >= self._renew_at:
                grant = await self._login()
                self._token = grant.access_token.get_secret_value()
                self._renew_at = now + timedelta(seconds=grant.expires_in * LIFE_SHARE)
            return self._token

    def forget(self, token: str) -> None:
        """Looker refuses it. If it has been replaced since, nothing is forgotten."""
        if token == self._token:
            self._renew_at = None

    async def _login(self) -> answers.Grant:
        secrets = self.tools.secrets
        try:
            key = {
                "client_id": secrets.resolve(self.config.client_id),
                "client_secret": secrets.resolve(self.config.client_secret),
            }
        except SecretError as err:
            raise CallError(Unavailable(str(err))) from err
        form = "application/x-www-form-urlencoded"
        call = Call(method="POST", path="/login", body=urlencode(key).encode(), content_type=form)
        answer = await send(self.tools.http, self.base_url, call)
        try:
            return read(call, answer, _GRANT, self.tools.clock.now())
        except CallError as err:
            # Even a refusal is worth another try: keys are rotated, and a bad one is a 404.
            wait = err.outcome.retry_after if isinstance(err.outcome, Unavailable) else None
            said = f"cannot log in with {self.config.client_id}: {err.outcome.reason}"
            raise CallError(Unavailable(said, wait), err.status) from err
