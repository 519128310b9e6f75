"""One issuer's keys, fetched when needed and kept while they may be trusted.

Age of the keys     what a token finds
up to KEYS_FRESH    the keys; one unknown `kid` fetches them again, at once
up to KEYS_STALE    fetched again first; if the issuer fails, the old keys, and tries go on behind
beyond              only what a fetch brings: otherwise CannotIdentify, nobody is let in

All fetches go through one bucket and at most one is under way, so a flood of made-up tokens
cannot make us flood the issuer (CVE-2026-48524 was that, in another library).
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from interlock.adapters.identity_oidc.bucket import Bucket
from interlock.adapters.identity_oidc.encoding import json_object
from interlock.adapters.identity_oidc.issuer import Issuer, may_fetch
from interlock.adapters.identity_oidc.keys import PublicKey, read_keys
from interlock.core.errors import CannotIdentify, NotIdentified
from interlock.ports import Http, NoAnswerError, NotSentError

KEYS_FRESH = timedelta(minutes=5)  # a key withdrawn in an emergency counts for no longer
KEYS_STALE = timedelta(hours=4)  # an outage we bridge; beyond, withdrawn keys are too likely
FETCHES_AT_ONCE = 5
FETCH_INTERVAL = timedelta(seconds=10)
FETCH_WITHIN = timedelta(seconds=5)  # each of the two documents
DOCUMENT_BYTES_MAX = 262_144  # 256 KiB, a hundred times a common key set
ABSENT_FOR = timedelta(seconds=10)  # a `kid` that was not there is not looked for again
ABSENT_MAX = 1_024

_log = logging.getLogger(__name__)


class Keyring:
    """The keys of `issuer`. Calls `on_withdrawn` when a key it has given out is there no more."""

    def __init__(self, issuer: Issuer, http: Http, on_withdrawn: Callable[[], None]) -> None:
        self._issuer = issuer
        self._http = http
        self._on_withdrawn = on_withdrawn
        self._bucket = Bucket(FETCHES_AT_ONCE, FETCH_INTERVAL)
        self._keys: Mapping[str, PublicKey] = {}
        self._fetched_at: datetime | None = None
        self._failing = False
        self._flight: asyncio.Task[None] | None = None
        self._absent: dict[str, datetime] = {}

    async def key(self, kid: str, now: datetime) -> PublicKey:
        """The key of exactly this name.

        Raises NotIdentified if the issuer has none, CannotIdentify if its keys cannot be had.
        """
        wanted = kid not in self._trusted(now) and not self._is_absent(kid, now)
        flight = self._fetch_soon(now) if wanted or self._age(now) > KEYS_FRESH else None
        # While the issuer fails, a caller whose key we hold does not wait for it.
        if flight is not None and (wanted or not self._failing):
            await asyncio.shield(flight)  # a caller that leaves does not stop it for the others
        found = self._trusted(now).get(kid)
        if found is not None:
            return found
        if self._age(now) > KEYS_STALE:
            raise CannotIdentify(
                f"the keys of issuer {self._issuer.name} cannot be fetched",
                retry_after_s=FETCH_INTERVAL // timedelta(seconds=1),
            )
        if wanted and flight is not None and not self._failing:
            self._remember_absent(kid, now)
        raise NotIdentified(f"{self._issuer.name}: no key has this `kid`")

    def _age(self, now: datetime) -> timedelta:
        return timedelta.max if self._fetched_at is None else now - self._fetched_at

    def _trusted(self, now: datetime) -> Mapping[str, PublicKey]:
        return {} if self._age(now) > KEYS_STALE else self._keys

    def _is_absent(self, kid: str, now: datetime) -> bool:
        until = self._absent.get(kid)
        return until is not None and now < until

    def _remember_absent(self, kid: str, now: datetime) -> None:
        while len(self._absent) >= ABSENT_MAX:
            del self._absent[next(iter(self._absent))]
        self._absent[kid] = now + ABSENT_FOR

    def _fetch_soon(self, now: datetime) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one; None if there were too many lately."""
        if self._flight is None or self._flight.done():
            if not self._bucket.take(now):
                return None
            self._flight = asyncio.get_running_loop().create_task(self._fetch(now))
        return self._flight

    async def _fetch(self, now: datetime) -> None:
        """Replace the keys, or note that it failed and leave them."""
        try:
            keys = read_keys(await self._document(await self._jwks_url()))
        except (NoAnswerError, NotSentError, ValueError) as err:
            self._failing = True
            _log.warning("issuer %s: keys not fetched: %s", self._issuer.name, err)
            return
        withdrawn = any(keys.get(kid) != key for kid, key in self._keys.items())
        self._keys, self._fetched_at, self._failing = keys, now, False
        if withdrawn:
            self._on_withdrawn()

    async def _jwks_url(self) -> str:
        """Where the keys are. The discovery document must be this issuer's own (section 4.3)."""
        if self._issuer.jwks_url is not None:
            return self._issuer.jwks_url
        found = json_object(await self._document(self._issuer.discovery_url))
        if found.get("issuer") != self._issuer.url:
            raise ValueError("the discovery document is another issuer's")
        address = found.get("jwks_uri")
        if not isinstance(address, str):
            raise ValueError("the discovery document has no `jwks_uri`")  # noqa: TRY004 - as above
        if not may_fetch(address, loopback=self._issuer.on_loopback):
            raise ValueError("`jwks_uri` is not https")
        return address

    async def _document(self, url: str) -> bytes:
        answer = await self._http.request(
            "GET",
            url,
            headers={"accept": "application/json"},
            within=FETCH_WITHIN,
            size_max=DOCUMENT_BYTES_MAX,
        )
        if answer.status != 200:  # noqa: PLR2004 - a redirect is not followed, an error not read
            raise ValueError(f"{url} answered {answer.status}")
        return answer.body
