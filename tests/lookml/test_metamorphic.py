"""Changes of a project that must not change the answer, and changes that must."""

import re
import shutil
from pathlib import Path

import pytest

from interlock.lookml import Graph, Project

SHOP = Path(__file__).parents[2] / "examples" / "airflow-looker" / "lookml"
TABLES = ["orders", "order_items", "customers", "products", "stock", "events"]


def answers(graph: Graph) -> dict[str, set[str]]:
    """For each table of the shop, everything that it affects."""
    found = {}
    for table in TABLES:
        impact = graph.affected([f"analytics.{table}"])
        kinds = (impact.explores, impact.dashboards, impact.tiles, impact.derived)
        found[table] = {f"{type(one).__name__} {one.id}" for kind in kinds for one in kind}
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the sample project, to be changed."""
    return Path(shutil.copytree(SHOP, tmp_path / "shop"))


@pytest.fixture(scope="module")
def before() -> dict[str, set[str]]:
    """The answers for the project as it is."""
    return answers(Project.load([SHOP]))


@pytest.mark.parametrize("table", TABLES)
def test_renaming_a_table_moves_exactly_its_dependants(
    copy: Path, before: dict[str, set[str]], table: str
) -> None:
    """Nobody depends on the old name any more, the new name has its readers, no other changes."""
    for path in (copy / "views").iterdir():
        text = re.sub(rf"analytics\.{table}\b", f"analytics.{table}_renamed", path.read_text())
        path.write_text(text)

    graph = Project.load([copy])

    assert answers(graph) == {**before, table: set()}
    renamed = graph.affected([f"analytics.{table}_renamed"])
    assert {f"Explore {one.id}" for one in renamed.explores} == {
        one for one in before[table] if one.startswith("Explore")
    }


def test_moving_a_table_into_a_refinement_changes_nothing(
    copy: Path, before: dict[str, set[str]]
) -> None:
    """A refinement says the same as the definition that it refines."""
    for path in (copy / "views").iterdir():
        text = path.read_text()
        source = re.search(r"  sql_table_name: .* ;;\n", text)
        if source:
            name = path.name.removesuffix(".view.lkml")
            refinement = f"view: +{name} {{\n{source.group()}}}\n"
            path.write_text(text.replace(source.group(), "") + refinement)

    assert answers(Project.load([copy])) == before


def test_splitting_the_model_and_reordering_the_files_changes_nothing(
    copy: Path, before: dict[str, set[str]]
) -> None:
    """Each explore in a file of its own, the views renamed into another order."""
    model = copy / "shop.model.lkml"
    head, *explores = re.split(r"(?m)^(?=explore: )", model.read_text())
    for number, explore in enumerate(reversed(explores)):
        (copy / f"{number}.explore.lkml").write_text(explore)
    model.write_text(f'include: "*.explore"\n{head}')
    for number, path in enumerate(sorted((copy / "views").iterdir(), reverse=True)):
        path.rename(path.with_name(f"{number}.view.lkml"))

    assert answers(Project.load([copy])) == before


def test_all_in_one_file_changes_nothing(copy: Path, before: dict[str, set[str]]) -> None:
    """A project may as well be one file, in any order."""
    model = copy / "shop.model.lkml"
    views = [path.read_text() for path in sorted((copy / "views").iterdir())]
    head, *explores = re.split(r"(?m)^(?=explore: )", model.read_text())
    model.write_text("\n".join([*explores, *views, head.replace('include: "/views/*.view"', "")]))
    shutil.rmtree(copy / "views")

    assert answers(Project.load([copy])) == before


def test_extending_instead_of_copying_changes_nothing(
    copy: Path, before: dict[str, set[str]]
) -> None:
    """What an explore inherits, it reads as if it said so itself."""
    model = copy / "shop.model.lkml"
    text = model.read_text().replace("explore: orders {", "explore: base {\n extension: required")
    model.write_text(f"{text}\nexplore: orders {{ extends: [base] }}\n")

    assert answers(Project.load([copy])) == before


def test_loading_twice_gives_the_same_chains() -> None:
    """The answer depends on the files alone, not on hashing or the order of a folder."""
    first, second = (Project.load([SHOP]).affected(["analytics.orders"]) for _ in range(2))

    assert [one.why for one in first.dashboards] == [one.why for one in second.dashboards]
