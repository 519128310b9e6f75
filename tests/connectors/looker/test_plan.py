"""Plans follow from scenes, and from nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.connectors.looker.config import RefreshParams
from interlock.connectors.looker.impact import touched
from interlock.connectors.looker.plan import plan, source
from interlock.connectors.looker.scene import Dashboard, Derived, Doubt, Explore, Scene, Tile
from interlock.connectors.looker.wanted import Wanted
from interlock.core.event import Json
from interlock.core.plan import Left, Plan
from interlock.core.step import Rejected, Repeat
from interlock.lookml import Project
from tests.connectors.looker.shop import LOOKML, RUN, config, lease, load_orders

AT = 1_767_268_800
WHY = "reads a.t"
QUERIES = {
    "Orders by day": "101",
    "Revenue trend": "102",
    "Top customers": "103",
    "Stock by category": "104",
    "Sessions by day": "105",
}
BOARD = Dashboard(
    id="12",
    title="Morning board",
    tiles=(
        Tile(title="Orders by day", explores=("shop::orders",), query="101"),
        Tile(title="Stock by category", explores=("shop::stock",), query="104"),
    ),
)


def scene(**parts: object) -> Scene:
    """What was seen, as far as the test is about it."""
    seen = {"cause": "a.t", "unread": "reads none of a.t", "at": AT}
    return Scene.model_validate(seen | parts)


def shop(*tables: str) -> Scene:
    """The sample shop after a load of these tables."""
    wanted = Wanted(tables=tables)
    found = touched(Project.load([LOOKML]), wanted, all_if_unknown=False)
    dashboards = (
        each.model_copy(
            update={
                "tiles": tuple(
                    tile.model_copy(update={"query": QUERIES[tile.title]}) for tile in each.tiles
                )
            }
        )
        for each in found.dashboards
    )
    return scene(
        cause=wanted.cause,
        unread=wanted.unread,
        explores=found.explores,
        derived=found.derived,
        datagroups={"shop::orders_datagroup": "1", "shop::stock_datagroup": "2"},
        dashboards=(*dashboards, BOARD),
        doubts=found.doubts,
    )


def planned(seen: Scene, on_unknown: str = "alert", **changes: Any) -> Plan | Rejected:
    """The plan of a scene."""
    facts: Mapping[str, Json] = seen.model_dump(mode="json")
    params = RefreshParams.model_validate({"on_unknown_tables": on_unknown})
    return plan(config(**changes), params, lease(), facts)


def good(seen: Scene, **changes: Any) -> Plan:
    """The plan of a scene that has one."""
    found = planned(seen, **changes)
    assert isinstance(found, Plan), found
    return found


def test_a_load_of_orders_comes_to_exactly_these_steps() -> None:
    """One datagroup, one build, three dashboards; each with what it calls and what it waits for."""
    steps = good(shop("analytics.orders")).steps

    assert [(step.key, step.after, step.repeat, step.call) for step in steps] == [
        (
            "datagroup:shop::orders_datagroup",
            (),
            Repeat.HARMLESS,
            {"datagroup": "1", "triggered_at": AT},
        ),
        (
            "pdt:shop::daily_sales",
            (),
            Repeat.HARMFUL,
            {"model": "shop", "view": "daily_sales", "source": RUN},
        ),
        (
            "dashboard:shop::customers",
            ("datagroup:shop::orders_datagroup",),
            Repeat.HARMLESS,
            {"dashboard": "shop::customers", "queries": {"103": "Top customers"}, "source": RUN},
        ),
        (
            "dashboard:shop::sales",
            ("datagroup:shop::orders_datagroup", "pdt:shop::daily_sales"),
            Repeat.HARMLESS,
            {
                "dashboard": "shop::sales",
                "queries": {"101": "Orders by day", "102": "Revenue trend"},
                "source": RUN,
            },
        ),
        (
            "dashboard:12",
            ("datagroup:shop::orders_datagroup",),
            Repeat.HARMLESS,
            {"dashboard": "12", "queries": {"101": "Orders by day"}, "source": RUN},
        ),
    ]


def test_a_load_of_orders_leaves_the_rest_alone() -> None:
    """Each explore and dashboard that is not touched is listed, with why."""
    found = good(shop("analytics.orders"))

    assert found.left == tuple(
        Left(asset=asset, why="reads none of analytics.orders")
        for asset in (
            'Dashboard::"looker/shop::stock"',
            'Dashboard::"looker/shop::traffic"',
            'Explore::"looker/shop::stock"',
            'Explore::"looker/shop::traffic"',
        )
    )
    assert found.possible == ()


def test_every_step_says_why_in_one_sentence() -> None:
    """With the file and line that a person can open."""
    whys = {step.key: step.why for step in good(shop("analytics.orders")).steps}

    orders = "reads analytics.orders through view orders (views/orders.view.lkml:2)"
    both = "through view orders and view customer_orders (views/orders.view.lkml:2)"
    assert whys == {
        "datagroup:shop::orders_datagroup": "3 of 3 that hang on it are affected: shop::customers "
        f"reads analytics.orders {both}; also shop::orders, shop::customer_orders; "
        "its regenerator rebuilds shop::customer_orders in its next round",
        "pdt:shop::daily_sales": "reads analytics.orders (views/daily_sales.view.lkml:4)",
        "dashboard:shop::customers": "1 of 1 tiles affected: Top customers asks explore "
        f"shop::customers, which reads analytics.orders {both}",
        "dashboard:shop::sales": "2 of 2 tiles affected: Orders by day asks explore shop::orders, "
        f"which {orders}",
        "dashboard:12": "1 of 2 tiles affected: Orders by day asks explore shop::orders, "
        f"which {orders}",
    }


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        (
            "analytics.stock",
            {"datagroup:shop::stock_datagroup", "dashboard:shop::stock", "dashboard:12"},
        ),
        ("analytics.events", {"pdt:shop::sessions", "dashboard:shop::traffic"}),
        ("analytics.payments", set()),
    ],
)
def test_each_table_has_its_own_plan(table: str, keys: set[str]) -> None:
    """Nothing that another table feeds is touched."""
    assert {step.key for step in good(shop(table)).steps} == keys


def hanging(affected: int, of: int) -> tuple[Explore, ...]:
    """Explores on one datagroup, the first few of them affected."""
    return tuple(
        Explore(id=f"m::e{n}", datagroup="m::d", why=WHY if n < affected else "") for n in range(of)
    )


@pytest.mark.parametrize(("of", "triggered"), [(4, True), (5, False)])
def test_a_datagroup_is_triggered_up_to_the_limit(of: int, triggered: bool) -> None:
    """Twice as much as needed is still triggered; more is not, and that is said."""
    found = good(scene(explores=hanging(2, of), datagroups={"m::d": "7"}))

    left = [each.why for each in found.left if each.asset == 'Datagroup::"looker/m::d"']
    assert [step.key for step in found.steps] == (["datagroup:m::d"] if triggered else [])
    assert bool(left) is not triggered
    assert triggered or "2.5 times as much as needed, over the limit of 2" in left[0]


def test_what_a_datagroup_may_not_reach_is_reached_by_itself() -> None:
    """Over the limit, the affected table is built and the affected tile run; the rest is left."""
    kept = Derived(id="m::p", datagroup="m::d", why=WHY)
    explores = (
        *hanging(0, 9),
        Explore(id="m::shown", datagroup="m::d", derived=("m::p",), why=WHY),
        Explore(id="m::hidden", datagroup="m::d", why=WHY),
    )
    tile = Tile(title="T", explores=("m::shown",), query="5")
    seen = scene(
        explores=explores,
        derived=(kept,),
        datagroups={"m::d": "7"},
        dashboards=(Dashboard(id="3", title="D", tiles=(tile,)),),
    )
    found = good(seen)

    left = {each.asset: each.why for each in found.left}
    assert [(step.key, step.after) for step in found.steps] == [
        ("pdt:m::p", ()),
        ("dashboard:3", ("pdt:m::p",)),
    ]
    assert (
        "out of reach: no dashboard asks it, and m::d: 3 of 12"
        in left['Explore::"looker/m::hidden"']
    )
    assert 'Explore::"looker/m::shown"' not in left


def test_a_datagroup_that_looker_lacks_is_left_and_worked_around() -> None:
    """LookML that is not deployed yet must not stop what is."""
    kept = Derived(id="m::p", datagroup="m::d", why=WHY)
    found = good(scene(derived=(kept,)))

    assert [step.key for step in found.steps] == ["pdt:m::p"]
    assert found.left == (
        Left(asset='Datagroup::"looker/m::d"', why="Looker has no datagroup of that name"),
    )


def test_no_table_is_both_built_and_left_to_its_datagroup() -> None:
    """A table on a triggered datagroup is Looker's to rebuild; one that reads it waits for that."""
    derived = (
        Derived(id="m::a", datagroup="m::d", why=WHY),
        Derived(id="m::b", reads=("m::a",), why=WHY),
    )
    found = good(scene(derived=derived, datagroups={"m::d": "7"}))

    assert [(step.key, step.after) for step in found.steps] == [
        ("datagroup:m::d", ()),
        ("pdt:m::b", ("datagroup:m::d",)),
    ]


def test_an_affected_explore_that_nothing_reaches_is_said() -> None:
    """It has no datagroup and no dashboard."""
    found = good(scene(explores=(Explore(id="m::e", why=WHY),)))

    told = "reads a.t, out of reach: no dashboard asks it, and no datagroup"
    assert (found.steps, found.left) == ((), (Left(asset='Explore::"looker/m::e"', why=told),))


def test_a_tile_that_cannot_be_run_is_said() -> None:
    """A merged result is affected and left, the tile beside it is run."""
    merged = Tile(title="M", explores=("m::e",), obstacle="it merges the results of several")
    plain = Tile(title="P", explores=("m::e",), query="5")
    board = Dashboard(id="3", title="D", tiles=(merged, plain))
    found = good(scene(explores=(Explore(id="m::e", why=WHY),), dashboards=(board,)))

    told = "tile M is affected and cannot be run: it merges the results of several"
    assert [step.call["queries"] for step in found.steps] == [{"5": "P"}]
    assert found.left == (Left(asset='Dashboard::"looker/3"', why=told),)


DOUBTS = {
    "an unsure explore": scene(explores=(Explore(id="m::e", doubt="reads *"),)),
    "an unsure table": scene(derived=(Derived(id="m::p", doubt="reads *"),)),
    "a gap": scene(doubts=(Doubt(asset="a.lkml:1", why="does not parse"),)),
    "a strange explore": scene(
        dashboards=(
            Dashboard(id="3", title="D", tiles=(Tile(title="T", explores=("x::y",), query="5"),)),
        )
    ),
    "an unsure dashboard": scene(dashboards=(Dashboard(id="9", title="9", doubt="not shown"),)),
}


@pytest.mark.parametrize("seen", DOUBTS.values(), ids=DOUBTS)
def test_doubt_without_a_sure_effect_is_refused_aloud(seen: Scene) -> None:
    """Unless the route says to ignore it; even then it is on the plan."""
    loud, quiet = planned(seen), planned(seen, on_unknown="ignore")

    assert isinstance(loud, Rejected)
    assert loud.reason.startswith("nothing that a.t affects was found, and not all could be")
    assert isinstance(quiet, Plan)
    assert (quiet.steps, len(quiet.possible)) == ((), 1)


def test_doubt_beside_a_sure_effect_does_not_stop_it() -> None:
    """What is sure is refreshed; what is not stands under possible."""
    doubt = Doubt(asset="a.lkml:1", why="does not parse")
    found = good(scene(derived=(Derived(id="m::p", why=WHY),), doubts=(doubt,)))

    assert [step.key for step in found.steps] == ["pdt:m::p"]
    assert found.possible == (Left(asset="a.lkml:1", why="does not parse"),)


def test_lookers_own_explores_are_no_doubt() -> None:
    """Dashboards on system__activity read Looker's database, which no run fills."""
    tile = Tile(title="T", explores=("system__activity::history",), query="5")
    found = good(scene(dashboards=(Dashboard(id="3", title="D", tiles=(tile,)),)))

    assert [each.why for each in found.left] == ["reads none of a.t"]


def test_a_named_dashboard_is_run_whole() -> None:
    """Whatever its tiles ask."""
    found = good(scene(dashboards=(BOARD.model_copy(update={"why": "the run names it"}),)))

    assert [(step.why, step.call["queries"]) for step in found.steps] == [
        ("the run names it", {"101": "Orders by day", "104": "Stock by category"})
    ]


@given(
    st.dictionaries(
        st.sampled_from("abcdefg"), st.frozensets(st.sampled_from("abcdefg")), max_size=7
    )
)
def test_builds_are_listed_after_what_they_wait_for(reads: dict[str, frozenset[str]]) -> None:
    """Every affected table is built once, whatever reads what, circles included."""
    derived = tuple(
        Derived(id=f"m::{name}", reads=tuple(f"m::{each}" for each in sorted(below)), why=WHY)
        for name, below in reads.items()
    )
    steps = good(scene(derived=derived)).steps

    seen: set[str] = set()
    for step in steps:
        assert seen >= set(step.after)
        seen.add(step.key)
    assert sorted(step.key for step in steps) == sorted(f"pdt:m::{name}" for name in reads)


@given(st.integers(0, 6), st.integers(0, 6), st.floats(1, 10))
def test_nothing_affected_is_ever_silent(affected: int, rest: int, limit: float) -> None:
    """Each explore is reached by a step, or it is said why not."""
    explores = hanging(affected, affected + rest)
    found = good(scene(explores=explores, datagroups={"m::d": "7"}), over_invalidation_max=limit)

    said = {each.asset for each in found.left}
    for explore in explores:
        is_said = f'Explore::"looker/{explore.id}"' in said
        assert is_said is not (bool(explore.why) and bool(found.steps))


@pytest.mark.parametrize(
    ("parts", "origin"),
    [
        ({}, RUN),
        ({"source": "https://dags.example"}, "airflow-prod:load_orders/manual__2026-01-01"),
        ({"data": None, "id": "e1"}, "airflow:load_orders/e1"),
        ({"data": {"run_id": 7}, "id": "e1", "subject": None}, "airflow:e1"),
    ],
)
def test_the_origin_is_the_run(parts: dict[str, Any], origin: str) -> None:
    """As the event tells it; where it names no run, its id stands in."""
    news = replace(load_orders(), **parts)

    assert source(lease(of=news)) == origin
