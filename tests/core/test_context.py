"""What policy may know about a request."""

from dataclasses import replace
from datetime import timedelta

import pytest

from interlock.core.context import context_of
from interlock.core.event import Json
from tests.making import AIRFLOW, MINUTE, NOON, SITE, event


def test_everything_known_is_there() -> None:
    """Time, place, distance, and what the sender says of itself, never corroborated by itself."""
    one = event(initiator="ana")

    found = context_of(one, AIRFLOW, SITE, NOON + MINUTE, hop=2)

    assert found == {
        "now": NOON + MINUTE,
        "environment": "test",
        "hop": 2,
        "eventType": "airflow.dag_run.succeeded",
        "eventSubject": "load_orders",
        "workflow": "load_orders",
        "runId": "1",
        "initiator": "ana",
        "corroborated": False,
        "authorityAge": MINUTE,
        "requestDigest": one.digest,
    }


@pytest.mark.parametrize("data", [None, [], "run_id", {"run_id": 7}, {"run_id": None}, {}])
def test_what_is_not_said_is_absent(data: Json) -> None:
    """A rule about a missing fact has nothing to go by, and so does not permit."""
    found = context_of(event(subject=None, data=data), AIRFLOW, SITE, NOON)

    assert not {"eventSubject", "workflow", "runId", "initiator"} & set(found)


def test_a_sender_cannot_say_what_only_the_gateway_knows() -> None:
    """Extensions of the same names change nothing."""
    claims = {"hop": "0", "corroborated": "true", "environment": "x", "now": "x", "runid": "x"}

    assert context_of(event(**claims), AIRFLOW, SITE, NOON, hop=1) == context_of(
        event(), AIRFLOW, SITE, NOON, hop=1
    )


def test_authority_is_never_younger_than_new() -> None:
    """A clock that went back does not make a credential's age negative."""
    early = replace(AIRFLOW, verified_at=NOON + MINUTE)

    assert context_of(event(), early, SITE, NOON)["authorityAge"] == timedelta(0)
