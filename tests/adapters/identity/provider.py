"""A provider's two documents behind an Http that obeys the port, and a clock a test can move."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

import anyio

from interlock.adapters.identity_oidc import Issuer, OidcVerifier
from interlock.ports import Answer, NoAnswerError, NotSentError
from tests.adapters.identity.forge import AUDIENCE, EC, ED, NOW, RSA, URL, SigningKey

JWKS_URL = "https://keys.example/jwks"


class SetClock:
    """A clock that stands where it is put."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        """See Clock."""
        return self.at


class Provider:
    """See Http. Serves a discovery document and a key set, and misbehaves when told to.

    Attributes:
        keys: the JWKs published now.
        discovery: the discovery document.
        elsewhere: further documents, by address.
        status: what the key set answers with.
        lost: whether nothing can be reached.
        gate: the key set answers only when this is set.
        asked: every address asked for.
    """

    def __init__(self, *keys: SigningKey) -> None:
        self.keys: list[object] = [key.jwk() for key in keys or (RSA, EC, ED)]
        self.discovery: dict[str, object] = {"issuer": URL, "jwks_uri": JWKS_URL}
        self.elsewhere: dict[str, object] = {}
        self.status = 200
        self.lost = False
        self.gate = anyio.Event()
        self.gate.set()
        self.asked: list[str] = []

    @property
    def fetches(self) -> int:
        """How often the key set was asked for."""
        return self.asked.count(JWKS_URL)

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
        self.asked.append(url)
        if self.lost:
            raise NotSentError("cannot connect")
        if url == JWKS_URL:
            await self.gate.wait()
            return self._answer(self.status, {"keys": self.keys}, size_max)
        documents = {f"{URL}/.well-known/openid-configuration": self.discovery} | self.elsewhere
        return self._answer(200 if url in documents else 404, documents.get(url), size_max)

    def _answer(self, status: int, document: object, size_max: int) -> Answer:
        content = json.dumps(document).encode()
        if len(content) > size_max:
            raise NoAnswerError(f"the answer is over {size_max} bytes")
        return Answer(
            status=status, headers={"location": "https://elsewhere.example"}, body=content
        )


def issuer(**changes: object) -> Issuer:
    """The profile of this provider, changed as told."""
    profile: dict[str, object] = {
        "name": "okta",
        "url": URL,
        "audience": AUDIENCE,
        "required_scopes": ["submit"],
        "groups_claim": "groups",
    }
    return Issuer(**(profile | changes))  # type: ignore[arg-type] # a test may ask for nonsense


def verifier(
    provider: Provider | None = None, clock: SetClock | None = None, **changes: object
) -> OidcVerifier:
    """A verifier of one issuer."""
    return OidcVerifier([issuer(**changes)], provider or Provider(), clock or SetClock())
