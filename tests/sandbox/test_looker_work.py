"""Builds, query tasks and the cache go as their scripts and the clock say."""

import json
from typing import Any

import pytest

from tests.peers.looker import LookerPeer
from tests.sandbox.conftest import NOON, Start

START = "/derived_table/shop/customer_orders/start"
ROW = {"orders.created_date": "2026-01-01", "orders.count": 42}


def status(looker: LookerPeer, token: str, build: str) -> dict[str, Any]:
    """What the instance says about a build."""
    reply = looker.call("GET", f"/derived_table/{build}/status", token=token).json()
    text: dict[str, Any] = json.loads(reply["resp_text"])
    return text


def run(looker: LookerPeer, token: str, *, query: str = "101", **how: Any) -> dict[str, Any]:
    """Start a query task, let it end, and read it."""
    cache = how.pop("cache", "true")
    body = {"query_id": query, "result_format": "json", **how}
    task = looker.call("POST", f"/query_tasks?cache={cache}", token=token, body=body).json()["id"]
    looker.script("advance", seconds=1)
    ended: dict[str, Any] = looker.call("GET", f"/query_tasks/{task}", token=token).json()
    return ended


@pytest.mark.parametrize("outcome", ["complete", "error", "killed", "unknown"])
def test_a_build_ends_as_scripted(looker: LookerPeer, token: str, outcome: str) -> None:
    """Outcome, message and duration are the script's."""
    looker.script("builds", outcome=outcome, message="because", build_s=7)
    build = looker.call("GET", START, token=token).json()["materialization_id"]
    looker.script("advance", seconds=7)
    text = status(looker, token, build)

    assert (text["status"], text["message"], text["runtime"]) == (outcome, "because", 7)
    assert len(text["task_slug"]) == 32


def test_a_build_takes_what_the_content_says(start: Start, shop: dict[str, Any]) -> None:
    """Without a script a view's own duration rules, else the content's."""
    shop["models"][0]["views"]["daily_sales"]["build_s"] = 50
    looker = start(shop)
    token = looker.login()
    builds = [
        looker.call("GET", f"/derived_table/shop/{view}/start", token=token).json()[
            "materialization_id"
        ]
        for view in ("customer_orders", "daily_sales")
    ]
    looker.script("advance", seconds=shop["pdt_build_s"])

    assert [status(looker, token, build)["status"] for build in builds] == ["complete", "added"]


def test_a_script_can_be_for_one_view(looker: LookerPeer, token: str) -> None:
    """A view's own script goes before the one for all."""
    looker.script("builds", outcome="error", build_s=0)
    looker.script("builds", view="shop::customer_orders", build_s=0)
    build = looker.call("GET", START, token=token).json()["materialization_id"]

    assert status(looker, token, build)["status"] == "complete"


def test_an_empty_id_means_nothing_was_started(looker: LookerPeer, token: str) -> None:
    """Looker has been seen to answer a start with an empty id."""
    looker.script("builds", outcome="empty")

    assert looker.call("GET", START, token=token).json()["materialization_id"] == ""
    assert looker.effects() == {}


@pytest.mark.parametrize(("second_start", "builds"), [("new", 2), ("join", 1)])
def test_a_second_start(looker: LookerPeer, token: str, second_start: str, builds: int) -> None:
    """A client that repeats a start blindly is caught by the count, unless the script lets it join."""
    looker.script("builds", second_start=second_start)
    ids = {looker.call("GET", START, token=token).json()["materialization_id"] for _ in range(2)}

    assert len(ids) == builds
    assert looker.effects() == {"started a build of shop::customer_orders": builds}


def test_a_start_after_the_end_is_a_new_build(looker: LookerPeer, token: str) -> None:
    """There is nothing to join once the first build has ended."""
    looker.script("builds", second_start="join", build_s=5)
    looker.call("GET", START, token=token)
    looker.script("advance", seconds=5)
    looker.call("GET", START, token=token)

    assert looker.effects() == {"started a build of shop::customer_orders": 2}


def test_what_is_not_kept_cannot_be_built(start: Start, shop: dict[str, Any]) -> None:
    """A derived table without persistence is refused as curtly as Looker refuses it."""
    del shop["models"][0]["views"]["customer_orders"]["persistence"]
    looker = start(shop)
    reply = looker.call("GET", START, token=looker.login())

    assert (reply.status, reply.json()["message"]) == (400, "An error has occurred.")


def test_what_is_not_kept_is_inside_the_sql(start: Start, shop: dict[str, Any]) -> None:
    """A derived table without persistence shows its tables in the SQL of a query; a PDT hides them."""
    views = shop["models"][0]["views"]
    kept = start(shop)
    del views["customer_orders"]["persistence"]
    inline = start(shop)
    sql = [
        looker.call("GET", "/queries/103/run/sql", token=looker.login()).body.decode()
        for looker in (kept, inline)
    ]

    assert "looker_scratch.LR_" in sql[0]
    assert "analytics.orders" not in sql[0]
    assert "FROM analytics.orders GROUP BY 1) AS customer_orders" in sql[1]


@pytest.mark.parametrize("definition", ["select * from ${x.SQL_TABLE_NAME}", "select * from ${no.SQL_TABLE_NAME}"])  # fmt: skip
def test_sql_that_cannot_be_made_is_an_error(
    start: Start, shop: dict[str, Any], definition: str
) -> None:
    """A view derived from itself, or from none, is a 400 that names it."""
    shop["models"][0]["views"]["x"] = {"sql": definition}
    shop["models"][0]["explores"].append({"name": "x"})
    shop["queries"].append({"id": "200", "model": "shop", "view": "x"})
    looker = start(shop)

    assert looker.call("GET", "/queries/200/run/sql", token=looker.login()).status == 400


def test_only_sql_is_had_without_a_task(looker: LookerPeer, token: str) -> None:
    """The sandbox runs queries as tasks; another format says so."""
    assert looker.call("GET", "/queries/101/run/json", token=token).status == 400


@pytest.mark.parametrize(
    ("limit", "last"),
    [(None, "LIMIT 500"), (7, "LIMIT 7"), ("-1", "FROM analytics.orders AS orders")],
)
def test_a_limit_shows_in_the_sql(looker: LookerPeer, token: str, limit: Any, last: str) -> None:
    """500 rows by default, as many as asked, or all for -1."""
    body = {"model": "shop", "view": "orders", "fields": ["orders.id"], "limit": limit}
    query = looker.call("POST", "/queries", token=token, body=body).json()["id"]
    sql = looker.call("GET", f"/queries/{query}/run/sql", token=token).body.decode()

    assert sql.splitlines()[-1] == last


def test_the_cache_serves_what_is_not_stale(looker: LookerPeer, token: str) -> None:
    """The second run comes from the cache, and one past the cache does not."""
    sources = [
        run(looker, token, cache=cache)["result_source"] for cache in ("true", "true", "false")
    ]

    assert sources == ["query", "cache", "query"]
    assert looker.effects() == {"ran query 101": 2}


@pytest.mark.parametrize("field", ["stale_before", "triggered_at"])
def test_a_datagroup_busts_the_cache_of_its_explores(
    looker: LookerPeer, token: str, field: str
) -> None:
    """After either time, results older than it are run again; other datagroups' are not."""
    for query in ("101", "104"):
        run(looker, token, query=query)
    looker.script("advance", seconds=10)
    looker.call("PATCH", "/datagroups/1", token=token, body={field: int(NOON) + 10})

    assert run(looker, token, query="101")["result_source"] == "query"
    assert run(looker, token, query="104")["result_source"] == "cache"


def test_without_a_datagroup_the_cache_lives_an_hour(looker: LookerPeer, token: str) -> None:
    """Looker's default persist_for is one hour."""
    run(looker, token, query="105")
    within = run(looker, token, query="105")["result_source"]
    looker.script("advance", seconds=3600)

    assert within == "cache"
    assert run(looker, looker.login(), query="105")["result_source"] == "query"


def test_a_failed_run_is_not_cached(looker: LookerPeer, token: str) -> None:
    """After an error the next run asks the database again."""
    looker.script("tasks", outcome="error")
    failed = run(looker, token)
    looker.script("tasks")

    assert failed["status"] == "error"
    assert run(looker, token)["result_source"] == "query"


@pytest.mark.parametrize(
    ("result_format", "body"),
    [
        ("json", json.dumps([ROW], separators=(",", ":"))),
        ("csv", "orders.created_date,orders.count\n2026-01-01,42\n"),
        ("json_bi", json.dumps({"metadata": {"fields": list(ROW)}, "rows": [ROW]}, separators=(",", ":"))),
        ("json_detail", json.dumps({"id": "101", "data": [ROW], "errors": None}, separators=(",", ":"))),
    ],
)  # fmt: skip
def test_results_have_the_format_asked_for(
    looker: LookerPeer, token: str, result_format: str, body: str
) -> None:
    """Rows as JSON, as CSV, or with what is known about them."""
    task = run(looker, token, result_format=result_format)["id"]

    assert looker.call("GET", f"/query_tasks/{task}/results", token=token).body.decode() == body


def test_the_sql_is_a_result_too(looker: LookerPeer, token: str) -> None:
    """Format `sql` answers the text that was run."""
    task = run(looker, token, result_format="sql")["id"]
    result = looker.call("GET", f"/query_tasks/{task}/results", token=token).body

    assert result == looker.call("GET", "/queries/101/run/sql", token=token).body


@pytest.mark.parametrize(("result_format", "code"), [("json", 400), ("json_detail", 200)])
def test_where_a_failure_shows(
    looker: LookerPeer, token: str, result_format: str, code: int
) -> None:
    """`json_detail` has a failed query's error in a 200; the other formats are a 400."""
    looker.script("tasks", outcome="error", message="no such table")
    task = run(looker, token, result_format=result_format)["id"]
    reply = looker.call("GET", f"/query_tasks/{task}/results", token=token)

    assert reply.status == code
    assert "no such table" in reply.body.decode()


def test_results_are_late_and_then_gone(looker: LookerPeer, token: str) -> None:
    """202 while it runs, 200, and 404 an hour later."""
    looker.script("tasks", run_s=100)
    body = {"query_id": "101", "result_format": "json"}
    task = looker.call("POST", "/query_tasks", token=token, body=body).json()["id"]
    seen = []
    for seconds in (99, 1, 3600):
        looker.script("tokens", ttl_s=100_000)
        looker.script("advance", seconds=seconds)
        token = looker.login()
        seen.append(looker.call("GET", f"/query_tasks/{task}/results", token=token).status)

    assert seen == [202, 200, 404]
    assert looker.call("GET", f"/query_tasks/{task}", token=token).json()["status"] == "expired"
