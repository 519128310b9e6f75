"""`kill -9` on the gateway while it is at work: what it has acknowledged, it delivers."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random  # noqa: TID251 - seeded

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from interlock.adapters.http_client import AioHttp
from interlock.client import Client, Result, Unreachable
from interlock.sandbox.server import serving
from tests.surfaces.cli.gateway import INTERLOCK
from tests.surfaces.http.gateway import event, forged, issuing, site

SEED = 1
EVENTS = 500
SENDERS = 8
KILLS = 4
HELD_S = 0.03  # at most; so long a request is under way at the receiver, for a kill to hit it
START_S = 30.0  # a cold start takes 1 s
SETTLED_S = 30.0  # for what was under way at the last kill

pytestmark = [pytest.mark.drill, pytest.mark.slow]


@dataclass
class Receiver:
    """An endpoint that acts once for each Idempotency-Key and answers repeats as it did at first.

    Attributes:
        heeds_keys: whether it is that honest; else it acts each time.
        effects: how often it has acted, by event.
        repeated: how often a key came again.
    """

    dice: Random
    heeds_keys: bool = True
    effects: Counter[str] = field(default_factory=Counter[str])
    keys: set[str] = field(default_factory=set[str])
    repeated: int = 0

    def app(self) -> Starlette:
        """The endpoint."""
        return Starlette(routes=[Route("/taken", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        key, told = request.headers["idempotency-key"], await request.json()
        if again := key in self.keys:
            self.repeated += 1
        if not (again and self.heeds_keys):
            self.keys.add(key)
            self.effects[told["id"]] += 1
        await asyncio.sleep(self.dice.random() * HELD_S)
        return Response()


@dataclass
class Life:
    """A gateway that is killed and started again, and those who send to it meanwhile.

    Attributes:
        acked: ids of the events whose sender has a receipt.
        resent: how often a sender got no answer and sent the same event again.
    """

    config: Path
    http: AioHttp
    token: str
    url: str = ""
    acked: set[str] = field(default_factory=set[str])
    resent: int = 0
    _up: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[None]:
        """A gateway, until the block ends with `kill -9`."""
        process = await served(self.config)
        try:
            assert process.stderr
            line = (await asyncio.wait_for(process.stderr.readline(), START_S)).decode()
            assert line.startswith("interlock ready "), line
            self.url = line.split()[2]
            self._up.set()
            yield
        finally:
            self._up.clear()
            process.kill()
            await process.communicate()

    async def send(self, id_: str, wait_s: float = 0) -> Result:
        """Submit the event until it is acknowledged, under the same id; the receipt."""
        while True:
            await self._up.wait()
            client = Client(self.http, self.url, lambda: self.token)
            try:
                receipt = await client.submit(event(id_), wait_s=wait_s)
            except Unreachable:
                self.resent += 1
            else:
                self.acked.add(id_)
                self._news.set()
                return receipt

    async def until_acked(self, many: int) -> None:
        """Return when so many events are acknowledged."""
        while len(self.acked) < many:
            self._news.clear()
            await self._news.wait()


async def served(config: Path) -> asyncio.subprocess.Process:
    """`interlock serve`, just started."""
    return await asyncio.create_subprocess_exec(
        *(INTERLOCK, "serve", "--config", str(config), "--port", "0"),
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def life(folder: Path, receiver: Receiver) -> AsyncIterator[Life]:
    """A site whose one endpoint is the receiver."""
    http = AioHttp()
    try:
        async with serving(issuing()) as issuer, serving(receiver.app()) as hook:
            config = site(folder, issuer, hook)
            config.write_text(config.read_text().replace("repeat: harmless", "repeat: refused"))
            yield Life(config, http, forged(issuer, "airflow"))
    finally:
        await http.close()


async def storm(it: Life, ids: Sequence[str], kills: int, dice: Random) -> list[Result]:
    """Submit all, kill the gateway as often as told meanwhile; the receipts of asking for each."""
    rest = iter(ids)

    async def sender() -> None:
        for id_ in rest:
            await it.send(id_)

    async with asyncio.TaskGroup() as group:
        for _ in range(SENDERS):
            group.create_task(sender())
        for moment in sorted(dice.sample(range(SENDERS, len(ids) - SENDERS), kills)):
            async with it.gateway():
                await it.until_acked(moment)
        async with it.gateway():
            await it.until_acked(len(ids))
            return await asyncio.gather(*(it.send(id_, SETTLED_S) for id_ in ids))


def lost(receipts: Sequence[Result]) -> int:
    """How many of the events asked for were not on record, or not delivered."""
    return sum(not (receipt["duplicate"] and receipt["state"] == "done") for receipt in receipts)


def forget(folder: Path) -> None:
    """Remove the ledger."""
    for file in folder.glob("interlock.db*"):
        file.unlink()


async def test_what_is_acknowledged_is_delivered(tmp_path: Path) -> None:
    """Killed in the middle of it, again and again: no event is lost and none takes effect twice."""
    dice = Random(SEED)
    receiver, ids = Receiver(dice), [f"event-{n}" for n in range(EVENTS)]
    async with life(tmp_path, receiver) as it:
        receipts = await storm(it, ids, KILLS, dice)

    delivered = receiver.effects.total()
    told = f"acked={len(it.acked)} delivered={delivered} lost={lost(receipts)}"
    print(f"\nkill-9 {told} repeated={receiver.repeated}")  # noqa: T201 - the drill's one line
    assert receiver.effects == Counter(ids)
    assert (len(it.acked), lost(receipts)) == (EVENTS, 0)
    assert it.resent  # the kills hit what was being submitted
    assert receiver.repeated  # and what was being delivered


async def test_the_drill_is_harsh_enough(tmp_path: Path) -> None:
    """One kill doubles effects at an endpoint that takes a repeat for something new."""
    dice = Random(SEED)
    receiver, ids = Receiver(dice, heeds_keys=False), [f"event-{n}" for n in range(100)]
    async with life(tmp_path, receiver) as it:
        await storm(it, ids, 1, dice)

    assert receiver.effects > Counter(ids)


async def test_the_drill_sees_what_is_lost(tmp_path: Path) -> None:
    """A ledger that forgets what it has acknowledged is caught."""
    async with life(tmp_path, Receiver(Random(SEED))) as it:
        async with it.gateway():
            await it.send("forgotten", SETTLED_S)
        forget(tmp_path)
        async with it.gateway():
            receipt = await it.send("forgotten", SETTLED_S)

    assert lost([receipt]) == 1


async def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """One SQLite file serves one process: the second says so and ends; the first goes on.

    And the lock ends with its process, however that ended.
    """
    receiver = Receiver(Random(SEED))
    async with life(tmp_path, receiver) as it:
        async with it.gateway():
            second = await served(it.config)
            _, said = await asyncio.wait_for(second.communicate(), START_S)
            first = await it.send("while refused", SETTLED_S)
        async with it.gateway():
            after = await it.send("after", SETTLED_S)

    assert second.returncode == 1
    assert b"in use by another process" in said
    assert (first["state"], after["state"]) == ("done", "done")
    assert receiver.effects == {"while refused": 1, "after": 1}
