"""The official Python client finds in the sandbox what it finds in a Looker."""

import json

import pytest
from looker_sdk import error, methods40
from looker_sdk import models40 as models

from tests.peers.looker import LookerPeer
from tests.sandbox.conftest import NOON


def test_it_logs_in_by_itself(sdk: methods40.Looker40SDK) -> None:
    """The client gets a token, and the instance knows whose it is."""
    assert sdk.me().display_name == "Interlock"


def test_it_reads_the_release(sdk: methods40.Looker40SDK) -> None:
    """The release is what an operator compares before it uses an operation."""
    assert sdk.versions(fields="looker_release_version").looker_release_version == "26.12.0"


def test_it_lists_models_with_their_explores(sdk: methods40.Looker40SDK) -> None:
    """A model names its project, its connection and its explores."""
    (model,) = sdk.all_lookml_models()

    assert (model.name, model.project_name) == ("shop", "shop")
    assert model.allowed_db_connection_names == ["warehouse"]
    assert model.explores
    assert [explore.name for explore in model.explores] == [
        "orders",
        "customers",
        "sales_trend",
        "stock",
        "traffic",
    ]


def test_it_reads_the_joins_of_an_explore(sdk: methods40.Looker40SDK) -> None:
    """An explore shows the tables behind it, as far as they are not derived."""
    explore = sdk.lookml_model_explore("shop", "customers")

    assert (explore.id, explore.sql_table_name) == ("shop::customers", "analytics.customers")
    assert explore.dialect_name == "bigquery_standard_sql"
    assert explore.joins
    assert [(join.name, join.sql_table_name) for join in explore.joins] == [
        ("customer_orders", None)
    ]


def test_it_triggers_a_datagroup(looker: LookerPeer, sdk: methods40.Looker40SDK) -> None:
    """A trigger is seen afterwards, and counted once."""
    before = sdk.datagroup("1")
    changed = sdk.update_datagroup("1", models.WriteDatagroup(triggered_at=int(NOON) - 60))

    assert (before.name, before.triggered_at) == ("orders_datagroup", None)
    assert changed.triggered_at == int(NOON) - 60
    assert [datagroup.triggered_at for datagroup in sdk.all_datagroups()] == [NOON - 60, None]
    assert looker.effects() == {"triggered datagroup shop::orders_datagroup": 1}


def test_it_is_told_which_field_was_wrong(looker: LookerPeer, sdk: methods40.Looker40SDK) -> None:
    """A trigger in the future is refused, with the field, and changes nothing."""
    with pytest.raises(error.SDKError, match="Validation Failed") as refused:
        sdk.update_datagroup("1", models.WriteDatagroup(triggered_at=int(NOON) + 1))

    assert [detail.field for detail in refused.value.errors] == ["triggered_at"]
    assert looker.effects() == {}


def test_it_follows_a_pdt_build(looker: LookerPeer, sdk: methods40.Looker40SDK) -> None:
    """A build is added, pends, runs and completes; its status is JSON inside `resp_text`."""
    looker.script("builds", build_s=100)
    build = sdk.start_pdt_build(
        "shop", "customer_orders", source="airflow:load/1"
    ).materialization_id
    seen = []
    assert build
    for seconds in (0, 10, 10, 79, 1):
        looker.script("advance", seconds=seconds)
        seen.append(json.loads(sdk.check_pdt_build(build).resp_text or "")["status"])

    assert seen == ["added", "pending", "running", "running", "complete"]
    assert looker.effects() == {"started a build of shop::customer_orders": 1}
    assert looker.journal("start_pdt_build")[0]["source"] == "airflow:load/1"


def test_it_stops_a_pdt_build(looker: LookerPeer, sdk: methods40.Looker40SDK) -> None:
    """A stopped build is killed; stopping it again has no effect."""
    build = sdk.start_pdt_build("shop", "daily_sales").materialization_id or ""
    first = json.loads(sdk.stop_pdt_build(build).resp_text or "")
    again = json.loads(sdk.stop_pdt_build(build).resp_text or "")

    assert (first["success"], again["success"]) == (True, False)
    assert json.loads(sdk.check_pdt_build(build).resp_text or "")["status"] == "killed"
    assert looker.effects()["stopped a build of shop::daily_sales"] == 1


def test_it_runs_a_query_as_a_task(looker: LookerPeer, sdk: methods40.Looker40SDK) -> None:
    """A task is added, runs and completes; then its rows can be fetched, one by one or together."""
    looker.script("tasks", run_s=100)
    wanted = models.WriteCreateQueryTask(query_id="101", result_format=models.ResultFormat.json)
    task = sdk.create_query_task(wanted, cache=False).id or ""
    looker.script("advance", seconds=50)
    running = sdk.query_task(task, fields="status").status
    early = sdk.query_task_multi_results(models.DelimSequence([task]))
    looker.script("advance", seconds=50)
    rows = json.loads(sdk.query_task_results(task))
    late = sdk.query_task_multi_results(models.DelimSequence([task, "no-such-task"]))

    assert (running, early[task]["status"], early[task]["data"]) == ("running", "running", None)
    assert rows == [{"orders.created_date": "2026-01-01", "orders.count": 42}]
    assert (late[task]["data"], late["no-such-task"]["status"]) == (rows, "missing")
    assert looker.effects() == {"ran query 101": 1}


def test_it_creates_a_query_once(looker: LookerPeer, sdk: methods40.Looker40SDK) -> None:
    """Whoever asks the same gets the same query."""
    wanted = models.WriteQuery(
        model="shop", view="orders", fields=["orders.count", "customers.name"]
    )
    first, again = sdk.create_query(wanted), sdk.create_query(wanted)

    assert first.id == again.id == "106"
    assert sdk.query("106").fields == ["orders.count", "customers.name"]
    assert looker.effects() == {"created query 106": 1}


def test_it_reads_the_sql_of_a_query(sdk: methods40.Looker40SDK) -> None:
    """The SQL names the tables that the fields need, and runs nothing."""
    wanted = models.WriteQuery(
        model="shop", view="orders", fields=["orders.count", "customers.name"]
    )
    sql = sdk.run_query(sdk.create_query(wanted).id or "", "sql")

    assert isinstance(sql, str)
    assert "FROM analytics.orders AS orders" in sql
    assert "JOIN analytics.customers AS customers ON orders.customer_id = customers.id" in sql
    assert "order_items" not in sql


def test_no_search_finds_both_kinds_of_dashboard(sdk: methods40.Looker40SDK) -> None:
    """LookML dashboards are not in the content search; they have one of their own."""
    found = [dashboard.id for dashboard in sdk.search_dashboards(deleted="false")]
    lookml = [dashboard.id for dashboard in sdk.search_lookml_dashboards()]

    assert found == ["12"]
    assert lookml == ["shop::sales", "shop::customers", "shop::stock", "shop::traffic"]


@pytest.mark.parametrize("dashboard", ["12", "shop::sales"])
def test_it_reads_the_tiles_of_a_dashboard(sdk: methods40.Looker40SDK, dashboard: str) -> None:
    """A dashboard of either kind shows which query of which explore is behind a tile."""
    elements = sdk.dashboard(dashboard).dashboard_elements
    assert elements
    query = elements[0].query

    assert query
    assert (query.id, query.model, query.view) == ("101", "shop", "orders")
    assert query.client_id
    assert len(query.client_id) == 22


def test_an_expired_token_is_refused(looker: LookerPeer, sdk: methods40.Looker40SDK) -> None:
    """A token ends after its life, as the instance measures it."""
    looker.script("tokens", ttl_s=30)
    sdk.me()
    looker.script("advance", seconds=30)

    with pytest.raises(error.SDKError, match="Requires authentication"):
        sdk.me()


def test_a_revoked_token_is_refused(looker: LookerPeer, sdk: methods40.Looker40SDK) -> None:
    """A token can end before its time; the official client does not log in again by itself."""
    sdk.me()
    looker.script("tokens", revoke_all=True)

    with pytest.raises(error.SDKError, match="Requires authentication"):
        sdk.me()


def test_it_logs_out(looker: LookerPeer, sdk: methods40.Looker40SDK) -> None:
    """After a logout the token opens nothing."""
    sdk.me()
    token = sdk.auth.token.access_token
    sdk.auth.logout()

    assert looker.call("GET", "/user", token=token).status == 401


def test_a_wrong_key_is_not_found(looker: LookerPeer) -> None:
    """A bad login is a 404, not a 401."""
    reply = looker.call(
        "POST", "/login", form={"client_id": "sandbox-interlock", "client_secret": "x"}
    )

    assert reply.status == 404
    assert reply.json()["message"] == "Not found"
    assert reply.json()["documentation_url"]
