"""`POST /v1/events` and `/v1/plan`: every mode of CloudEvents, and what the answers promise."""

import asyncio
import json

import pytest

from interlock.adapters.cloudevents import BATCH_MAX
from tests.surfaces.http.gateway import BATCH, Gateway, event

BINARY = (
    "ce-specversion: 1.0",
    "ce-type: airflow.dag_run.succeeded",
    "ce-source: airflow://prod",
    "ce-subject: load_orders",
)


def batch(*events: bytes) -> bytes:
    """A batch of these."""
    return b"[" + b",".join(events) + b"]"


async def test_a_receipt(gateway: Gateway) -> None:
    """202 says which hand-off it became and what that owes, and it is on record."""
    reply = await gateway.submit(event("receipt"))

    receipt = reply.json()
    trace = await gateway.ask("GET", f"/v1/handoffs/{receipt['handoff']}")
    assert (reply.status, reply.headers["content-type"]) == (202, "application/json")
    assert receipt.keys() == {"handoff", "event", "duplicate", "deliveries"}
    assert receipt["duplicate"] is False
    assert receipt["deliveries"] == [each["id"] for each in trace.json()["deliveries"]]


async def test_the_modes_say_the_same(gateway: Gateway) -> None:
    """The same fact in structured, binary and batch mode is one event, captured once."""
    first = (await gateway.submit(event("modes"))).json()

    binary = await gateway.submit(
        b'{"run_id": "run-modes"}', *BINARY, "ce-id: modes", kind="application/json"
    )
    batched = await gateway.submit(batch(event("modes")), kind=BATCH)

    again = first | {"duplicate": True}
    assert (binary.status, binary.json()) == (202, again)
    assert (batched.status, batched.json()) == (202, {"events": [{"status": 202} | again]})


async def test_binary_data_that_is_no_json(gateway: Gateway) -> None:
    """Any bytes travel in binary mode; header values are percent-encoded UTF-8."""
    headers = (*BINARY[:3], "ce-id: bytes", "ce-subject: load_%C3%A9t%C3%A9")

    reply = await gateway.submit(b"\x00\xff", *headers, kind="application/octet-stream")

    trace = await gateway.ask("GET", f"/v1/handoffs/{reply.json()['handoff']}")
    assert trace.json()["event"]["subject"] == "load_été"


async def test_sent_at_once_from_many_sides(gateway: Gateway) -> None:
    """However many send it together: one of them is first, all get the first receipt."""
    replies = await asyncio.gather(*(gateway.submit(event("at once")) for _ in range(20)))

    receipts = [reply.json() for reply in replies]
    assert {reply.status for reply in replies} == {202}
    assert len({receipt["handoff"] for receipt in receipts}) == 1
    assert [receipt["duplicate"] for receipt in receipts].count(False) == 1


async def test_another_fact_under_the_same_id(gateway: Gateway) -> None:
    """409 with both digests; the first fact stays, and the attempt is on record beside it."""
    first = (await gateway.submit(event("conflict"))).json()["handoff"]

    reply = await gateway.submit(event("conflict", data={"run_id": "another"}))

    told = reply.json()
    trace = (await gateway.ask("GET", f"/v1/handoffs/{first}")).json()
    assert (reply.status, told["code"]) == (409, "event.conflict")
    assert told["first_digest"] == trace["event"]["digest"] != told["digest"]
    assert trace["event"]["data"] == {"run_id": "run-conflict"}
    assert "conflict" in [entry["kind"] for entry in trace["history"]]


@pytest.mark.parametrize(
    ("subject", "prefer", "state"),
    [
        ("load_orders", "wait=10", "done"),
        ("load_orders", "respond-async, wait=10", "done"),
        ("broken", "wait=10", "failed"),
        ("unmapped", "wait=10", "failed"),
        ("nobody wants it", "wait=10", "done"),
        ("lost", "wait=1", "pending"),
        ("load_orders", "wait=0", None),
        ("load_orders", "wait=soon", None),
        ("load_orders", "return=minimal", None),
    ],
)
async def test_prefer_wait(gateway: Gateway, subject: str, prefer: str, state: str | None) -> None:
    """RFC 7240: the answer comes with the end, or at the end of the wait; else at once."""
    reply = await gateway.submit(event(f"{prefer} {subject}", subject=subject), f"Prefer: {prefer}")

    assert (reply.status, reply.json().get("state")) == (202, state)


async def test_a_batch_of_good_and_bad(gateway: Gateway) -> None:
    """207: each event stands alone, in order, with the status it would have had by itself."""
    await gateway.submit(event("batch first"))
    sent = batch(
        event("batch new"),
        event("batch first"),
        event("batch first", data={"run_id": "another"}),
        event("batch bad", source=None),
        event("batch strange", source="airflow://elsewhere"),
        b"7",
    )

    reply = await gateway.submit(sent, kind=BATCH)

    answers = reply.json()["events"]
    assert reply.status == 207
    assert [each["status"] for each in answers] == [202, 202, 409, 400, 403, 400]
    assert [each.get("duplicate") for each in answers[:2]] == [False, True]
    assert answers[3]["field"] == "source"
    assert answers[4]["code"] == "policy.not_allowed"


async def test_a_batch_of_one_kind(gateway: Gateway) -> None:
    """Where all end alike, that is the answer's status; an empty batch is no batch."""
    bad = await gateway.submit(batch(event("", id=""), event("x", type=None)), kind=BATCH)
    good = await gateway.submit(batch(*(event(f"b{n}") for n in range(BATCH_MAX))), kind=BATCH)
    none = await gateway.submit(b"[]", kind=BATCH)

    assert (bad.status, len(bad.json()["events"])) == (400, 2)
    assert (good.status, len(good.json()["events"])) == (202, BATCH_MAX)
    assert (none.status, none.json()["field"]) == (400, "(body)")


async def test_twice_in_one_batch(gateway: Gateway) -> None:
    """The same event twice in a batch is captured once; another fact beside it is a conflict."""
    same, other = event("twice"), event("twice", data={"run_id": "another"})

    repeated = await gateway.submit(batch(same, same), kind=BATCH)
    contested = await gateway.submit(batch(same, other), kind=BATCH)

    assert sorted(each["duplicate"] for each in repeated.json()["events"]) == [False, True]
    assert [each["status"] for each in contested.json()["events"]] == [202, 409]


async def test_a_plan(gateway: Gateway) -> None:
    """What each route would do, by which rule; and then nothing is on record of it."""
    reply = await gateway.ask(
        *("POST", "/v1/plan", event("plan", subject="load_both")),
        "Content-Type: application/cloudevents+json; charset=utf-8",
    )

    plan = reply.json()
    listed = await gateway.ask("GET", "/v1/handoffs?event=plan")
    assert reply.status == 200
    assert plan["decision"] == {"allowed": True, "rules": ["base/loads"], "why": "base/loads"}
    assert [(each["route"], each["problem"]) for each in plan["deliveries"]] == [
        ("tell", ""),
        ("also", ""),
    ]
    assert plan["deliveries"][0]["touched"][0]["asset"] == 'Endpoint::"hook/taken"'
    assert listed.json()["handoffs"] == []


async def test_a_plan_of_what_would_fail(gateway: Gateway) -> None:
    """A route that cannot be mapped, and a caller who may not submit, are answers of a plan."""
    kind = "Content-Type: application/cloudevents+json"

    unmapped = await gateway.ask("POST", "/v1/plan", event("plan", subject="unmapped"), kind)
    denied = await gateway.ask("POST", "/v1/plan", event("plan"), kind, client="stranger")

    assert unmapped.json()["deliveries"][0]["problem"].startswith("with: path: ")
    assert denied.status == 200
    assert denied.json()["decision"]["allowed"] is False
    assert denied.json()["deliveries"] == []


async def test_a_plan_is_of_one_event(gateway: Gateway) -> None:
    """A batch cannot be planned: 400, which names the header."""
    reply = await gateway.ask("POST", "/v1/plan", batch(event("plan")), f"Content-Type: {BATCH}")

    assert (reply.status, reply.json()["field"]) == (400, "content-type")


async def test_the_event_is_kept_as_it_was_said(gateway: Gateway) -> None:
    """What a target gets and a replay reads is what the sender wrote, extensions and all."""
    said = json.loads(event("kept", traceparent="00-1-2-01", time="2026-01-01T00:00:00Z"))
    handoff = (await gateway.submit(json.dumps(said).encode())).json()["handoff"]

    record = await gateway.running.gateway.ledger.trace(handoff)

    assert record
    assert json.loads(record.event.body) == said
