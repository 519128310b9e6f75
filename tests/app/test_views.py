"""What callers are shown: whole where they may read, without the payload where they may not."""

import json
from dataclasses import replace

import pytest

from interlock.app.views import handoff_view, plan_view, planned_view, refused_view, trace_view
from interlock.core.decision import Decision
from interlock.core.delivery import moved, with_plan
from interlock.core.entry import Attempt, Entry
from interlock.core.event import Json
from interlock.core.plan import Left, Plan
from interlock.core.step import SAID, Rejected, State, answered, sending
from interlock.ports import Record
from tests.core.steps import planned
from tests.making import AIRFLOW, LIMITS, NOON, SECOND, delivery, event, handoff

NEWS = event(data={"card": "s3cret"})
ACCEPTED = handoff(NEWS, replace(AIRFLOW, acting_for=AIRFLOW))
ENTRY = Entry(kind="accepted", at=NOON, position=7, handoff=ACCEPTED.id)


def record() -> Record:
    """A hand-off with one delivery of one step, which was rejected."""
    owed, [step] = with_plan(delivery(ACCEPTED), Plan(steps=(planned("a"),)), NOON)
    step = answered(sending(step, NOON, LIMITS), Rejected("404"), NOON, LIMITS, 0)
    attempt = Attempt(
        step=step.id, number=1, began_at=NOON, ended_at=NOON + SECOND / 2, outcome="Rejected"
    )
    owed = moved(owed, [step])
    return Record(
        event=NEWS,
        handoff=ACCEPTED,
        deliveries=(owed,),
        steps={owed.id: (step,)},
        attempts=(attempt,),
    )


@pytest.mark.parametrize("payload", [True, False])
def test_the_payload_is_shown_to_those_who_may_read_it(payload: bool) -> None:
    """Without leave to read it, nothing of the data is in a trace."""
    shown = json.dumps(trace_view(record(), [ENTRY], payload=payload))

    assert ("s3cret" in shown) is payload


def test_a_trace_goes_from_the_caller_to_the_last_attempt() -> None:
    """Who, for whom, by which rule, what was done, how long it took and what came of it."""
    shown = json.loads(json.dumps(trace_view(record(), [ENTRY], payload=False)))

    [owed] = shown["deliveries"]
    [step] = owed["steps"]
    assert shown["state"] == owed["state"] == step["state"] == "failed"
    assert shown["identity"]["acting_for"]["principal"] == 'Service::"okta/airflow"'
    assert shown["decision"] == {"allowed": True, "rules": ["base/submit"]}
    assert (owed["deadline"], owed["reason"]) == ("2026-01-01T12:10:00Z", "404")
    assert step["attempts"] == [
        {
            "number": 1,
            "asked": False,
            "began_at": "2026-01-01T12:00:00Z",
            "took_ms": 500.0,
            "outcome": "Rejected",
            "detail": "",
        }
    ]
    assert [line["position"] for line in shown["history"]] == [7]


def test_lists_show_no_data() -> None:
    """A line of a list tells what happened, not what was in it."""
    shown = handoff_view(record())

    assert "s3cret" not in json.dumps(shown)
    assert (shown["id"], shown["accepted_at"]) == (ACCEPTED.id, "2026-01-01T12:00:00Z")


@pytest.mark.parametrize("payload", [True, False])
def test_what_a_target_said_is_for_those_who_may_read_the_payload(*, payload: bool) -> None:
    """It may quote the event's data: others see our own words, and the status."""
    entry = replace(ENTRY, detail={"post": f"failed: 422{SAID}card 4222 is bad"})

    shown = json.dumps(trace_view(record(), [entry], payload=payload))

    assert "failed: 422" in shown
    assert ("card 4222" in shown) is payload


def test_a_handoff_that_owes_nothing_is_done() -> None:
    """No route wanted it: there is nothing to wait for."""
    assert handoff_view(Record(event=NEWS, handoff=ACCEPTED))["state"] == State.DONE


def test_a_refused_event_has_a_history_and_no_more() -> None:
    """What was refused was never recorded, so only the refusal can be shown."""
    shown = refused_view("h-1", [ENTRY])

    assert shown.keys() == {"id", "state", "history"}
    assert shown["state"] == "refused"


def test_a_dry_run_shows_what_would_be_touched_and_why_not() -> None:
    """Touched, left alone, possibly affected, or the problem that stands in the way."""
    owed = delivery(ACCEPTED)
    plan = Plan(
        steps=(planned("a"),),
        left=(Left(asset="b", why="c"),),
        possible=(Left(asset="d", why="e"),),
    )

    good, bad = planned_view(owed, plan, ""), planned_view(owed, None, "cannot be read")

    touched: Json = [{"key": "a", "asset": 'Dashboard::"looker/a"', "why": "a reads the table"}]
    assert (good["touched"], good["problem"]) == (touched, "")
    assert good["left"] == [{"asset": "b", "why": "c"}]
    assert good["possible"] == [{"asset": "d", "why": "e"}]
    assert (bad["touched"], bad["problem"]) == ([], "cannot be read")


def test_a_dry_run_that_is_denied_says_why() -> None:
    """The decision, its rules and its error."""
    denied = replace(ACCEPTED, decision=Decision(allowed=False, error="no source"))

    shown = plan_view(denied, [])

    assert shown["decision"] == {"allowed": False, "rules": [], "why": "no source"}
    assert shown["deliveries"] == []
