"""The load: events over keep-alive connections, at full speed or at a rate.

    python -m bench.load URL FILE --token T --seconds S [--connections N | --rate R]

writes a line `<sent ns> <acknowledged ns> <status> <event id>` per event to FILE. At a rate, `sent`
is when the event was due, so that a server that stalls cannot hide it (coordinated omission).
"""

import argparse
import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
PADDING = "x" * 340  # an event of 570 bytes, as Airflow's are


@dataclass
class Load:
    """What to send where, and what came of it."""

    url: str
    token: str
    run: str
    rows: list[str] = field(default_factory=list[str])

    def request(self, event: str) -> bytes:
        """The bytes that submit the event of this id."""
        parts = urlsplit(self.url)
        body = json.dumps(
            {
                "specversion": "1.0",
                "id": event,
                "source": "bench://load",
                "type": "bench.finished",
                "subject": "sales.orders",
                "time": "2026-01-01T00:00:00Z",
                "data": {"run_id": event, "padding": PADDING},
            },
            separators=(",", ":"),
        ).encode()
        head = (
            f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\n"
            f"authorization: Bearer {self.token}\r\n"
            f"content-type: application/cloudevents+json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def send(self, on: "Connection", number: int, due: int) -> None:
        """Submit event `number`; note how it went."""
        event = f"{self.run}-{number:07d}"
        status = await on.exchange(self.request(event))
        self.rows.append(f"{due} {time.monotonic_ns()} {status} {event}\n")


class Connection:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, url: str) -> "Connection":
        """Open one."""
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def exchange(self, request: bytes) -> int:
        """One request, its answer read whole; the status."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        await self._reader.readexactly(int(length[1]) if length else 0)
        return int(head[9:12])


async def at_full_speed(load: Load, connections: int, seconds: float) -> None:
    """Each connection sends its next event when the last was answered."""
    end, numbers = time.monotonic() + seconds, iter(range(10**9))

    async def one() -> None:
        connection = await Connection.to(load.url)
        while time.monotonic() < end:
            await load.send(connection, next(numbers), time.monotonic_ns())

    await asyncio.gather(*(one() for _ in range(connections)))


async def at_rate(load: Load, rate: float, seconds: float) -> None:
    """An event every 1/rate seconds, whether or not the ones before were answered."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(16):
        free.put_nowait(await Connection.to(load.url))

    async def one(number: int, due: int) -> None:
        connection = await free.get()
        await load.send(connection, number, due)
        free.put_nowait(connection)

    start, tasks = time.monotonic_ns(), []
    for number in range(int(rate * seconds)):
        due = start + int(number * 1e9 / rate)
        await asyncio.sleep(max(0, (due - time.monotonic_ns()) / 1e9))
        tasks.append(asyncio.create_task(one(number, due)))
    await asyncio.gather(*tasks)


def main() -> None:
    """Run as the module's docstring says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("file", type=Path)
    parser.add_argument("--token", default="")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rate", type=float, default=0)
    asked = parser.parse_args()
    load = Load(asked.url, asked.token, run=str(time.monotonic_ns()))
    if asked.rate:
        asyncio.run(at_rate(load, asked.rate, asked.seconds))
    else:
        asyncio.run(at_full_speed(load, asked.connections, asked.seconds))
    asked.file.write_text("".join(load.rows))


if __name__ == "__main__":
    main()
