"""The sandbox keeps the general rules of API 4.0: tokens, errors, partial answers, pages."""

import re
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from interlock.sandbox.looker.operations import OPERATIONS, Operation
from tests.peers.looker import LookerPeer
from tests.sandbox.conftest import NOON, Start

GUARDED = [operation for operation in OPERATIONS if operation.id != "login"]


@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.id)
@pytest.mark.parametrize("sent", [None, "never-issued"])
def test_nothing_is_open_without_a_token(
    looker: LookerPeer, operation: Operation, sent: str | None
) -> None:
    """Every operation but login asks for a live token, and does nothing without."""
    reply = looker.call(operation.method, re.sub(r"\{\w+\}", "1", operation.path), token=sent)

    assert reply.status == 401
    assert reply.json()["message"] == "Requires authentication."
    assert [(call["operation"], call["status"]) for call in looker.journal()] == [
        (operation.id, 401)
    ]


@pytest.mark.parametrize(
    ("authorization", "status"),
    [("token {}", 200), ("Bearer {}", 200), ("Basic {}", 401), ("{}", 401)],
)
def test_a_token_has_two_names(
    looker: LookerPeer, token: str, authorization: str, status: int
) -> None:
    """`token X` and `Bearer X` are the same; other schemes are none."""
    headers = {"Authorization": authorization.format(token)}

    assert looker.request("GET", "/api/4.0/user", headers=headers).status == status


def test_login_needs_both_halves_of_a_key(looker: LookerPeer) -> None:
    """Half a key is a bad request."""
    assert looker.call("POST", "/login", form={"client_id": "sandbox-interlock"}).status == 400


@pytest.mark.parametrize(
    ("call", "body", "field", "code"),
    [
        ("PATCH /datagroups/1", {"surprise": 1}, "surprise", "invalid"),
        ("PATCH /datagroups/1", {"triggered_at": "now"}, "triggered_at", "invalid"),
        ("PATCH /datagroups/1", {"stale_before": NOON + 1}, "stale_before", "invalid"),
        ("POST /queries", {"view": "orders"}, "model", "missing_field"),
        ("POST /queries", {"model": "no", "view": "orders"}, "model", "invalid"),
        ("POST /queries", {"model": "shop", "view": "no"}, "view", "invalid"),
        ("POST /queries", {"model": "shop", "view": "orders", "id": "9"}, "id", "invalid"),
        ("POST /queries", {"model": "shop", "view": "orders", "client_id": "!"}, "client_id", "invalid"),
        ("POST /queries", {"model": "shop", "view": "orders", "limit": "all"}, "limit", "invalid"),
        ("POST /query_tasks", {"query_id": "101", "result_format": "png"}, "result_format", "invalid"),
        ("POST /query_tasks", {"query_id": 101, "result_format": "json"}, "query_id", "invalid"),
        ("GET /lookml_models?limit=-1", None, "limit", "invalid"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(
    looker: LookerPeer, token: str, call: str, body: Any, field: str, code: str
) -> None:
    """A field that is missing, wrong or unknown is a 422 that names it, and nothing happens."""
    method, path = call.split()
    reply = looker.call(method, path, token=token, body=body)

    assert reply.status == 422
    assert reply.json()["message"] == "Validation Failed"
    assert [(e["field"], e["code"]) for e in reply.json()["errors"]] == [(field, code)]
    assert all(e["message"] and e["documentation_url"] for e in reply.json()["errors"])
    assert looker.effects() == {}


def test_a_client_id_names_one_query(looker: LookerPeer, token: str) -> None:
    """Two queries cannot have the same `client_id`."""
    body = {"model": "shop", "view": "orders", "client_id": "a" * 22}
    first = looker.call("POST", "/queries", token=token, body=body)
    other = looker.call("POST", "/queries", token=token, body={**body, "limit": "1"})

    assert (first.status, first.json()["client_id"]) == (200, "a" * 22)
    assert (other.status, other.json()["errors"][0]["code"]) == (422, "already_exists")


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"[]", 400), (b"\xff", 400), (b"1" * 1_048_577, 413)]
)
def test_a_body_is_an_object_of_some_size(
    looker: LookerPeer, token: str, body: bytes, status: int
) -> None:
    """What is not a JSON object, or is too large, is refused and journalled."""
    assert looker.call("PATCH", "/datagroups/1", token=token, body=body).status == status
    assert [call["status"] for call in looker.journal()] == [status]


@pytest.mark.parametrize(
    "path",
    [
        "/datagroups/99",
        "/lookml_models/no/explores/orders",
        "/lookml_models/shop/explores/no",
        "/derived_table/shop/orders/start",
        "/derived_table/no/orders/start",
        "/derived_table/99/status",
        "/derived_table/99/stop",
        "/dashboards/99",
        "/queries/99",
        "/query_tasks/99/results",
        "/looks/1",
    ],
)
def test_what_is_not_there_is_not_found(looker: LookerPeer, token: str, path: str) -> None:
    """An unknown id, a view that is no derived table, an operation not played: 404 in JSON."""
    reply = looker.call("GET", path, token=token)

    assert (reply.status, reply.json()["message"]) == (404, "Not found")
    assert looker.effects() == {}


def test_fields_choose_parts_at_any_depth(looker: LookerPeer, token: str) -> None:
    """`fields=a,b(c)` keeps what it names and passes over what nobody has."""
    path = "/dashboards/shop%3A%3Asales?fields=title,nothing,dashboard_elements(query(view))"

    assert looker.call("GET", path, token=token).json() == {
        "title": "Sales",
        "dashboard_elements": [{"query": {"view": "orders"}}, {"query": {"view": "sales_trend"}}],
    }


def test_pages_add_up(looker: LookerPeer, token: str) -> None:
    """Pages of two, laid end to end, are the whole list."""
    pages = []
    for offset in (0, 2, 4):
        path = f"/dashboards/lookml/search?fields=id&limit=2&offset={offset}"
        pages.append([found["id"] for found in looker.call("GET", path, token=token).json()])

    assert pages == [["shop::sales", "shop::customers"], ["shop::stock", "shop::traffic"], []]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", ["12", "13"]),
        ("?deleted=false", ["12"]),
        ("?deleted=true", ["13"]),
        ("?title=morning%25", ["12"]),
        ("?title=Bin_ed", ["13"]),
        ("?title=Bin", []),
        ("?id=13,14", ["13"]),
    ],
)
def test_content_search(start: Start, shop: dict[str, Any], asked: str, found: list[str]) -> None:
    """Search goes by id, by title with % and _, and by whether a dashboard is in the bin."""
    shop["dashboards"].append({"id": "13", "title": "Binned", "deleted": True})
    looker = start(shop)
    reply = looker.call("GET", f"/dashboards/search{asked}", token=looker.login())

    assert [dashboard["id"] for dashboard in reply.json()] == found


def test_a_lookml_search_goes_by_the_name_in_the_code(looker: LookerPeer, token: str) -> None:
    """`title` is the name in the id there, not the displayed title."""
    reply = looker.call("GET", "/dashboards/lookml/search?title=s%25&fields=id", token=token)

    assert reply.json() == [{"id": "shop::sales"}, {"id": "shop::stock"}]


def test_the_journal_keeps_no_secret(looker: LookerPeer) -> None:
    """The journal has who called, with which source and body - but neither key nor token."""
    token = looker.login()
    looker.call("PATCH", "/datagroups/2?source=run-7", token=token, body={"stale_before": 5})
    login, patch = looker.journal()

    assert login["body"] == {"client_id": "sandbox-interlock"}
    assert (patch["number"], patch["user"], patch["source"]) == (2, "7", "run-7")
    assert (patch["path"], patch["body"]) == ({"datagroup": "2"}, {"stale_before": 5})
    assert patch["effects"] == ["busted the cache of datagroup shop::stock_datagroup"]
    assert not re.search(f"{re.escape(token)}|sandbox-secret", str((login, patch)))


def test_a_forgotten_journal_begins_anew(looker: LookerPeer, token: str) -> None:
    """What was forgotten is neither listed nor counted."""
    looker.call("PATCH", "/datagroups/2", token=token, body={"stale_before": 5})
    looker.forget()

    assert (looker.journal(), looker.effects()) == ([], {})


@pytest.mark.parametrize(("skew_s", "status"), [(-90, 422), (0, 200), (90, 200)])
def test_the_future_begins_at_the_instance(
    looker: LookerPeer, token: str, skew_s: int, status: int
) -> None:
    """What is now for the caller may be the future for a Looker whose clock is behind, and its `Date` says so."""
    looker.script("clock", skew_s=skew_s)
    reply = looker.call("PATCH", "/datagroups/1", token=token, body={"triggered_at": int(NOON)})

    assert reply.status == status
    assert parsedate_to_datetime(reply.headers["Date"]).timestamp() == NOON + skew_s


@pytest.mark.parametrize(
    ("script", "body"),
    [
        ("advance", {"seconds": -1}),
        ("tokens", {"ttl_s": 0}),
        ("builds", {"outcome": "explode"}),
        ("tasks", {"surprise": 1}),
        ("faults", {"kind": "reset", "operation": "reset_everything"}),
        ("faults", {"kind": "reset", "times": 0}),
    ],
)
def test_a_wrong_script_is_refused(looker: LookerPeer, script: str, body: Any) -> None:
    """A script that cannot be meant says which field is wrong."""
    reply = looker.request("POST", f"/_sandbox/{script}", body=body)

    assert reply.status == 422
    assert len(reply.json()["errors"]) == 1


def test_a_script_is_json(looker: LookerPeer) -> None:
    """What is not JSON is said to be none; no body at all asks for the defaults."""
    assert looker.request("POST", "/_sandbox/tasks", body=b"{").status == 400
    assert looker.request("POST", "/_sandbox/tasks").status == 204
