"""What a change affects: names as people write them, sure and unsure chains, and gaps."""

from pathlib import Path

import pytest

from interlock.lookml import Confidence, Impact, Project

MODEL = """
explore: orders {}
view: orders { sql_table_name: Proj.Sales.Orders ;; }
explore: events {}
view: events { sql_table_name: `sales.events_*` ;; }
explore: anyones {}
view: anyones { sql_table_name: {{ _user_attributes['dataset'] }}.orders ;; }
explore: bare {}
view: bare {}
"""


def affected(folder: Path, *tables: str, model: str = MODEL) -> Impact:
    """What a change of these tables affects in a project of one file."""
    (folder / "shop.model.lkml").write_text(model)
    return Project.load([folder]).affected(tables)


def names(impact: Impact) -> tuple[list[str], list[str]]:
    """The affected explores, and the possibly affected things."""
    return [one.name for one in impact.explores], [one.id for one in impact.possible]


@pytest.mark.parametrize(
    "table",
    [
        "proj.sales.orders",
        "PROJ.SALES.ORDERS",
        "`proj.sales.orders`",
        "`proj`.`sales`.`orders`",
        '"SALES"."ORDERS"',
        "[proj:sales.orders]",
        "sales.orders",
        "sales.orders$20240131",
    ],
)
def test_a_table_is_found_however_it_is_written(tmp_path: Path, table: str) -> None:
    """Case, quotes, a partition and a lacking project make no difference."""
    sure, possible = names(affected(tmp_path, table))

    assert sure == ["orders"]
    assert possible == ["shop::anyones"]


@pytest.mark.parametrize("table", ["other.sales.orders_old", "proj.stock.items"])
def test_another_table_affects_nothing(tmp_path: Path, table: str) -> None:
    """A name that is merely alike is another table."""
    assert names(affected(tmp_path, table)) == ([], [])


def test_the_same_table_of_another_project_is_another_table(tmp_path: Path) -> None:
    """Where both sides name a project, the projects must agree."""
    assert names(affected(tmp_path, "other.sales.orders")) == ([], ["shop::anyones"])


@pytest.mark.parametrize(
    "table", ["sales.events_20240131", "p.sales.events_*", "sales.events_intraday_20240131"]
)
def test_a_date_shard_is_part_of_the_sharded_table(tmp_path: Path, table: str) -> None:
    """Whoever reads `events_*` reads each day."""
    assert names(affected(tmp_path, table))[0] == ["events"]


def test_a_bare_name_may_be_any_table_of_that_name(tmp_path: Path) -> None:
    """Neither side says which dataset: possible, never left out and never certain."""
    impact = affected(tmp_path, "orders")

    assert names(impact) == ([], ["shop::anyones", "shop::orders"])
    assert not impact.certain


def test_a_view_without_a_table_is_only_possibly_affected(tmp_path: Path) -> None:
    """Looker reads a table named like the view; which dataset that is in, it alone knows."""
    impact = affected(tmp_path, "sales.bare")

    assert names(impact) == ([], ["shop::bare"])
    assert impact.possible[0].why[0].confidence is Confidence.DEFAULT


def test_what_cannot_be_read_is_possibly_affected_by_every_table(tmp_path: Path) -> None:
    """An explore on a view that is not here is listed, whatever changed."""
    model = 'include: "gone.view"\nexplore: orders {}\n'

    impact = affected(tmp_path, "any.table", model=model)

    assert names(impact) == ([], ["shop::orders"])
    assert [gap.line for gap in impact.incomplete] == [1, 2]
    assert not impact.certain


def test_a_folder_without_a_model_is_not_taken_for_one_without_readers(tmp_path: Path) -> None:
    """Pointed at the wrong folder, the graph says so instead of "nothing affected"."""
    impact = Project.load([tmp_path, tmp_path / "nowhere"]).affected(["a.b"])

    assert not impact.certain


@pytest.mark.parametrize("text", ["", "  ", "a..", "."])
def test_a_text_that_names_no_table_makes_the_answer_incomplete(tmp_path: Path, text: str) -> None:
    """We do not say "nothing affected" to a question that we did not understand."""
    assert not affected(tmp_path, text).certain


def test_an_unknown_dialect_is_the_callers_mistake(tmp_path: Path) -> None:
    """It is refused at once, before any file is read."""
    with pytest.raises(ValueError, match="nonsense"):
        Project.load([tmp_path], dialect="nonsense")


def test_the_surest_and_shortest_chain_is_told(tmp_path: Path) -> None:
    """A table read both directly and through a guess counts as read."""
    model = """
    explore: both { join: guess { sql_on: 1 = 1 ;; } }
    view: both { sql_table_name: ds.t ;; }
    view: guess { sql_table_name: {{ x }}.t ;; }
    """

    impact = affected(tmp_path, "ds.t", model=model)

    assert names(impact) == (["both"], [])
    assert [edge.sentence for edge in impact.explores[0].why] == [
        "view both reads ds.t (sql_table_name)",
        "explore both is built on view both",
    ]
