"""The sandbox fails on demand, in the ways that networks, proxies and servers fail."""

import http.client
import json
from email.utils import formatdate
from typing import Any

import pytest

from tests.peers.looker import LookerPeer, Reply
from tests.sandbox.conftest import NOON

TRIGGERED = {"triggered datagroup shop::orders_datagroup": 1}


def trigger(looker: LookerPeer, token: str, *, timeout_s: float = 10) -> Reply:
    """A call whose effect can be counted."""
    body = {"triggered_at": int(NOON)}
    return looker.call("PATCH", "/datagroups/1", token=token, body=body, timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "unauthorized"}, 401),
        ({"kind": "too_many_requests"}, 429),
        ({"kind": "server_error"}, 503),
        ({"kind": "server_error", "status": 500}, 500),
        ({"kind": "html", "status": 502}, 502),
    ],
)
@pytest.mark.parametrize(("when", "effects"), [("before", {}), ("after", TRIGGERED)])
def test_an_error_instead_of_the_answer(
    looker: LookerPeer, token: str, fault: dict[str, Any], status: int, when: str, effects: Any
) -> None:
    """The client sees an error, whether or not the call had its effect."""
    looker.script("faults", **fault, when=when)

    assert trigger(looker, token).status == status
    assert looker.effects() == effects
    assert [(call["status"], call["fault"]) for call in looker.journal()] == [
        (status, fault["kind"])
    ]


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({}, None),
        ({"retry_after_s": 7}, "7"),
        ({"retry_after_s": 7, "retry_after_as": "date"}, formatdate(NOON + 7, usegmt=True)),
    ],
)
def test_when_to_come_back(looker: LookerPeer, token: str, asked: Any, sent: str | None) -> None:
    """A 429 says nothing, seconds, or a date."""
    looker.script("faults", kind="too_many_requests", **asked)

    assert looker.call("GET", "/user", token=token).headers["Retry-After"] == sent


@pytest.mark.parametrize(("when", "effects"), [("before", {}), ("after", TRIGGERED)])
def test_a_reset_connection(looker: LookerPeer, token: str, when: str, effects: Any) -> None:
    """The kernel tells the client that the connection was reset; nobody tells it about the effect."""
    looker.script("faults", kind="reset", when=when)

    with pytest.raises(ConnectionResetError) as broken:
        trigger(looker, token)
    assert not isinstance(broken.value, http.client.RemoteDisconnected)
    assert looker.effects() == effects
    assert looker.journal()[0]["status"] is None


def test_a_call_that_is_never_answered(looker: LookerPeer, token: str) -> None:
    """The client waits as long as it likes; the effect may have happened."""
    looker.script("faults", kind="stall", when="after")

    with pytest.raises(TimeoutError):
        trigger(looker, token, timeout_s=0.2)
    assert looker.effects() == TRIGGERED


def test_half_an_answer(looker: LookerPeer, token: str) -> None:
    """A truncated answer is a 200 whose JSON ends too early, after the effect."""
    looker.script("faults", kind="truncated")
    reply = trigger(looker, token)

    assert reply.status == 200
    assert looker.effects() == TRIGGERED
    with pytest.raises(json.JSONDecodeError):
        reply.json()


def test_a_page_instead_of_json(looker: LookerPeer, token: str) -> None:
    """A proxy's error page is HTML."""
    looker.script("faults", kind="html")
    reply = looker.call("GET", "/user", token=token)

    assert reply.headers["Content-Type"].startswith("text/html")
    assert reply.body.startswith(b"<!DOCTYPE html>")


def test_a_fault_is_for_one_operation_and_some_times(looker: LookerPeer, token: str) -> None:
    """Other operations are not touched, and it is over after its times."""
    looker.script("faults", kind="server_error", operation="me", times=2)
    seen = [
        looker.call("GET", path, token=token).status
        for path in ("/versions", "/user", "/versions", "/user", "/user")
    ]

    assert seen == [200, 503, 200, 503, 200]


def test_faults_come_in_order(looker: LookerPeer, token: str) -> None:
    """The first fault that fits is taken first."""
    looker.script("faults", kind="too_many_requests")
    looker.script("faults", kind="server_error", status=500)
    seen = [looker.call("GET", "/user", token=token).status for _ in range(3)]

    assert seen == [429, 500, 200]


def test_faults_can_be_called_off(looker: LookerPeer, token: str) -> None:
    """Those that have not happened yet do not happen."""
    looker.script("faults", kind="server_error", times=9)
    looker.no_more_faults()

    assert looker.call("GET", "/user", token=token).status == 200


def test_a_login_can_fail_too(looker: LookerPeer) -> None:
    """No operation is spared."""
    looker.script("faults", kind="server_error", operation="login")
    form = {"client_id": looker.client_id, "client_secret": looker.client_secret}

    assert looker.call("POST", "/login", form=form).status == 503
