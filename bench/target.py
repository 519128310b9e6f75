"""The target: answers every POST at once and notes when each Idempotency-Key's event arrived.

    python -m bench.target PORT FILE

writes a line `<monotonic ns> <event id>` per arrival to FILE when it ends (SIGTERM).
"""

import asyncio
import re
import signal
import sys
import time
from pathlib import Path

_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_ID = re.compile(rb'"id":"([^"]+)"')
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


class Target(asyncio.Protocol):
    """One connection. Reads just enough HTTP for clients that behave."""

    def __init__(self, arrivals: list[tuple[int, bytes]]) -> None:
        self._arrivals = arrivals
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._to = transport

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._unread, 0, end + 2)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._unread) < whole:
                return
            found = _ID.search(self._unread, end)
            self._arrivals.append((time.monotonic_ns(), found[1] if found else b"?"))
            self._unread = self._unread[whole:]
            self._to.write(_ANSWER)


async def main(port: int) -> list[tuple[int, bytes]]:
    """Serve until SIGTERM; the arrivals."""
    arrivals: list[tuple[int, bytes]] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Target(arrivals), "127.0.0.1", port)
    end = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, end.set)
    print("target ready", flush=True)
    await end.wait()
    server.close()
    return arrivals


if __name__ == "__main__":
    lines = [f"{at} {event.decode()}\n" for at, event in asyncio.run(main(int(sys.argv[1])))]
    Path(sys.argv[2]).write_text("".join(lines))
