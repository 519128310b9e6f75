"""Makers of values that tests need: each takes what the test is about and fills in the rest."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import orjson

from interlock.adapters.cloudevents import read_event
from interlock.core.decision import Decision, Resource
from interlock.core.delivery import Delivery
from interlock.core.entry import Entry
from interlock.core.event import Event, Json
from interlock.core.handoff import Cause, Handoff
from interlock.core.ids import delivery_id, handoff_id
from interlock.core.principal import Kind, Principal
from interlock.core.retry import Limits, OnUnknown
from interlock.core.site import Site, Source
from interlock.ports import Admission

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
AIRFLOW = Principal(
    kind=Kind.SERVICE, id="okta/airflow", groups=frozenset({"okta/data-eng"}), verified_at=NOON
)
PROD = Source(name="airflow-prod", uri="airflow://prod", owner="data-platform")
SITE = Site(name="acme", rev="r1", environment="test", sources={PROD.name: PROD}, routes=())
LIMITS = Limits(admitted=NOON, within=10 * MINUTE)


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        """See Clock."""
        return self.at

    def pass_(self, time: timedelta) -> None:
        """Let `time` pass."""
        self.at += time


def event(id: str = "1", *, fact: str = "x", **parts: object) -> Event:  # noqa: A002 - its name
    """An event of the production Airflow, as read off the wire; another `fact` is another digest."""
    attributes: dict[str, object] = {
        "specversion": "1.0",
        "source": PROD.uri,
        "id": id,
        "type": "airflow.dag_run.succeeded",
        "subject": "load_orders",
        "time": "2026-01-01T12:00:00Z",
        "data": {"run_id": id, "fact": fact},
    }
    return read_event(orjson.dumps(attributes | parts))


def handoff(of: Event, principal: Principal = AIRFLOW, at: datetime = NOON) -> Handoff:
    """An accepted submission of the event."""
    return Handoff(
        id=handoff_id(of.key, Cause.SUBMIT, 1, at),
        event=of.key,
        source=PROD.name,
        cause=Cause.SUBMIT,
        principal=principal,
        decision=Decision(allowed=True, rules=("base/submit",)),
        config_rev=SITE.rev,
        accepted_at=at,
    )


def delivery(
    of: Handoff,
    route: str = "orders",
    target: str = "looker",
    *,
    within: timedelta = 10 * MINUTE,
    params: Mapping[str, Json] | None = None,
    on_unknown: OnUnknown = OnUnknown.HOLD,
) -> Delivery:
    """What `route` owes in that hand-off."""
    return Delivery(
        id=delivery_id(of.id, route),
        handoff=of.id,
        route=route,
        target=target,
        action="refresh",
        params=params or {},
        limits=Limits(admitted=of.accepted_at, within=within, on_unknown=on_unknown),
        not_before=of.accepted_at,
    )


def admission(
    of: Event, *targets: str, leased: bool = False, at: datetime = NOON, pending_max: int = 1_000
) -> Admission:
    """Accepting the event, owing one delivery to each target."""
    accepted = handoff(of, at=at)
    owed = tuple(delivery(accepted, f"to-{target}", target) for target in targets)
    return Admission(
        event=of,
        handoff=accepted,
        deliveries=owed,
        entry=Entry(kind="accepted", at=at, handoff=accepted.id, detail={"type": of.type}),
        pending_max=pending_max,
        leased=frozenset(each.id for each in owed) if leased else frozenset(),
    )


def dashboard(name: str = "sales") -> Resource:
    """Something under a target that a plan can name."""
    looker = Resource(type="Target", id="looker", attributes={"owner": "analytics"})
    return Resource(type="Dashboard", id=f"looker/{name}", parent=looker)
