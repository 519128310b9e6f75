"""The sandbox as a program, and inside another program's loop."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from interlock.sandbox.looker import create_app, load
from interlock.sandbox.server import serving
from tests.peers.looker import SHOP, LookerPeer, looker

COMMAND = [sys.executable, "-m", "interlock.sandbox.looker"]


@pytest.mark.peer
def test_a_process_of_its_own() -> None:
    """The peer that other tests start answers as soon as it is there, with the example's content."""
    with looker() as peer:
        found = peer.call("GET", "/dashboards/12?fields=title", token=peer.login()).json()

    assert found == {"title": "Morning board"}


@pytest.mark.peer
def test_its_clock_is_real() -> None:
    """In a process of its own the sandbox goes by real time, unless it is frozen."""
    with looker() as peer:
        peer.script("clock", frozen=True)
        token = peer.login()
        for path in ("/user", "/versions"):
            peer.call("GET", path, token=token)
        times = {call["at"] for call in peer.journal()}

    assert len(times) == 1
    assert abs(times.pop() - Path("/proc/self").stat().st_ctime) < 3600


@pytest.mark.peer
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order(number: signal.Signals) -> None:
    """A signal ends it with 0, also while a call is never answered."""
    with subprocess.Popen(
        [*COMMAND, "--content", SHOP], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        base_url = process.stdout.readline().split()[-1]
        peer = LookerPeer(base_url, "sandbox-interlock", "sandbox-secret")
        peer.script("faults", kind="stall")
        with pytest.raises(TimeoutError):
            peer.call("GET", "/user", timeout_s=0.2)
        process.send_signal(number)

        assert process.wait(10) == 0


def test_wrong_content_is_a_sentence(tmp_path: Path) -> None:
    """A content file that is absent or wrong ends it with 2 and says why, without a stack trace."""
    ended = subprocess.run(
        [*COMMAND, "--content", tmp_path / "none.yaml"], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    assert "none.yaml" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.anyio
async def test_inside_a_running_loop() -> None:
    """Another program can serve it for the length of a block, on its own loop, resets included."""
    async with serving(create_app(load(SHOP), lambda: 0.0)) as base_url:
        peer = LookerPeer(base_url, "sandbox-interlock", "sandbox-secret")
        token = await asyncio.to_thread(peer.login)
        await asyncio.to_thread(peer.script, "faults", kind="reset")
        with pytest.raises(ConnectionResetError):
            await asyncio.to_thread(peer.call, "GET", "/user", token=token)

    with pytest.raises(ConnectionRefusedError):
        await asyncio.to_thread(peer.login)


@pytest.mark.anyio
async def test_a_taken_port_is_an_error() -> None:
    """Two servers cannot have one port; the second says so instead of hanging."""
    app = create_app(load(SHOP), lambda: 0.0)
    async with serving(app) as base_url:
        with pytest.raises(OSError, match="in use"):
            async with serving(app, port=int(base_url.rpartition(":")[2])):
                pass
