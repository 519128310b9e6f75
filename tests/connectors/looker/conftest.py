"""A sandbox Looker for all tests here, as new for each, and the connector pointed at it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from interlock.adapters.http_client import AioHttp
from tests.connectors.looker.shop import Shop
from tests.peers.looker import LookerPeer
from tests.peers.looker import looker as running

AN_HOUR_S = 3600  # since the last test: all that it triggered is past, whatever clock it set


@pytest.fixture(scope="session")
def sandbox() -> Iterator[LookerPeer]:
    """One process: it starts in a second and is made as new in milliseconds."""
    with running() as peer:
        yield peer


@pytest.fixture
def looker(sandbox: LookerPeer) -> LookerPeer:
    """The shop's Looker without a past."""
    sandbox.no_more_faults()
    sandbox.script("builds")
    sandbox.script("tasks")
    sandbox.script("clock", frozen=False, skew_s=0)
    sandbox.script("tokens", ttl_s=3600, revoke_all=True)
    sandbox.script("advance", seconds=AN_HOUR_S)
    sandbox.forget()
    return sandbox


@pytest.fixture
async def http() -> AsyncIterator[AioHttp]:
    """The real HTTP client."""
    client = AioHttp()
    yield client
    await client.close()


@pytest.fixture
async def shop(looker: LookerPeer, http: AioHttp) -> Shop:
    """The connector as configured for the shop."""
    return Shop(looker, http)
