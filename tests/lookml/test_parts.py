"""The small rules: names that match, includes that name files, places of nodes."""

import lkml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock import lookml
from interlock.lookml.include import File, Files
from interlock.lookml.source import parse
from interlock.lookml.tables import Confidence, TableName, weakest

part = st.text("ab_*1", min_size=1, max_size=6) | st.just("t_20240131")
name = st.lists(part, min_size=1, max_size=3).map(".".join).map(TableName.parse)


@given(name, name)
def test_matching_does_not_depend_on_the_side(left: TableName, right: TableName) -> None:
    """Whichever name comes from the LookML, the answer is the same."""
    assert left.match(right) == right.match(left)


@given(name)
def test_a_name_matches_itself_and_survives_writing(one: TableName) -> None:
    """What is printed can be asked for again."""
    again = TableName.parse(str(one))

    assert again == one
    assert one.match(one) is Confidence.EXACT


def test_a_chain_is_as_sure_as_its_least_sure_edge() -> None:
    """The order of the confidences is the order of their declaration."""
    assert weakest(Confidence.EXACT, Confidence.DEFAULT, Confidence.REGEX) is Confidence.DEFAULT
    assert weakest() is Confidence.EXACT


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("views/a.view.lkml", ["views/a.view.lkml"]),
        ("views/a.view", ["views/a.view.lkml"]),
        ("views/a", []),
        ("*.view", ["top.view.lkml"]),
        ("views/*", ["views/1.view.lkml", "views/a.view.lkml"]),
        (
            "**/*.view",
            ["top.view.lkml", "views/1.view.lkml", "views/a.view.lkml", "views/x/b.view.lkml"],
        ),
        ("views/[!0-9]*.view.lkml", ["views/a.view.lkml"]),
        ("views/**", ["views/1.view.lkml", "views/a.view.lkml", "views/x/b.view.lkml"]),
        ("*.dashboard", ["s.dashboard.lookml"]),
        ("views/[z-a]", []),
    ],
)
def test_an_include_names_these_files(pattern: str, expected: list[str]) -> None:
    """A star stays in its folder, two do not, and suffixes may be left out."""
    paths = [
        *("s.dashboard.lookml", "top.view.lkml"),
        *("views/1.view.lkml", "views/a.view.lkml", "views/x/b.view.lkml"),
    ]
    files = Files("shop", {path: File("shop", path, path, ()) for path in paths})

    assert [file.path for file in files.matching(pattern)] == expected


def test_nodes_stand_where_their_keys_stand() -> None:
    """Lines count from one, whatever the line ends, comments and texts of several lines."""
    text = 'view: a {\r\n  # view: no\r\n  sql_table_name:\r\n    ds.t ;;\r\n}\r\n\r\nview: +a { label: "x\ny" }\n'

    nodes = [(node.key, node.line) for top in parse(text.encode(), "f") for node in top.walk()]

    assert nodes == [("view", 1), ("sql_table_name", 3), ("view", 7), ("label", 7)]


def test_nodes_say_what_lkml_says() -> None:
    """Our guards against its endless loops do not change what lkml reads."""
    text = (
        'view: a { sql_table_name: a ; b -- "c" ;; set: s { fields: [x, -y] } filters: [f: "1"] }'
    )

    [view] = parse(text.encode(), "f")

    [theirs] = lkml.load(text)["views"]
    assert view.text("sql_table_name") == theirs["sql_table_name"]
    assert [list(one.listed("fields")) for one in view.all("set")] == [theirs["sets"][0]["fields"]]
    assert [one.value for one in view.all("filters") for one in one.children] == ["1"]


def test_the_public_names_are_sorted() -> None:
    """What is public is listed, in order."""
    assert list(lookml.__all__) == sorted(lookml.__all__)
    assert all(hasattr(lookml, one) for one in lookml.__all__)
