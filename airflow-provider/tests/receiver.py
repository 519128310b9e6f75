"""A gateway's front door on loopback: records what arrives, answers as told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any


@dataclass(frozen=True)
class Said:
    """An answer to give instead of a receipt; a body with a `code` is a problem's (RFC 9457)."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Heard:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The body, read as a CloudEvent."""
        event = json.loads(self.body)
        assert isinstance(event, dict)
        return event


class Receiver(ThreadingHTTPServer):
    """Answers 202 with a receipt, unless `next_answers` holds something else; silent while told so."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.heard: list[Heard] = []
        self.arrivals: SimpleQueue[Heard] = SimpleQueue()
        self.next_answers: list[Said] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        """Return the first `count` events, once they are here."""
        while len(self.heard) < count:
            self.arrivals.get(timeout=20)
        return [heard.event for heard in self.heard[:count]]

    def answer(self, heard: Heard) -> Said:
        """Record a request and return the answer to give."""
        before = [one.body for one in self.heard]
        self.heard.append(heard)
        self.arrivals.put(heard)
        self.may_answer.wait(timeout=60)
        if self.next_answers:
            return self.next_answers.pop(0)
        if heard.path == "/token":
            return Said(200, {"access_token": f"token-{len(self.heard)}", "expires_in": 300})
        if heard.path == "/v1/handoffs?limit=1":
            return Said(200, {"handoffs": []})
        receipt = {"handoff": "h-1", "event": "e-1", "deliveries": ["d-1"]}
        return Said(202, {**receipt, "duplicate": heard.body in before})


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        """Answer a submission."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._reply(Heard(self.path, {k.lower(): v for k, v in self.headers.items()}, body))

    def do_GET(self) -> None:
        """Answer a question."""
        self._reply(Heard(self.path, {k.lower(): v for k, v in self.headers.items()}, b""))

    def _reply(self, heard: Heard) -> None:
        said = self.server.answer(heard)
        body = json.dumps(said.body).encode()
        kind = "application/problem+json" if "code" in said.body else "application/json"
        self.send_response(said.status)
        for name, value in {"Content-Type": kind, **said.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing; pytest shows what matters."""


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """Run a receiver until the block ends."""
    receiver = Receiver(port)
    thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.may_answer.set()
        receiver.shutdown()
        thread.join()
        receiver.server_close()
