"""The verbs that read: filters, pages, and what policy leaves out."""

from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.http.gateway import Gateway
from tests.surfaces.http.gateway import gateway as gateway_in

EVENTS: tuple[tuple[str, dict[str, object]], ...] = (
    ("one", {}),
    ("two", {"subject": "load_both"}),
    ("three", {"subject": "broken", "type": "airflow.task.failed"}),
    ("four", {"source": "airflow://dev"}),
    ("five", {"subject": "nobody wants it"}),
)


@pytest.fixture(scope="module", name="ids")
async def ids_of_file(gateway: Gateway) -> dict[str, str]:
    """The hand-offs of EVENTS, oldest first, all settled; by the event's id."""
    return {id_: (await gateway.settled(id_, **parts))["handoff"] for id_, parts in EVENTS}


async def listed(
    gateway: Gateway, what: str, query: str = "", client: str = "airflow"
) -> dict[str, Any]:
    """A page."""
    reply = await gateway.ask("GET", f"/v1/{what}?{query}", client=client)
    assert reply.status == 200, reply.body
    page: dict[str, Any] = reply.json()
    return page


async def test_newest_first(gateway: Gateway, ids: dict[str, str]) -> None:
    """The hand-offs, each with its state, event and deliveries, and no payload."""
    page = await listed(gateway, "handoffs")

    assert [each["id"] for each in page["handoffs"]] == [*ids.values()][::-1]
    assert page["next"] is None
    newest_but_two = page["handoffs"][2]
    assert newest_but_two["state"] == "failed"
    assert newest_but_two["principal"] == 'Service::"forge/airflow"'
    assert newest_but_two["event"].keys() == {"source", "id", "type", "subject", "time", "digest"}
    assert [each["route"] for each in newest_but_two["deliveries"]] == ["break"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("event=two", ["two"]),
        ("source=airflow-dev", ["four"]),
        ("source=airflow%2Ddev", ["four"]),
        ("source=airflow://dev", []),
        ("subject=load_orders", ["four", "one"]),
        ("type=airflow.task.failed", ["three"]),
        ("type=airflow.task.failed&subject=load_orders", []),
        ("since=2026-01-01T00:00:00Z", ["five", "four", "three", "two", "one"]),
        ("since=2200-01-01T00:00:00%2B02:00", []),
        ("event=%27%20OR%201=1", []),
    ],
)
@pytest.mark.usefixtures("ids")
async def test_which_handoffs(gateway: Gateway, query: str, found: list[str]) -> None:
    """Every part of the filter must fit."""
    page = await listed(gateway, "handoffs", query)

    assert [each["event"]["id"] for each in page["handoffs"]] == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["four", "three", "two", "two", "one"]),
        ("route=also", ["two"]),
        ("target=side", ["two"]),
        ("state=failed", ["three"]),
        ("state=done&target=hook", ["four", "two", "one"]),
        ("state=pending", []),
        ("since=2200-01-01T00:00:00Z", []),
    ],
)
@pytest.mark.usefixtures("ids")
async def test_which_deliveries(gateway: Gateway, query: str, found: list[str]) -> None:
    """Likewise."""
    page = await listed(gateway, "deliveries", query)

    assert [each["event"]["id"] for each in page["deliveries"]] == found


async def test_the_deliveries_of_a_handoff(gateway: Gateway, ids: dict[str, str]) -> None:
    """One hand-off's own."""
    page = await listed(gateway, "deliveries", f"handoff={ids['two']}")

    assert {each["route"] for each in page["deliveries"]} == {"tell", "also"}


@pytest.mark.parametrize("what", ["handoffs", "deliveries"])
@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.usefixtures("ids")
async def test_pages(gateway: Gateway, what: str, limit: int) -> None:
    """Page by page it is the whole list, each once."""
    whole = [each["id"] for each in (await listed(gateway, what))[what]]
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await listed(gateway, what, f"limit={limit}&after={after}")
        seen += [each["id"] for each in page[what]]
        after = page["next"]

    assert seen == whole


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=many", "limit"),
        ("limit=1e9999", "limit"),
        ("since=yesterday", "since"),
        ("since=2026-01-01T00:00:00", "since"),
        ("source=" + "a" * 2_049, "source"),
    ],
)
async def test_a_filter_that_is_none(gateway: Gateway, query: str, field: str) -> None:
    """400 and the field at fault."""
    reply = await gateway.ask("GET", f"/v1/handoffs?{query}")

    assert (reply.status, reply.json()["field"]) == (400, field)


async def test_a_state_that_is_none(gateway: Gateway) -> None:
    """400, which lists the states."""
    reply = await gateway.ask("GET", "/v1/deliveries?state=lost")

    assert (reply.status, reply.json()["field"]) == (400, "state")
    assert "'pending'" in reply.json()["detail"]


async def test_a_trace(gateway: Gateway, ids: dict[str, str]) -> None:
    """One hand-off whole: payload, identity, decision, steps, attempts and every entry."""
    trace = (await gateway.ask("GET", f"/v1/handoffs/{ids['one']}")).json()

    [delivery] = trace["deliveries"]
    [step] = delivery["steps"]
    assert trace["event"]["data"] == {"run_id": "run-one"}
    assert trace["identity"]["groups"] == ["forge/data-eng"]
    assert trace["decision"] == {"allowed": True, "rules": ["base/loads"]}
    assert delivery["params"] == {"path": "/taken"}
    assert (step["state"], step["call"]["content_type"]) == ("done", "application/cloudevents+json")
    assert [attempt["outcome"] for attempt in step["attempts"]] == ["Done"]
    assert [entry["kind"] for entry in trace["history"]][:1] == ["accepted"]
    positions = [entry["position"] for entry in trace["history"]]
    assert positions == sorted(positions)


async def test_lists_leave_out_what_policy_hides(gateway: Gateway, ids: dict[str, str]) -> None:
    """An auditor of one source and one target sees those; a stranger sees empty lists."""
    handoffs = await listed(gateway, "handoffs", client="auditor")
    deliveries = await listed(gateway, "deliveries", client="auditor")
    nothing = await listed(gateway, "handoffs", client="stranger")

    assert ids["four"] not in {each["id"] for each in handoffs["handoffs"]}
    assert len(handoffs["handoffs"]) == len(ids) - 1
    assert {each["target"] for each in deliveries["deliveries"]} == {"hook"}
    assert nothing["handoffs"] == []


@pytest.mark.usefixtures("ids")
async def test_a_page_that_policy_thins(gateway: Gateway) -> None:
    """A page may be short or empty and still have a next one; following it finds the rest."""
    seen, after = [], ""
    for _ in EVENTS:
        page = await listed(gateway, "handoffs", f"limit=1&after={after}", client="auditor")
        seen += [each["event"]["id"] for each in page["handoffs"]]
        after = page["next"]

    assert seen == ["five", "three", "two", "one"]


async def test_the_payload_is_a_right_of_its_own(gateway: Gateway, ids: dict[str, str]) -> None:
    """Who may read and not readPayload sees what was done, and nothing that the event's data says."""
    reply = await gateway.ask("GET", f"/v1/handoffs/{ids['one']}", client="auditor")

    trace = reply.json()
    [delivery] = trace["deliveries"]
    assert reply.status == 200
    assert "data" not in trace["event"]
    assert b"run-one" not in reply.body
    assert "params" not in delivery
    assert delivery["steps"][0].keys().isdisjoint({"call", "result"})
    assert delivery["steps"][0]["attempts"]


@pytest.mark.parametrize("client", ["stranger", "auditor"])
async def test_what_may_not_be_read_is_not_there(
    gateway: Gateway, ids: dict[str, str], client: str
) -> None:
    """404 to the letter as for a hand-off that does not exist."""
    hidden, absent = ids["four"], "h-000000000000000000000000"

    replies = [
        await gateway.ask("GET", f"/v1/handoffs/{id_}", client=client) for id_ in (hidden, absent)
    ]

    assert [reply.status for reply in replies] == [404, 404]
    assert replies[0].body.replace(hidden.encode(), absent.encode()) == replies[1].body


async def test_reading_records_nothing(gateway: Gateway, ids: dict[str, str]) -> None:
    """The ledger does not grow by being read."""
    before = await gateway.last()

    for path in ("handoffs", "deliveries", f"handoffs/{ids['one']}"):
        assert (await gateway.ask("GET", f"/v1/{path}")).status == 200

    assert await gateway.last() == before


async def test_the_harness_can_fail(tmp_path: Path) -> None:
    """An empty list is empty because nothing fits: the same question finds what comes later."""
    async with gateway_in(tmp_path) as gateway:
        before = await listed(gateway, "handoffs", "event=later")
        receipt = await gateway.settled("later")
        after = await listed(gateway, "handoffs", "event=later")

    assert before["handoffs"] == []
    assert [each["id"] for each in after["handoffs"]] == [receipt["handoff"]]
