"""What is read of an instance, and how often."""

from collections.abc import Mapping
from typing import Any

import pytest

from interlock.connectors.looker import answers
from interlock.connectors.looker.content import KEPT, _tile
from interlock.connectors.looker.look import ABSENT
from interlock.connectors.looker.scene import Scene, Tile
from interlock.core.step import Rejected, Unavailable
from tests.connectors.looker.shop import ORDERS, Shop, lease
from tests.making import SECOND

pytestmark = [pytest.mark.anyio, pytest.mark.peer]


async def seen(shop: Shop, params: Mapping[str, Any] = ORDERS) -> Scene:
    """The scene of a run."""
    facts = await shop.target.look(lease(params))
    assert isinstance(facts, Mapping), facts
    return Scene.model_validate(facts)


async def test_a_look_changes_nothing(shop: Shop) -> None:
    """It only reads: the datagroups, the affected LookML dashboards, all others."""
    await seen(shop)

    calls = [(call["operation"], call["path"].get("dashboard")) for call in shop.looker.journal()]
    assert shop.looker.effects() == {}
    assert sorted(calls, key=str) == [
        ("all_datagroups", None),
        ("dashboard", "12"),
        ("dashboard", "shop::customers"),
        ("dashboard", "shop::sales"),
        ("login", None),
        ("search_dashboards", None),
        ("search_dashboards", None),
    ]


async def test_a_dashboard_is_remembered_for_a_while(shop: Shop) -> None:
    """Hundreds of them are not read for every run."""
    await seen(shop)
    shop.looker.forget()
    await seen(shop)
    kept = len(shop.looker.journal("dashboard"))
    shop.clock.pass_(KEPT)
    await seen(shop)

    assert (kept, len(shop.looker.journal("dashboard"))) == (0, 3)


async def test_a_look_that_was_cut_short_is_gone_on_with(shop: Shop) -> None:
    """What was read stays read."""
    shop.looker.script("faults", kind="server_error", operation="search_dashboards")
    failed = await shop.target.look(lease())
    shop.looker.forget()
    await seen(shop)

    assert isinstance(failed, Unavailable)
    assert [call["path"]["dashboard"] for call in shop.looker.journal("dashboard")] == ["12"]


async def test_the_moment_is_lookers_own(shop: Shop) -> None:
    """Its clock, as its answer shows it."""
    shop.looker.script("clock", frozen=True)
    await seen(shop)
    at = (await seen(shop)).at

    assert at == int(shop.looker.journal("all_datagroups")[-1]["at"])


async def test_a_named_dashboard_is_found_by_its_id(shop: Shop) -> None:
    """User-defined or LookML; one that nobody has is a doubt."""
    scene = await seen(shop, {"dashboards": ["12", "shop::stock", "99"]})

    found = {each.id: (each.why, each.doubt) for each in scene.dashboards if each.why or each.doubt}
    assert found == {
        "shop::stock": ("the run names it", ""),
        "12": ("the run names it", ""),
        "99": ("", f"the run names it; {ABSENT}"),
    }


async def test_all_is_wanted_if_the_route_says_so(shop: Shop) -> None:
    """A run that names nothing then refreshes every dashboard, of both kinds."""
    scene = await seen(shop, {"on_unknown_tables": "refresh_all"})

    assert {each.id for each in scene.dashboards if each.why} == {
        *("shop::sales", "shop::customers", "shop::stock", "shop::traffic", "12")
    }


async def test_a_dashboard_that_is_not_deployed_is_an_obstacle(shop: Shop) -> None:
    """Looker does not show it, so its tiles have no query; the rest goes on."""
    shop.looker.script("faults", kind="unauthorized", operation="dashboard")
    await seen(shop)
    content = shop.session.content
    content._read["shop::sales"] = (shop.clock.now(), None)
    sales = next(each for each in (await seen(shop)).dashboards if each.id == "shop::sales")

    assert {(tile.query, tile.obstacle) for tile in sales.tiles} == {("", ABSENT)}


async def test_an_instance_that_cannot_be_read_is_tried_again(shop: Shop) -> None:
    """With the wait that it asks for."""
    shop.looker.script(
        "faults", kind="too_many_requests", operation="all_datagroups", retry_after_s=5
    )
    found = await shop.target.look(lease())

    assert isinstance(found, Unavailable)
    assert found.retry_after == 5 * SECOND


async def test_parameters_of_a_wrong_shape_are_refused(shop: Shop) -> None:
    """A DAG that names one table as text, not in a list, learns it."""
    found = await shop.target.look(lease({"tables": "analytics.orders"}))

    assert isinstance(found, Rejected)
    assert found.reason.startswith("with: tables")


QUERY = {"id": "5", "model": "m", "view": "e"}
MERGED = {"filterables": [{"model": "m", "view": "a"}, {"model": "m", "view": "b"}]}


@pytest.mark.parametrize(
    ("element", "tile"),
    [
        ({"query": QUERY}, Tile(title="T", explores=("m::e",), query="5")),
        ({"look": {"query": QUERY}}, Tile(title="T", explores=("m::e",), query="5")),
        ({"result_maker": {"query": QUERY}}, Tile(title="T", explores=("m::e",), query="5")),
        (
            {"merge_result_id": "x", "result_maker": MERGED},
            Tile(title="T", explores=("m::a", "m::b"), obstacle="it merges the results of several"),
        ),
        ({"query": {"id": "5"}}, Tile(title="T", explores=("?::?",), query="5")),
        ({}, None),
    ],
)
def test_a_tile_is_read_in_each_of_its_forms(element: dict[str, Any], tile: Tile | None) -> None:
    """A query of its own, a Look's, several merged; a text asks nothing."""
    assert _tile(answers.Element.model_validate({"id": "1", "title": "T"} | element)) == tile
