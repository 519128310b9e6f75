"""What LookML alone says of a run."""

from pathlib import Path
from typing import Any

import pytest

from interlock.connectors.looker.impact import ANYTHING, DOUBTS_MAX, NAMED, Touched, touched
from interlock.connectors.looker.scene import Dashboard, Member
from interlock.connectors.looker.wanted import Wanted
from interlock.lookml import Graph, Project
from tests.connectors.looker.shop import LOOKML, write


@pytest.fixture(scope="module")
def graph() -> Graph:
    """The sample shop."""
    return Project.load([LOOKML])


def of(graph: Graph, *, all_if_unknown: bool = False, **named: Any) -> Touched:
    """What a run touches that names these."""
    return touched(graph, Wanted(**named), all_if_unknown=all_if_unknown)


def whys(found: Touched) -> dict[str, str]:
    """Why each thing is touched, for those that are."""
    everything: tuple[Member | Dashboard, ...] = (
        *found.explores,
        *found.derived,
        *found.dashboards,
    )
    return {each.id: each.why for each in everything if each.why}


def test_a_named_explore_takes_its_tables_along(graph: Graph) -> None:
    """The derived tables below it are built, or the explore would show old data."""
    found = of(graph, explores=("customers",))

    told = "explore shop::customers reads it, and the run names that"
    assert whys(found) == {"shop::customers": NAMED, "shop::customer_orders": told}


def test_a_named_model_is_touched_whole(graph: Graph) -> None:
    """All of its explores, tables and dashboards."""
    found = of(graph, models=("shop",))

    assert all(each.why for each in found.explores)
    assert all(each.why for each in found.derived)
    assert all(each.why for each in found.dashboards)


def test_a_named_dashboard_is_touched_alone(graph: Graph) -> None:
    """Its tiles are run; what lies beneath is not known to have changed."""
    assert whys(of(graph, dashboards=("shop::traffic",))) == {"shop::traffic": NAMED}


@pytest.mark.parametrize(
    ("named", "asset"),
    [
        ({"models": ("ghost",)}, "model ghost"),
        ({"explores": ("shop::ghost",)}, "explore shop::ghost"),
        ({"unmapped": ("gs://ghost",)}, "gs://ghost"),
        ({"tables": ("..",)}, "tables"),
    ],
)
def test_what_nobody_has_is_a_doubt(graph: Graph, named: dict[str, Any], asset: str) -> None:
    """A name that leads nowhere is a mistake somewhere; it is never passed over."""
    assert [doubt.asset for doubt in of(graph, **named).doubts] == [asset]


def test_tables_join_what_is_named_besides(graph: Graph) -> None:
    """The better reason stands where there are two."""
    found = whys(of(graph, tables=("analytics.stock",), explores=("stock", "traffic")))

    assert found["shop::stock"].startswith("reads analytics.stock through view stock")
    assert found["shop::traffic"] == NAMED


CHAIN = """
connection: "w"
include: "/*.view"
explore: top {}
explore: unsure { from: pattern }
"""
VIEWS = """
view: bottom {
  derived_table: { sql: select * from a.t ;; interval_trigger: "1 hour" }
}
view: middle { derived_table: { sql: select * from ${bottom.SQL_TABLE_NAME} ;; } }
view: top {
  derived_table: { sql: select * from ${middle.SQL_TABLE_NAME} ;; interval_trigger: "1 hour" }
}
view: pattern { sql_table_name: {{ _user_attributes['schema'] }}.t ;; }
"""


@pytest.fixture
def chain(tmp_path: Path) -> Graph:
    """A kept table on one that is not, on a kept one; and an explore nobody can be sure of."""
    return Project.load([write(tmp_path / "chain", chain_model=CHAIN, chain=VIEWS)])


def test_tables_that_are_not_kept_are_seen_through(chain: Graph) -> None:
    """Only what is kept can be built; the order goes by what lies beneath."""
    found = of(chain, tables=("a.t",))

    assert {each.id: each.reads for each in found.derived} == {
        "chain::bottom": (),
        "chain::top": ("chain::bottom",),
    }
    assert {each.id: each.derived for each in found.explores} == {
        "chain::top": ("chain::top",),
        "chain::unsure": (),
    }
    assert whys(found)["chain::top"] == (
        "reads a.t through view bottom and view middle (chain.view.lkml:3)"
    )


def test_an_unsure_name_is_a_doubt_with_its_place(chain: Graph) -> None:
    """The sentence says what is not known, and where it is written."""
    doubts = {each.id: each.doubt for each in of(chain, tables=("a.t",)).explores if each.doubt}

    assert list(doubts) == ["chain::unsure"]
    assert doubts["chain::unsure"].endswith("(chain.view.lkml:9)")


HOLES = 'connection: "w"\nexplore: orders {}\n' + "".join(
    f'include: "/gone_{n}.view"\n' for n in range(DOUBTS_MAX + 10)
)


def test_where_nothing_is_resolved_a_route_may_refresh_all(tmp_path: Path) -> None:
    """Only if something could not be read: a whole graph without a reader is an answer."""
    holes = Project.load([write(tmp_path / "holes", holes_model=HOLES)])
    whole = of(Project.load([LOOKML]), tables=("a.unread",), all_if_unknown=True)

    assert of(holes, tables=("a.t",), all_if_unknown=True).everything
    assert whys(of(holes, tables=("a.t",), all_if_unknown=True)) == {"holes::orders": ANYTHING}
    assert not of(holes, tables=("a.t",)).everything
    assert not whole.everything


def test_many_holes_are_counted(tmp_path: Path) -> None:
    """A plan lists the first of them and how many more there are."""
    holes = Project.load([write(tmp_path / "holes", holes_model=HOLES)])
    doubts = of(holes, tables=("a.t",)).doubts

    assert len(doubts) == DOUBTS_MAX
    assert (
        doubts[-1].why == f"{len(holes.incomplete) - DOUBTS_MAX + 1} more places could not be read"
    )
