"""Serving an ASGI application on a loopback port, for the length of a block or of a program.

Loopback only: what runs here accepts scripted faults from anyone who can reach it.
"""

import asyncio
import contextlib
import signal
import socket
import struct
from collections.abc import AsyncIterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

__all__ = ["run", "serving"]

HOST = "127.0.0.1"
GRACE_S = 1  # for calls under way when the server ends; a stalled one is then cut off
CONNECTIONS_WAITING_MAX = 128  # the usual listen backlog; a rehearsal has few clients


class _ResettableProtocol(H11Protocol):
    """HTTP/1.1 where the application may break its connection: `request.state.reset()`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "reset": lambda: _reset(transport)}


def _reset(transport: asyncio.Transport) -> None:
    """Break the connection so that the client sees a reset (RST), not an orderly end."""
    # SO_LINGER with zero seconds is what makes the kernel send RST (socket(7)).
    transport.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    transport.abort()


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """Serve `app` inside the running loop and yield its base URL.

    Ready when the block begins. When it ends, calls under way have `GRACE_S` seconds to end. The
    `Date` header is the application's: a sandbox has its own clock.

    Args:
        app: Any ASGI application without a lifespan; its requests can call `request.state.reset()`.
        port: A TCP port; 0 takes a free one.

    Raises:
        OSError: The port is taken.
    """
    # uvicorn's protocol without its server, which takes the program's signals and ends by polling.
    config = uvicorn.Config(
        app,
        ws="none",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
    )
    config.load()
    state = ServerState()
    listener = socket.create_server((HOST, port), backlog=CONNECTIONS_WAITING_MAX)
    server = await asyncio.get_running_loop().create_server(
        lambda: _ResettableProtocol(config, state, {}), sock=listener
    )
    try:
        yield f"http://{HOST}:{listener.getsockname()[1]}"
    finally:
        server.close()
        await _end(state)


async def _end(state: ServerState) -> None:
    for connection in list(state.connections):
        connection.shutdown()
    if state.tasks:
        _, stalled = await asyncio.wait(state.tasks, timeout=GRACE_S)
        for task in stalled:
            task.cancel()
        await asyncio.gather(*stalled, return_exceptions=True)


def run(app: ASGIApp, *, name: str, port: int = 0) -> None:
    """Serve `app` until SIGTERM or SIGINT, then return.

    Prints one line, `<name> ready <base URL>`, as soon as connections are accepted.
    """
    asyncio.run(_until_told_to_end(app, name, port))


async def _until_told_to_end(app: ASGIApp, name: str, port: int) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    async with serving(app, port) as base_url:
        print(f"{name} ready {base_url}", flush=True)  # noqa: T201 - the program's one line of output
        await end.wait()
