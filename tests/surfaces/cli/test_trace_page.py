"""The page of a hand-off: what someone who was woken by it must see, and what may be cut."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import click
import pytest

from interlock.surfaces.cli.text import Look
from interlock.surfaces.cli.trace_page import ENTRIES, STEPS, trace_lines

NOW = datetime(2026, 1, 1, 12, 20, tzinfo=UTC)

TRACE: dict[str, Any] = {
    "id": "h-1",
    "state": "failed",
    "cause": "submit",
    "source": "airflow-prod",
    "accepted_at": "2026-01-01T12:00:00Z",
    "config_rev": "abc",
    "event": {
        "source": "airflow://prod",
        "id": "load/1",
        "type": "airflow.dag_run.succeeded",
        "subject": "load_orders",
        "time": None,
        "data": {"run_id": "manual__1"},
    },
    "identity": {
        "principal": 'Agent::"okta/helper"',
        "groups": [],
        "verified_at": "2026-01-01T12:00:00Z",
        "acting_for": {
            "principal": 'User::"okta/alice"',
            "groups": ["okta/analytics"],
            "verified_at": "2026-01-01T12:00:00Z",
            "acting_for": None,
        },
    },
    "decision": {"allowed": True, "rules": ["base/submit", "base/agents"]},
    "deliveries": [],
    "history": [],
}
STEP: dict[str, Any] = {
    "id": "s-1",
    "key": "datagroup:orders",
    "resource": 'Datagroup::"looker/orders"',
    "state": "done",
    "reason": "",
    "reference": None,
    "attempts": [],
}
DELIVERY: dict[str, Any] = {
    "id": "d-1",
    "route": "orders-to-looker",
    "target": "looker",
    "action": "refresh",
    "state": "done",
    "reason": "",
    "deadline": "2026-01-01T12:10:00Z",
    "not_before": "2026-01-01T12:00:00Z",
    "notes": {"touched": [], "left": [], "possible": []},
    "steps": [],
}
ATTEMPT: dict[str, Any] = {
    "number": 1,
    "asked": False,
    "began_at": "2026-01-01T12:00:01Z",
    "took_ms": 12.4,
    "outcome": "Done",
    "detail": "",
}


def page(trace: dict[str, Any], *, whole: bool = False, look: Look | None = None) -> str:
    """The page as one text."""
    return "\n".join(trace_lines(deepcopy(trace), look or Look(), NOW, whole=whole))


def delivery(**parts: object) -> dict[str, Any]:
    """A trace with one delivery."""
    return TRACE | {"deliveries": [DELIVERY | parts]}


def entry(kind: str, at: str, of: str = "d-1", **detail: object) -> dict[str, Any]:
    """A line of the history."""
    return {"position": 1, "at": at, "kind": kind, "delivery": of, "detail": detail}


def test_the_chain_of_identity_is_whole() -> None:
    """Who called, for whom, their groups, and when that was verified."""
    text = page(TRACE)

    assert 'who      Agent::"okta/helper" in no group' in text
    assert '  for    User::"okta/alice" in okta/analytics' in text
    assert text.count("verified 20 min ago (2026-01-01T12:00:00Z)") == 2


def test_the_run_stands_out() -> None:
    """The run id is what people search their scheduler for."""
    assert "run      manual__1" in page(TRACE)
    assert click.style("manual__1", bold=True) in page(TRACE, look=Look(colour=True))


def test_a_payload_without_a_run_is_no_secret() -> None:
    """Where the data is readable and has no run id, nothing claims that it is hidden."""
    text = page(TRACE | {"event": TRACE["event"] | {"data": {"x": 1}}})

    assert "run  " not in text


def test_nothing_owed_is_said() -> None:
    """A hand-off that no route wanted says so."""
    assert "nothing: no route wanted it" in page(TRACE)


@pytest.mark.parametrize(
    ("state", "ended", "said"),
    [
        ("done", "2026-01-01T12:05:00Z", "done, 5 min before its deadline"),
        ("failed", "2026-01-01T12:13:00Z", "failed, 3 min AFTER its deadline"),
        ("waiting", None, "waiting, LATE by 10 min"),
    ],
)
def test_lateness_is_in_words(state: str, ended: str | None, said: str) -> None:
    """Before or AFTER its deadline, as it came to rest; LATE while it is open."""
    trace = delivery(state=state) | {"history": [entry(state, ended)] if ended else []}

    assert said in page(trace)


def test_what_waits_says_until_when() -> None:
    """An open delivery tells when a worker takes it up again."""
    trace = delivery(
        state="pending", deadline="2026-01-01T12:30:00Z", not_before="2026-01-01T12:24:00Z"
    )

    assert "pending, due in 10 min (2026-01-01T12:30:00Z), taken up again in 4 min" in page(trace)


def test_each_asset_has_its_reason() -> None:
    """What was touched and why, what may be affected and why, what was left alone and why."""
    notes = {
        "touched": [{"key": "datagroup:orders", "asset": "x", "why": "reads analytics.orders"}],
        "possible": [{"asset": "Explore traffic", "why": "its SQL could not be read"}],
        "left": [{"asset": "Explore stock", "why": "reads other tables"}],
    }
    steps = [STEP | {"attempts": [ATTEMPT], "reference": "task-7"}]

    text = page(delivery(notes=notes, steps=steps))

    assert 'Datagroup::"looker/orders"  datagroup:orders, 12 ms, reference task-7\n' in text
    assert "\n        reads analytics.orders\n" in text
    assert "possibly affected (1)\n    Explore traffic  its SQL could not be read" in text
    assert "left alone (1)\n    Explore stock  reads other tables" in text


def test_a_plan_that_touches_nothing_says_so() -> None:
    """No steps is an answer, not an omission."""
    assert "touched nothing" in page(delivery())
    assert "touched nothing" not in page(delivery(notes={}, state="failed", reason="mapping: x"))


def test_attempts_are_told_where_they_matter() -> None:
    """One good attempt is a number; several, or a bad one, are lines. --all tells every one."""
    good = delivery(steps=[STEP | {"attempts": [ATTEMPT]}])
    retried = delivery(
        steps=[
            STEP
            | {
                "attempts": [
                    ATTEMPT | {"outcome": "Unknown", "detail": "timeout"},
                    ATTEMPT | {"asked": True, "outcome": "Absent"},
                    ATTEMPT | {"number": 2},
                ]
            }
        ]
    )

    assert "#1" not in page(good)
    assert "#1  sent  Done" in page(good, whole=True)
    assert "3 attempts, 37 ms" in page(retried)
    for line in ("#1  sent   Unknown", "timeout", "#1  asked  Absent", "#2  sent   Done"):
        assert line in page(retried)


def test_what_went_wrong_comes_first() -> None:
    """Among many steps the one that is not done leads; the rest is counted unless --all."""
    steps = [STEP | {"resource": f"good-{n}"} for n in range(STEPS + 5)]
    steps.append(STEP | {"resource": "bad", "state": "cancelled", "reason": "not needed"})
    trace = delivery(steps=steps)

    lines = page(trace).splitlines()

    start = lines.index(f"  touched ({STEPS + 6})")
    assert "bad" in lines[start + 1]
    assert "not needed" in lines[start + 2]
    assert "    and 6 more: --all shows them" in lines
    assert "good-16" in page(trace, whole=True)
    assert "--all" not in page(trace, whole=True)


def test_a_long_history_is_cut_at_the_front() -> None:
    """The latest entries, and how many came before."""
    trace = TRACE | {
        "history": [entry("sending", "2026-01-01T12:00:00Z", n=n) for n in range(ENTRIES + 2)]
    }

    assert "history (2 earlier: --all shows them)" in page(trace)
    assert "n 0" not in page(trace)
    assert "n 0" in page(trace, whole=True)


def test_a_refusal_names_the_owner_if_it_is_known() -> None:
    """The team to ask, or at least whose it is."""
    detail: dict[str, Any] = {
        "code": "policy.not_allowed",
        "principal": 'Service::"okta/x"',
        "action": "submit",
        "resource": 'Source::"airflow-prod"',
        "rules": ["base/no-agents"],
        "why": "no rule permits it",
        "event": {"type": "t", "id": "1", "source": "s"},
    }
    refused: dict[str, Any] = {
        "id": "h-1",
        "state": "refused",
        "history": [entry("refused", "2026-01-01T12:00:00Z", "", **detail)],
    }
    owned = deepcopy(refused)
    owned["history"][0]["detail"]["owner"] = "data-platform"

    assert 'ask      whoever owns Source::"airflow-prod"' in page(refused)
    assert "rules: base/no-agents" in page(refused)
    assert "ask      data-platform, for a rule" in page(owned)
