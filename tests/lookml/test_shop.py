"""The sample project: what a load of the shop's orders touches, and what it leaves alone."""

from pathlib import Path

import pytest

from interlock.lookml import Asset, Graph, Impact, Persistence, Project

SHOP = Path(__file__).parents[2] / "examples" / "airflow-looker" / "lookml"


@pytest.fixture(scope="module")
def shop() -> Graph:
    """The sample project's graph."""
    return Project.load([SHOP])


@pytest.fixture(scope="module")
def impact(shop: Graph) -> Impact:
    """What a load of the orders table affects."""
    return shop.affected(["analytics.orders"])


def test_a_load_of_orders_touches_what_reads_orders_and_nothing_else(impact: Impact) -> None:
    """Explores, derived tables, dashboards and datagroups are those that the example tells of."""
    assert {one.name for one in impact.explores} == {"orders", "customers", "sales_trend"}
    assert {one.view for one in impact.derived} == {"customer_orders", "daily_sales"}
    assert {one.id for one in impact.dashboards} == {"shop::sales", "shop::customers"}
    assert {one.id for one in impact.datagroups} == {"shop::orders_datagroup"}
    assert impact.certain


def test_the_rest_is_left_alone_and_can_be_listed(shop: Graph, impact: Impact) -> None:
    """What is left alone is what the graph has and the impact has not."""
    explores = {one.name for one in set(shop.explores) - set(impact.explores)}
    dashboards = {one.id for one in set(shop.dashboards) - set(impact.dashboards)}

    assert explores == {"stock", "traffic"}
    assert dashboards == {"shop::stock", "shop::traffic"}


def test_a_dashboard_can_be_told_down_to_the_line(impact: Impact) -> None:
    """From the table to the dashboard, each link says why and where it stands."""
    customers = next(one for one in impact.dashboards if one.name == "customers")

    told = [(edge.sentence, f"{edge.file}:{edge.line}") for edge in customers.why]

    tile = "tile shop::customers/top_customers asks explore shop::customers"
    board = "dashboards/customers.dashboard.lookml"
    assert told == [
        ("view orders reads analytics.orders (sql_table_name)", "views/orders.view.lkml:2"),
        ("derived table customer_orders reads view orders (sql)", _at("customer_orders", 3)),
        ("explore customers joins view customer_orders", "shop.model.lkml:36"),
        (tile, f"{board}:8"),
        ("dashboard Customers shows tile Top customers", f"{board}:5"),
    ]


def _at(view: str, line: int) -> str:
    """A place in a view's file."""
    return f"views/{view}.view.lkml:{line}"


def test_every_place_told_really_holds_what_is_told(shop: Graph) -> None:
    """Explores, dashboards, tiles and derived tables stand where the graph says."""
    files = [*SHOP.rglob("*.lkml"), *SHOP.rglob("*.lookml")]
    lines = {path.relative_to(SHOP).as_posix(): path.read_text().splitlines() for path in files}
    expected: list[tuple[Asset, str]] = [
        *((explore, f"explore: {explore.name} {{") for explore in shop.explores),
        *((dashboard, f"- dashboard: {dashboard.name}") for dashboard in shop.dashboards),
        *((tile, f"  - name: {tile.name}") for tile in shop.tiles),
        *((derived, f"view: {derived.view} {{") for derived in shop.derived),
        *((datagroup, f"datagroup: {datagroup.name} {{") for datagroup in shop.datagroups),
    ]

    for asset, line in expected:
        assert lines[asset.file][asset.line - 1] == line


def test_explores_and_derived_tables_know_what_refreshes_them(shop: Graph) -> None:
    """A planner sees which explores a datagroup reaches, and which none does."""
    explores = {one.name: one.datagroup for one in shop.explores}
    derived = {one.view: (one.persistence, one.trigger) for one in shop.derived}

    assert explores == {
        "orders": "orders_datagroup",
        "customers": "orders_datagroup",
        "sales_trend": "",
        "stock": "stock_datagroup",
        "traffic": "",
    }
    assert derived == {
        "customer_orders": (Persistence.DATAGROUP, "orders_datagroup"),
        "daily_sales": (Persistence.SQL_TRIGGER, "SELECT CURRENT_DATE()"),
        "sessions": (Persistence.PERSIST_FOR, "24 hours"),
    }


def test_only_the_tiles_that_ask_an_affected_explore_are_affected(impact: Impact) -> None:
    """A tile is affected by its explore, not by its dashboard."""
    tiles = [tile.id for tile in impact.tiles]

    assert tiles == [
        "shop::customers/top_customers",
        "shop::sales/orders_by_day",
        "shop::sales/revenue_trend",
    ]


def test_an_unknown_table_touches_nothing(shop: Graph) -> None:
    """A load of a table that nobody reads is surely harmless, for this project is complete."""
    impact = shop.affected(["analytics.suppliers"])

    assert (impact.explores, impact.dashboards, impact.derived, impact.possible) == ((), (), (), ())
    assert impact.certain
