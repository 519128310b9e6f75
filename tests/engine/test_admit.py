"""Admission: what is refused leaves one line; what is accepted is whole; nothing is in between."""

from datetime import timedelta

import pytest

from interlock.adapters.ledger_memory import MemoryLedger
from interlock.core.errors import Conflict, NotAllowed, NotIdentified, NotReady
from interlock.core.handoff import Receipt
from interlock.core.plan import Planned
from interlock.core.principal import Principal
from interlock.core.step import State
from interlock.engine.admit import Strangers
from interlock.ports import Admission, Filter
from tests.engine.bench import Bench, Script, planned, route
from tests.making import AIRFLOW, NOON, event

pytestmark = pytest.mark.anyio


async def test_a_refusal_is_recorded_and_nothing_else_is() -> None:
    """One entry says who wanted what and why not; no hand-off, no delivery, no call."""
    bench = Bench()
    bench.rules.permit = lambda _: False

    with pytest.raises(NotAllowed) as caught:
        await bench.submit()

    [entry] = await bench.entries()
    assert (entry.kind, entry.at, entry.handoff) == ("refused", NOON, caught.value.fields["trace"])
    assert entry.detail == {
        "code": "policy.not_allowed",
        "principal": 'Service::"okta/airflow"',
        "action": "submit",
        "resource": 'Source::"airflow-prod"',
        "owner": "data-platform",
        "rules": [],
        "why": "no rule permits it",
        "event": {"source": "airflow://prod", "id": "1", "type": "airflow.dag_run.succeeded"},
    }
    assert await bench.ledger.handoffs(Filter()) == []
    assert await bench.deliveries() == []
    assert not bench.target.heard


async def test_a_refused_caller_learns_whom_to_ask() -> None:
    """The refusal names the owner and the command that shows what was recorded; no rules."""
    bench = Bench()
    bench.rules.permit = lambda _: False

    with pytest.raises(NotAllowed) as caught:
        await bench.submit()

    assert caught.value.fields["owner"] == "data-platform"
    assert f"interlock trace {caught.value.fields['trace']}" in caught.value.detail
    assert "rules" not in caught.value.fields


async def test_a_refusal_holds_no_key() -> None:
    """Once policy permits it, the same event is accepted as if it came for the first time."""
    bench = Bench()
    bench.rules.permit = lambda _: False
    with pytest.raises(NotAllowed):
        await bench.submit()
    bench.rules.permit = lambda _: True

    receipt = await bench.submit()

    assert not receipt.duplicate
    assert [entry.kind for entry in await bench.entries()] == ["refused", "accepted"]


async def test_an_unknown_source_is_denied_without_asking_policy() -> None:
    """Empty means no: an event of a source that nobody configured gets nowhere."""
    bench = Bench()

    with pytest.raises(NotAllowed) as caught:
        await bench.admit(event(source="airflow://prod2"), AIRFLOW)

    [entry] = await bench.entries()
    assert bench.rules.asked == []
    assert entry.detail["why"] == "no source is configured for this uri"
    assert caught.value.fields["resource"] == 'Source::"airflow://prod2"'


async def test_a_mapping_that_fails_fails_its_delivery_alone() -> None:
    """The event is captured, the delivery says which expression failed, the others go out."""
    routes = [route("bad", x="${{ abs(event.id) }}"), route("good", x="${{ event.id }}")]
    bench = Bench(routes=routes)

    await bench.submit()
    await bench.work()

    good, bad = sorted(await bench.deliveries(), key=lambda owed: owed.state)
    assert (bad.route, bad.state, bad.params) == ("bad", State.FAILED, {})
    assert bad.reason.startswith("mapping: 'abs(event.id)'")
    assert (good.route, good.state, good.params) == ("good", State.DONE, {"x": "1"})
    assert bench.target.heard == [("send", "a")]


async def test_an_event_that_no_route_wants_is_captured() -> None:
    """It is on record, owes nothing, and its second sending is known."""
    bench = Bench(routes=[])

    first, again = await bench.submit(), await bench.submit()

    assert (first.deliveries, first.duplicate, again.duplicate) == ((), False, True)


class Strict:
    """It believes nobody."""

    async def verify(self, credential: str) -> Principal:
        """See Verifier."""
        raise NotIdentified("the signature is that of no key")


async def test_a_failed_identification_is_recorded_without_the_credential() -> None:
    """Why stays in our own record; the token is nowhere."""
    bench = Bench(verifier=Strict())

    with pytest.raises(NotIdentified):
        await bench.admit.identify("t0ken")

    [entry] = await bench.entries()
    assert entry.kind == "refused"
    assert entry.detail == {
        "code": "identity.not_identified",
        "why": "the signature is that of no key",
    }


class Full(MemoryLedger):
    """A ledger on a disk without room."""

    async def admit(self, admission: Admission, term: timedelta) -> Receipt:
        """See Ledger."""
        raise NotReady("the disk is full")


async def test_without_a_record_nothing_happens() -> None:
    """If it cannot be written, the caller hears so, nothing is sent and no place stays taken."""
    bench = Bench(Script(concurrency=1), ledger=Full)

    for _ in range(2):
        with pytest.raises(NotReady):
            await bench.submit()

    assert await bench.entries() == []
    assert not bench.target.heard
    assert bench.dispatch._busy["script"] == 0


async def test_a_repeat_takes_no_place() -> None:
    """Duplicates and conflicts give back what they reserved: the target's one place stays free."""
    bench = Bench(Script(concurrency=1))
    await bench.submit()
    await bench.work()

    again = await bench.submit()
    with pytest.raises(Conflict):
        await bench.admit(event(fact="another"), AIRFLOW)
    await bench.submit("2")
    await bench.work()

    assert again.duplicate
    assert [owed.state for owed in await bench.deliveries()] == [State.DONE, State.DONE]
    assert bench.target.heard == [("send", "a")] * 2


async def test_accepting_changes_nothing_but_the_record() -> None:
    """Proposing and listing what would be owed, as the dry run does, writes nothing."""
    bench = Bench()

    proposed = bench.admit.proposed(event(), AIRFLOW)
    owed = list(bench.admit.owed(event(), proposed))

    assert (proposed.decision.allowed, [each.route for each in owed]) == (True, ["all"])
    assert await bench.entries() == []


@pytest.mark.parametrize("steps", [(planned("a", "b"), planned("b", "a")), (planned("a"),)])
async def test_a_connectors_bug_keeps_no_event_out(steps: tuple[Planned, ...]) -> None:
    """An event whose plan breaks the connector is captured all the same, and its place is kept."""
    target = Script(steps, bug=KeyError("x") if len(steps) == 1 else None, concurrency=1)
    target.needs_look = False
    bench = Bench(target)

    receipt = await bench.submit()
    await bench.work()

    assert not receipt.duplicate
    assert (await bench.delivery()).reason
    assert bench.dispatch._busy["script"] == 0


def test_strangers_cannot_flood_the_record() -> None:
    """So many a second are recorded; the next second's first entry says how many were not."""
    strangers = Strangers(most=2)

    first = [strangers.count(NOON) for _ in range(5)]
    later = strangers.count(NOON + timedelta(seconds=1))

    assert first == [(True, 0), (True, 0), (False, 0), (False, 0), (False, 0)]
    assert later == (True, 3)


async def test_a_flood_of_strangers_is_answered_and_counted() -> None:
    """Each is refused; the record grows by the limit and no more."""
    bench = Bench(verifier=Strict())
    bench.admit.strangers.most = 3

    for _ in range(10):
        with pytest.raises(NotIdentified):
            await bench.admit.identify("")

    assert len(await bench.entries()) == 3
