"""The web shop and its Looker, ready to be delivered to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random  # noqa: TID251 - seeded here
from typing import Any

from interlock.adapters.ledger_memory import MemoryLedger
from interlock.adapters.secrets import LocalSecrets
from interlock.connectors.kit import Configured, Tools
from interlock.connectors.looker import CONNECTOR
from interlock.connectors.looker.config import LookerConfig
from interlock.connectors.looker.session import LookerSession
from interlock.core.delivery import Lease
from interlock.core.entry import Entry
from interlock.core.event import Event, Json
from interlock.core.plan import Plan
from interlock.core.step import OPEN, Step
from interlock.engine.dispatch import Dispatch
from interlock.ports import Admission, Http, Record
from tests.engine.world import Yes
from tests.making import SECOND, SITE, FixedClock, delivery, event, handoff
from tests.peers.looker import SHOP, LookerPeer

LOOKML = SHOP.parent / "lookml"
RUN = "airflow:load_orders/manual__2026-01-01"
ORDERS: Mapping[str, Json] = {"tables": ["analytics.orders"]}
TURNS_MAX = 60  # of a second each; what rests later than that is stuck


def config(base_url: str = "http://looker.example", **changes: Any) -> LookerConfig:
    """A target as a user would write it."""
    written = {
        "connector": "looker",
        "owner": "analytics",
        "base_url": base_url,
        "client_id": "env://LOOKER_ID",
        "client_secret": "env://LOOKER_SECRET",
        "projects": [str(LOOKML)],
        "poll_s": 1.0,
    }
    return LookerConfig.model_validate(written | changes)


def load_orders(run: str = "manual__2026-01-01") -> Event:
    """The news that the DAG `load_orders` has run."""
    return event(run, subject="load_orders", data={"run_id": run})


def lease(params: Mapping[str, Json] = ORDERS, of: Event | None = None) -> Lease:
    """A delivery of that news in a worker's hands."""
    news = of or load_orders()
    accepted = handoff(news)
    return Lease(event=news, handoff=accepted, delivery=delivery(accepted, params=params), fence=1)


@dataclass
class Shop:
    """The connector, pointed at a running sandbox, with a clock that only we move."""

    looker: LookerPeer
    http: Http
    changes: Mapping[str, Any] = field(default_factory=dict)
    clock: FixedClock = field(default_factory=FixedClock)

    def __post_init__(self) -> None:
        secrets = {"LOOKER_ID": self.looker.client_id, "LOOKER_SECRET": self.looker.client_secret}
        self.tools = Tools(
            http=self.http,
            secrets=LocalSecrets(secrets),
            clock=self.clock,
            minter=None,
            subject="interlock:acme:looker",
        )
        self.ledger = MemoryLedger(self.clock)
        self.restart()

    def restart(self) -> None:
        """A new process: it knows nothing but the ledger."""
        self.target = Configured(
            name="looker",
            connector=CONNECTOR,
            config=config(self.looker.base_url, **self.changes),
            tools=self.tools,
        )
        self.dispatch = Dispatch(
            site=SITE,
            targets={"looker": self.target},
            ledger=self.ledger,
            authorizer=Yes(),
            clock=self.clock,
            dice=Random(1),
        )

    @property
    def session(self) -> LookerSession:
        """What the target keeps."""
        session: LookerSession = self.target.session
        return session

    async def steps(self, params: Mapping[str, Json] = ORDERS) -> dict[str, Step]:
        """The steps of a plan, not sent yet."""
        held = lease(params)
        facts = await self.target.look(held)
        assert isinstance(facts, Mapping), facts
        plan = self.target.plan(held, facts)
        assert isinstance(plan, Plan), plan
        return {
            each.key: Step(
                id=f"s-{each.key}",
                key=each.key,
                action=each.action,
                resource=each.resource,
                call=each.call,
                repeat=each.repeat,
                after=each.after,
                not_before=self.clock.now(),
            )
            for each in plan.steps
        }

    async def admit(self, params: Mapping[str, Json] = ORDERS, of: Event | None = None) -> str:
        """Owe a refresh; the hand-off's id."""
        held = lease(params, of)
        await self.ledger.admit(
            Admission(
                pending_max=1_000,
                event=held.event,
                handoff=held.handoff,
                deliveries=(held.delivery,),
                entry=Entry(kind="accepted", at=self.clock.now(), handoff=held.handoff.id),
            ),
            60 * SECOND,
        )
        return held.handoff.id

    async def turn(self, handoff: str) -> Record:
        """Work on what is due now."""
        await self.dispatch.once()
        await self.dispatch.drain()
        record = await self.ledger.trace(handoff)
        assert record
        return record

    async def settle(self, handoff: str, *, turns: int = TURNS_MAX) -> Record:
        """Let time pass, here and at Looker, until the delivery rests, or for so many turns."""
        record = await self.turn(handoff)
        for _ in range(turns):
            if record.deliveries[0].state not in OPEN:
                break
            self.pass_(1)
            record = await self.turn(handoff)
        return record

    async def deliver(self, params: Mapping[str, Json] = ORDERS, of: Event | None = None) -> Record:
        """A whole delivery."""
        return await self.settle(await self.admit(params, of))

    def pass_(self, seconds: int) -> None:
        """Time passes, here and at Looker."""
        self.clock.pass_(seconds * SECOND)
        self.looker.script("advance", seconds=seconds)


def write(folder: Path, **files: str) -> Path:
    """A project of a few files: `shop_model` is `shop.model.lkml`, others are views."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        kind = ".model.lkml" if name.endswith("_model") else ".view.lkml"
        (folder / f"{name.removesuffix('_model')}{kind}").write_text(text, encoding="utf-8")
    return folder
