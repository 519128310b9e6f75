"""The HTTP server: uvicorn with httptools, the strictest of the parsers it can use."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from interlock.surfaces.http.app import App
from interlock.surfaces.http.wire import Wire

BACKLOG = 1_024
KEEPALIVE_S = 30
DRAIN_S = 10  # for requests under way when the gateway is told to stop


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the loop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See uvicorn, which would end the process before the ledger is closed."""
        yield


async def serve(app: App, listener: socket.socket, stop: asyncio.Event) -> None:
    """Answer on `listener` until `stop` is set; then finish what is under way."""
    config = uvicorn.Config(
        app,
        http=Wire,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEPALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
        backlog=BACKLOG,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections for `serve`; port 0 picks a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listener.setblocking(False)
    return listener
