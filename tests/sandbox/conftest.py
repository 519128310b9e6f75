"""A sandbox Looker per test, on a real port, and the official client for it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from queue import Queue
from typing import Any

import pytest
import requests
import yaml
from looker_sdk import methods40
from looker_sdk.rtl import api_settings, auth_session, requests_transport, serialize

from interlock.sandbox.looker import Content, create_app
from interlock.sandbox.server import serving
from tests.peers.looker import SHOP, LookerPeer

NOON = 1_767_268_800.0  # 2026-01-01T12:00:00Z
Start = Callable[[dict[str, Any]], LookerPeer]


class Settings(api_settings.ApiSettings):
    """The official client's settings, from an object: no file, no environment."""

    def __init__(self, peer: LookerPeer) -> None:
        self.peer = peer
        super().__init__()

    def read_config(self) -> api_settings.SettingsConfig:
        """See ApiSettings."""
        return {
            "base_url": self.peer.base_url,
            "client_id": self.peer.client_id,
            "client_secret": self.peer.client_secret,
            "timeout": "10",
        }


@pytest.fixture
def shop() -> dict[str, Any]:
    """The shop's content, for a test to change before it starts an instance with it."""
    content: dict[str, Any] = yaml.safe_load(SHOP.read_text(encoding="utf-8"))
    return content


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a sandbox with the given content; its clock stands at NOON until it is moved."""
    with ExitStack() as running:
        yield lambda content: running.enter_context(_running(content))


@pytest.fixture
def looker(start: Start, shop: dict[str, Any]) -> LookerPeer:
    """The shop's Looker."""
    return start(shop)


@pytest.fixture
def token(looker: LookerPeer) -> str:
    """A token for it; the journal begins after this login."""
    token = looker.login()
    looker.forget()
    return token


@pytest.fixture
def sdk(looker: LookerPeer) -> Iterator[methods40.Looker40SDK]:
    """The official Python client of it."""
    settings = Settings(looker)
    session = requests.Session()
    session.trust_env = False  # no proxy between the test and its peer
    transport = requests_transport.RequestsTransport(settings, session)
    auth = auth_session.AuthSession(settings, transport, serialize.deserialize40, "4.0")
    with session:
        yield methods40.Looker40SDK(
            auth, serialize.deserialize40, serialize.serialize40, transport, "4.0"
        )


@contextmanager
def _running(content: dict[str, Any]) -> Iterator[LookerPeer]:
    ready: Queue[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Queue()

    async def main() -> None:
        app = create_app(Content.model_validate(content), lambda: NOON)
        end = asyncio.Event()
        async with serving(app) as base_url:
            ready.put((base_url, asyncio.get_running_loop(), end))
            await end.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    base_url, loop, end = ready.get(timeout=10)
    key = content["api_clients"][0]
    try:
        yield LookerPeer(base_url, key["client_id"], key["client_secret"])
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
