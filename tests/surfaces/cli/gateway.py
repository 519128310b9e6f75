"""A gateway as people run it - `interlock serve`, an issuer, an endpoint - and the command line."""

import json
import signal
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

INTERLOCK = str(Path(sys.executable).with_name("interlock"))
AUDIENCE = "https://interlock.example"
SECRET = "only-for-tests"
END_S = 15  # from SIGTERM to the end; requests under way have 10 s
CLIENTS: dict[str, Any] = {
    "audience": AUDIENCE,
    "clients": {
        "airflow": {"secret": SECRET, "groups": ["data-eng"]},
        "stranger": {"secret": SECRET},
        "cli": {},
    },
    "people": {"alice": {"groups": ["analytics"]}},
}
POLICIES = """\
@id("loads")
permit (principal in Group::"sandbox/data-eng", action, resource);

@id("look")
permit (principal in Group::"sandbox/analytics", action == Action::"read", resource);
"""

_opener = build_opener(ProxyHandler({}))  # never through a proxy: it is on this machine


def config(issuer: str, endpoint: str) -> str:
    """A site whose one target is `endpoint`: one route that works, one that the endpoint rejects."""
    return f"""\
site: acme
environment: test
identity:
  audience: {AUDIENCE}
  issuers: [{{name: sandbox, url: "{issuer}", groups_claim: groups}}]
sources:
  airflow-prod: {{owner: data-platform, uri: "airflow://prod"}}
targets:
  hook: {{connector: http, owner: apps, base_url: "{endpoint}", repeat: harmless}}
routes:
  - {{name: tell, when: {{subject: {{prefix: load_}}}}, to: hook, do: post, with: {{path: /taken}}, within: 10m}}
  - {{name: break, when: {{subject: broken}}, to: hook, do: post, with: {{path: /rejected}}, within: 10m}}
  - {{name: unmapped, when: {{subject: unmapped}}, to: hook, do: post, with: {{path: "${{{{ event.data.nowhere }}}}"}}, within: 10m}}
"""


@dataclass(frozen=True)
class Running:
    """A running gateway, and what its people carry.

    Attributes:
        tokens: by client, a file that holds its token.
    """

    url: str
    issuer: str
    endpoint: str
    folder: Path
    tokens: Mapping[str, Path]
    process: subprocess.Popen[str]

    def get(self, path: str, client: str = "airflow") -> Any:
        """What HTTP answers."""
        bearer = {"authorization": f"Bearer {self.tokens[client].read_text().strip()}"}
        with _opener.open(Request(self.url + path, headers=bearer), timeout=10) as answer:
            return json.load(answer)

    def environment(self, client: str = "airflow") -> dict[str, str | None]:
        """The environment in which that client uses the command line."""
        return {
            "INTERLOCK_URL": self.url,
            "INTERLOCK_TOKEN_FILE": str(self.tokens[client]),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "NO_PROXY": "127.0.0.1",
        }


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """A gateway with its files in `folder`, for the length of the block."""
    (folder / "clients.json").write_text(json.dumps(CLIENTS))
    issuer_command = [
        *(sys.executable, "-m", "interlock.sandbox.issuer"),
        *("--clients", str(folder / "clients.json"), "--approve", "alice"),
    ]
    with endpoint() as hook, process(issuer_command, "stdout") as (issuer_line, _):
        issuer = issuer_line.split()[-1]
        (folder / "interlock.yaml").write_text(config(issuer, hook))
        (folder / "policies").mkdir()
        (folder / "policies" / "base.cedar").write_text(POLICIES)
        tokens = {client: folder / f"{client}.token" for client in ("airflow", "stranger")}
        for client, file in tokens.items():
            file.write_text(token(issuer, client) + "\n")
        command = [INTERLOCK, "serve", "--config", str(folder / "interlock.yaml"), "--port", "0"]
        with process(command, "stderr") as (ready, gateway):
            yield Running(ready.split()[2], issuer, hook, folder, tokens, gateway)


@contextmanager
def process(command: list[str], stream: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A process and the first line it wrote to that stream; it is told to end after the block."""
    with subprocess.Popen(command, text=True, **{stream: subprocess.PIPE}) as started:  # type: ignore[call-overload]
        line = getattr(started, stream).readline()
        try:
            assert " ready " in line, line
            yield line, started
        finally:
            started.send_signal(signal.SIGTERM)
            started.wait(END_S)


@contextmanager
def endpoint() -> Iterator[str]:
    """An HTTP endpoint that takes what is posted to /taken and rejects the rest."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer."""
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200 if self.path == "/taken" else 422)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def token(issuer: str, client: str) -> str:
    """An access token of that client."""
    basic = b64encode(f"{client}:{SECRET}".encode()).decode()
    form = urlencode({"grant_type": "client_credentials"}).encode()
    request = Request(f"{issuer}/token", form, {"authorization": f"Basic {basic}"})
    with _opener.open(request, timeout=10) as answer:
        return str(json.load(answer)["access_token"])


def event(id_: str, **parts: object) -> bytes:
    """A load's event, as a file holds it."""
    attributes = {
        "specversion": "1.0",
        "type": "airflow.dag_run.succeeded",
        "source": "airflow://prod",
        "subject": "load_orders",
        "id": id_,
        "data": {"run_id": f"run-{id_}"},
    }
    return json.dumps(attributes | parts).encode()
