"""A gateway to measure, with the identity provider and the target around it, as real processes."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

CONFIG = """\
site: bench
ledger: sqlite:///bench.db
identity:
  audience: https://bench.example
  issuers: [{{name: idp, url: "{issuer}", groups_claim: groups}}]
policies: policies/
sources: {{load: {{owner: bench, uri: "bench://load"}}}}
targets:
  hook: {{connector: http, owner: bench, base_url: "{target}", repeat: refused, concurrency: 256}}
routes:
  - {{name: all, when: {{type: bench.finished}}, to: hook, do: post, within: 10m}}
"""
POLICIES = """\
permit (principal in Group::"idp/senders", action == Action::"submit", resource == Source::"load");
permit (principal in Group::"idp/senders", action == Action::"post", resource in Target::"hook");
"""
CLIENTS = {
    "audience": "https://bench.example",
    "clients": {"load": {"secret": "s", "groups": ["senders"]}},
}
READY_S_MAX = 30


@dataclass(frozen=True)
class Bench:
    """What runs, and where."""

    folder: Path
    gateway: subprocess.Popen[str]
    url: str
    target_url: str
    token: str
    ready_s: float
    target: subprocess.Popen[str]

    def cpu_s(self) -> float:
        """User and system time that the gateway has used."""
        fields = Path(f"/proc/{self.gateway.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        """The most memory that the gateway has held at once."""
        status = Path(f"/proc/{self.gateway.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1_024

    def arrivals(self) -> dict[str, int]:
        """When each event arrived; the target ends."""
        self.target.terminate()
        self.target.wait(READY_S_MAX)
        lines = (self.folder / "arrivals").read_text().splitlines()
        return {event: int(when) for when, event in (line.split() for line in lines)}


@contextmanager
def _process(name: str, *command: str, cwd: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and the first line it says, which is when it is ready."""
    process = subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert " ready" in line, f"{name}: {line}{process.stdout.read()}"
        yield process, line
    finally:
        process.terminate()
        process.wait(READY_S_MAX)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def bench() -> Iterator[Bench]:
    """All three processes, until the block ends."""
    root = Path(__file__).parents[1]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interlock-bench-")))
        (folder / "clients.json").write_text(json.dumps(CLIENTS))
        issuer_command = ("-m", "interlock.sandbox.issuer", "--clients", "clients.json")
        _, line = stack.enter_context(
            _process("issuer", sys.executable, *issuer_command, cwd=folder)
        )
        issuer, port = line.split()[-1], _free_port()
        target_command = ("-m", "bench.target", str(port), str(folder / "arrivals"))
        hook, _ = stack.enter_context(_process("target", sys.executable, *target_command, cwd=root))
        target = f"http://127.0.0.1:{port}"
        (folder / "policies").mkdir()
        (folder / "policies" / "bench.cedar").write_text(POLICIES)
        (folder / "interlock.yaml").write_text(CONFIG.format(issuer=issuer, target=target))
        form = {"grant_type": "client_credentials", "client_id": "load", "client_secret": "s"}
        with urlopen(f"{issuer}/token", urlencode(form).encode()) as answer:
            token = json.load(answer)["access_token"]
        began = time.monotonic()
        interlock = str(Path(sys.executable).with_name("interlock"))
        gateway, line = stack.enter_context(
            _process("gateway", interlock, "serve", "--port", "0", cwd=folder)
        )
        url = next(word for word in line.split() if word.startswith("http"))
        yield Bench(folder, gateway, url, target, token, time.monotonic() - began, hook)
