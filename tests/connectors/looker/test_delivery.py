"""Whole deliveries through the engine, to a Looker that keeps a journal."""

from pathlib import Path

import pytest

from interlock.core.step import State
from tests.connectors.looker.shop import ORDERS, RUN, Shop, load_orders, write

pytestmark = [pytest.mark.anyio, pytest.mark.peer]

WHOLE = {
    "triggered datagroup shop::orders_datagroup": 1,
    "started a build of shop::daily_sales": 1,
    "ran query 101": 2,  # for dashboard shop::sales, and for 12
    "ran query 102": 1,
    "ran query 103": 1,
}
"""All that a load of analytics.orders comes to."""


async def test_a_load_refreshes_exactly_what_reads_its_table(shop: Shop) -> None:
    """The affected content is refreshed once, and the journal shows nothing else."""
    record = await shop.deliver()

    assert record.deliveries[0].state is State.DONE, record.deliveries[0].reason
    assert shop.looker.effects() == WHOLE


async def test_every_effect_carries_the_run_that_caused_it(shop: Shop) -> None:
    """Looker's own logs lead back to the DAG run."""
    await shop.deliver()

    started = shop.looker.journal("start_pdt_build") + shop.looker.journal("create_query_task")
    assert [call["source"] for call in started] == [RUN] * 5
    dashboards = [call["body"].get("dashboard_id") for call in started]
    assert sorted(filter(None, dashboards)) == [
        "12",
        "shop::customers",
        "shop::sales",
        "shop::sales",
    ]


async def test_a_dashboard_waits_for_the_table_that_it_reads(shop: Shop) -> None:
    """No tile on daily_sales is run before its build has ended."""
    await shop.deliver()

    calls = shop.looker.journal()
    built = max(n for n, call in enumerate(calls) if call["operation"] == "check_pdt_build")
    sales = [n for n, call in enumerate(calls) if call["body"].get("dashboard_id") == "shop::sales"]
    assert min(sales) > built


async def test_a_failed_build_fails_what_needs_it_and_nothing_else(shop: Shop) -> None:
    """The reason is Looker's; the dashboard above is not run on old data, the others are."""
    shop.looker.script("builds", outcome="error", message="Table analytics.orders is not there")
    record = await shop.deliver()

    delivery = record.deliveries[0]
    states = {step.key: step.state for step in record.steps[delivery.id]}
    assert delivery.state is State.FAILED
    assert delivery.reason == "the build ended as error: Table analytics.orders is not there"
    assert states == {
        "datagroup:shop::orders_datagroup": State.DONE,
        "pdt:shop::daily_sales": State.FAILED,
        "dashboard:shop::sales": State.CANCELLED,
        "dashboard:shop::customers": State.DONE,
        "dashboard:12": State.DONE,
    }


async def test_a_failed_tile_names_itself(shop: Shop) -> None:
    """The dashboard fails with the tile and Looker's message."""
    shop.looker.script("tasks", query="103", outcome="error", message="no such column")
    record = await shop.deliver()
    shop.looker.script("tasks", query="103")

    assert record.deliveries[0].state is State.FAILED
    assert record.deliveries[0].reason == "tile Top customers: 400 no such column"


async def test_a_revoked_token_does_not_fail_a_run(shop: Shop) -> None:
    """Tokens die while the delivery waits; it logs in anew and ends well, nothing twice."""
    handoff = await shop.admit()
    await shop.turn(handoff)
    shop.looker.script("tokens", revoke_all=True)
    record = await shop.settle(handoff)

    assert record.deliveries[0].state is State.DONE
    assert shop.looker.effects() == WHOLE
    assert len(shop.looker.journal("login")) == 2


async def test_a_gateway_that_restarts_goes_on_where_it_was(shop: Shop) -> None:
    """What waits at Looker is found again by its id; nothing is started twice."""
    handoff = await shop.admit()
    await shop.turn(handoff)
    shop.restart()
    record = await shop.settle(handoff)

    assert record.deliveries[0].state is State.DONE
    assert shop.looker.effects() == WHOLE


async def test_a_lost_build_is_held_for_a_person(shop: Shop) -> None:
    """The answer to a start is lost: nobody starts a second build, and nobody says it is done."""
    shop.looker.script("faults", kind="truncated", operation="start_pdt_build")
    record = await shop.settle(await shop.admit(), turns=10)

    states = {step.key: step.state for step in record.steps[record.deliveries[0].id]}
    assert states["pdt:shop::daily_sales"] is State.HELD
    assert states["dashboard:shop::sales"] is State.PENDING
    assert shop.looker.effects()["started a build of shop::daily_sales"] == 1


async def test_a_broken_connection_does_not_start_a_second_build(shop: Shop) -> None:
    """Not even by the HTTP client, to which every GET looks harmless."""
    shop.looker.script("faults", kind="reset", operation="start_pdt_build", when="after")
    await shop.settle(await shop.admit(), turns=10)

    assert shop.looker.effects()["started a build of shop::daily_sales"] == 1


async def test_a_lost_trigger_is_asked_for_and_not_sent_again(shop: Shop) -> None:
    """The datagroup says that it was triggered."""
    shop.looker.script("faults", kind="reset", operation="update_datagroup", when="after")
    record = await shop.deliver()

    assert record.deliveries[0].state is State.DONE
    assert shop.looker.effects() == WHOLE


async def test_bad_weather_delays_and_doubles_nothing(shop: Shop) -> None:
    """Rate limits and outages that had no effect are waited out."""
    for operation in ("login", "all_datagroups", "update_datagroup", "create_query_task"):
        shop.looker.script(
            "faults", kind="too_many_requests", operation=operation, retry_after_s=2, times=2
        )
    shop.looker.script(
        "faults", kind="server_error", operation="start_pdt_build", retry_after_s=1, times=2
    )
    shop.looker.script("faults", kind="html", operation="check_pdt_build", status=502)
    shop.looker.script("faults", kind="truncated", operation="query_task")
    record = await shop.deliver()

    assert record.deliveries[0].state is State.DONE, record.deliveries[0].reason
    assert shop.looker.effects() == WHOLE


async def test_a_run_that_names_no_tables_is_loud(shop: Shop) -> None:
    """It fails with what to do about it, and Looker is not even asked."""
    record = await shop.deliver({"tables": None})

    assert record.deliveries[0].state is State.FAILED
    assert record.deliveries[0].reason.startswith("the run names no tables")
    assert shop.looker.journal() == []


async def test_a_table_that_nothing_reads_touches_nothing(shop: Shop) -> None:
    """With LookML that was read whole this is certain, so it is done; all is left alone."""
    record = await shop.deliver({"tables": ["analytics.payments"]})

    assert record.deliveries[0].state is State.DONE
    assert shop.looker.effects() == {}
    left = record.deliveries[0].notes["left"]
    assert isinstance(left, list)
    assert len(left) == 10
    assert record.deliveries[0].notes["possible"] == []


async def test_lookml_with_a_hole_is_never_silent(shop: Shop, tmp_path: Path) -> None:
    """A project that includes what is not here cannot say "not affected"."""
    model = 'connection: "warehouse"\ninclude: "/gone.view"\nexplore: stock {}\n'
    view = "view: stock { sql_table_name: analytics.stock ;; }"
    project = write(tmp_path / "holes", shop_model=f'{model}include: "stock.view"\n', stock=view)
    shop.changes = {"projects": [str(project)]}
    shop.restart()
    record = await shop.deliver()

    assert record.deliveries[0].state is State.FAILED
    assert "and there is no such file" in record.deliveries[0].reason
    assert shop.looker.effects() == {}


async def test_two_runs_are_told_apart(shop: Shop) -> None:
    """Each run refreshes for itself, under its own name."""
    await shop.deliver()
    await shop.deliver(of=load_orders("manual__2026-01-02"))

    builds = [call["source"] for call in shop.looker.journal("start_pdt_build")]
    assert builds == [RUN, "airflow:load_orders/manual__2026-01-02"]
    assert shop.looker.effects() == {effect: 2 * count for effect, count in WHOLE.items()}


async def test_policy_is_asked_about_each_thing_by_its_place(shop: Shop) -> None:
    """Every step names a resource below its model or its target, for one action."""
    steps = (await shop.steps(ORDERS)).values()

    places = {str(step.resource): str(step.resource.parent) for step in steps}
    assert {step.action for step in steps} == {"refresh"}
    assert places == {
        'Datagroup::"looker/shop::orders_datagroup"': 'Model::"looker/shop"',
        'DerivedTable::"looker/shop::daily_sales"': 'Model::"looker/shop"',
        'Dashboard::"looker/shop::sales"': 'Model::"looker/shop"',
        'Dashboard::"looker/shop::customers"': 'Model::"looker/shop"',
        'Dashboard::"looker/12"': 'Target::"looker"',
    }
