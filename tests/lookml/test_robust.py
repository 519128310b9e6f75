"""Whatever the files hold, loading returns a graph, and a graph that missed something says so."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from interlock.lookml import Graph, Project

WORDS = [
    *("view", "explore", "join", "include", "extends", "derived_table", "sql", "sql_table_name"),
    *("explore_source", "from", "constant", "+", "a", "b", ":", "{", "}", "[", "]", ",", ";;", ";"),
    *('"', "#", "\n", " ", "${", "}", "a.SQL_TABLE_NAME", "{%", "%}", "{{", "}}", "if", "endif"),
    *("select * from", "ds.t", "`", "'", "(", ")", "@{", "\\", "*", "\r", "é", "..", "[z-a]"),
]
anywhere = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def load(folder: Path, model: bytes, dashboard: bytes = b"") -> Graph:
    """The graph of a model that includes everything, with a file of dashboards."""
    head = b'include: "*"\n'
    (folder / "shop.model.lkml").write_bytes(head)
    (folder / "all.view.lkml").write_bytes(model)
    (folder / "manifest.lkml").write_bytes(model)
    (folder / "all.dashboard.lookml").write_bytes(dashboard)
    return Project.load([folder])


@anywhere
@given(st.binary(max_size=300))
@example(b";")
@example(b'"')
@example(b"view: a { sql: ")
@example(b"a: {" * 2000)
@example(b"view: x {} } view: y {}")
@example(b"\xff\xfe\x00")
def test_any_bytes_give_a_graph(tmp_path: Path, data: bytes) -> None:
    """No file can crash the reading of its project, nor make it run for ever."""
    graph = load(tmp_path, data, data)

    assert graph.affected(["a.b"]).explores == ()


@anywhere
@given(st.lists(st.sampled_from(WORDS), max_size=60).map("".join))
@example("view: {} explore: {} view: + {} explore: + {} join: {}")
@example("explore: a {} view: a { extends: [a] }")
@example("view: .. {} explore: .. {}")
@example('include: "[z-a]*" explore: a { join: {} }')
@example("view: a: b explore: a explore: b: [c]")
@example("explore: a {} view: a { derived_table: { sql: ${a.SQL_TABLE_NAME} ;; } }")
@example("explore: a {} view: a { sql_table_name: {% if %}{% if %}{% endif %} ;; }")
def test_lookml_without_sense_gives_a_graph(tmp_path: Path, text: str) -> None:
    """Words of LookML in any order are read, or reported."""
    graph = load(tmp_path, text.encode(), text.encode())

    assert isinstance(graph.incomplete, tuple)


@pytest.mark.parametrize(
    "nested", ["[" * 100_000, "- " * 100_000, "{a: " * 50_000, "? " * 50_000, "- &a [*a]"]
)
def test_a_deeply_nested_dashboard_is_refused_not_followed(tmp_path: Path, nested: str) -> None:
    """Such a file would overflow the stack of the C parser; it becomes a gap."""
    graph = load(tmp_path, b"", nested.encode())

    assert [gap.file for gap in graph.incomplete] == ["all.dashboard.lookml"]


def test_deep_liquid_and_deep_sql_are_refused_not_followed(tmp_path: Path) -> None:
    """Ten thousand levels end in "possibly affected", not in a stack overflow."""
    liquid = "{% if x %}" * 10_000 + "ds.a" + "{% endif %}" * 10_000
    sql = "SELECT * FROM ds.b WHERE " + "(" * 10_000 + ")" * 10_000
    model = f"""
    explore: a {{}} view: a {{ sql_table_name: {liquid} ;; }}
    explore: b {{}} view: b {{ derived_table: {{ sql: {sql} ;; }} }}
    """

    impact = load(tmp_path, model.encode()).affected(["any.table"])

    assert {one.id for one in impact.possible} >= {"shop::a", "shop::b"}


def test_a_chain_of_extensions_longer_than_the_limit_is_reported(tmp_path: Path) -> None:
    """A thousand views, each extending the next, are not followed to the end."""
    views = "".join(f"view: v{n} {{ extends: [v{n + 1}] }}\n" for n in range(1000))

    impact = load(tmp_path, f"{views} explore: v0 {{}}".encode()).affected(["any.table"])

    assert [one.id for one in impact.possible] == ["shop::v0"]
    assert not impact.certain


def test_a_stray_brace_does_not_hide_what_follows(tmp_path: Path) -> None:
    """The parser stops there in silence; we say that the file does not parse."""
    graph = load(tmp_path, b"view: a {} }\nexplore: a {}\n")

    assert "stray" in graph.incomplete[0].sentence
