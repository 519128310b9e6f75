"""Small projects, each around one trap seen in public LookML, read by hand into `expected.yaml`."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from interlock.lookml import Graph, Project

PROJECTS = Path(__file__).parent / "projects"
TRAPS = sorted(folder.name for folder in PROJECTS.iterdir())


def loaded(trap: str) -> tuple[Graph, dict[str, Any]]:
    """The graph of a trap's project, and what a person read in it."""
    expected = yaml.safe_load((PROJECTS / trap / "expected.yaml").read_text())
    roots = [PROJECTS / trap / root for root in expected.get("roots", ["."])]
    return Project.load(roots), expected


@pytest.mark.parametrize("trap", TRAPS)
def test_every_explore_reads_what_a_person_reads_in_the_files(trap: str) -> None:
    """Each explore has exactly these tables, each as sure as it is."""
    graph, expected = loaded(trap)

    found = {
        explore.id: {source.table: str(source.confidence) for source in graph.sources(explore)}
        for explore in graph.explores
    }

    assert found == expected["explores"]


@pytest.mark.parametrize("trap", TRAPS)
def test_a_project_is_complete_or_says_what_is_missing(trap: str) -> None:
    """There is a gap for each thing that cannot be read, and none beside."""
    graph, expected = loaded(trap)

    told = [gap.sentence for gap in graph.incomplete]

    wanted = expected.get("gaps", [])
    assert all(any(text in sentence for sentence in told) for text in wanted), told
    assert all(any(text in sentence for text in wanted) for sentence in told), told


@pytest.mark.parametrize("trap", [trap for trap in TRAPS if "derived" in loaded(trap)[1]])
def test_derived_tables_know_what_they_read_and_what_rebuilds_them(trap: str) -> None:
    """A builder can put them in order, the ones that others read first."""
    graph, expected = loaded(trap)

    found = {
        one.id: {
            "persistence": str(one.persistence),
            "tables": list(one.tables),
            "reads": list(one.reads),
        }
        for one in graph.derived
    }

    assert found == expected["derived"]


def test_a_tile_without_a_model_asks_the_model_that_includes_it() -> None:
    """One dashboard file, included by two models, is two dashboards with different explores."""
    graph, expected = loaded("boards")

    found = {tile.id: list(tile.explores) for tile in graph.tiles}

    assert found == expected["tiles"]


def test_an_explore_is_cached_by_its_own_datagroup_or_else_by_the_models() -> None:
    """An explore that caches for a time has no datagroup at all."""
    graph, expected = loaded("joins")

    found = {explore.id: explore.datagroup for explore in graph.explores}

    assert found == expected["datagroups"]


def test_a_table_set_by_a_refinement_points_at_the_refinement() -> None:
    """The place that a person is sent to is the one that must be edited."""
    graph, expected = loaded("refined_table")

    places = {
        source.table: f"{source.why[0].file}:{source.why[0].line}"
        for source in graph.sources(graph.explores[0])
    }

    assert {table: places[table] for table in expected["lines"]} == expected["lines"]
