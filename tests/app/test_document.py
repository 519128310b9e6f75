"""YAML, read as plain values; whatever else it can say is refused with its line."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.app.document import ConfigInvalid, Document
from tests.app.site import GOOD, written


def read(folder: Path, text: str) -> Any:
    """The value of a document with this text."""
    return Document(written(folder, text)).value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("# nothing", {}),
        ("a: 1\nb: [x, 1.5, true, null, '1']", {"a": 1, "b": ["x", 1.5, True, None, "1"]}),
        ("{a: {b: c}}", {"a": {"b": "c"}}),
        ("1: x\ntrue: y", {"1": "x", "true": "y"}),
        ("a: !!str 1", {"a": "1"}),
        ("a: |\n  x\n  y\n", {"a": "x\ny\n"}),
        ("\ufeffa: 1", {"a": 1}),
        ("[1]", [1]),
    ],
)
def test_plain_values_are_read(tmp_path: Path, text: str, expected: object) -> None:
    """As YAML 1.1 says; keys are always text."""
    assert read(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: b: c", ":1: not YAML: mapping values are not allowed here"),
        ("a: 1\nb: [", ":2: not YAML: "),
        ("a: 1\n\tb: 2", ":2: not YAML: "),
        ("a: 1\n---\nb: 2", ":2: not YAML: but found another document"),
        ("a: *b", ":1: not YAML: found undefined alias 'b'"),
        ("a: \x01", ": not YAML at character 3: special characters are not allowed"),
        ("a:\n  b: 1\n  b: 2", ":3: a.b: this key is here twice"),
        ("a: 1\n'a': 2", ":2: a: this key is here twice"),
        ("a:\n- b: !!python/object:os.system x", ":2: a.0.b: the tag !!python/object:os.system is"),
        ("a: !secret s3cret", ":1: a: the tag !secret is not read here: write a plain value"),
        ("a: !secret {b: s3cret}", ":1: a: the tag !secret is not read here"),
        ("a: !!binary czNjcmV0", ":1: a: the tag !!binary is not read here"),
        ("a: !!set {s3cret}", ":1: a: the tag !!set is not read here"),
        ("x: &x 1\na: *x", ":2: a: aliases are not read here: write the content out"),
        ("x: &x [*x]", ":1: x.0: aliases are not read here"),
        ("&x x: *x", ":1: x: aliases are not read here"),
        ("x: &x {b: 1}\na: {<<: *x}", ":2: a.<<: aliases are not read here"),
        ("? [a]\n: 1", ":1: (document): a key is a text"),
        ("a: 2026-99-99", ":1: a: it looks like a timestamp and is none: quote it"),
        ("a: !!int s3cret", ":1: a: it looks like a int and is none: quote it"),
        ("a: .nan", ":1: a: a number is finite here"),
        ("a: [-.inf]", ":1: a.0: a number is finite here"),
        ("a: 9007199254740992", ":1: a: an integer is beyond 2^53 - 1: quote it"),
        ("[" * 5_000, ": nested deeper than any configuration"),
    ],
)
def test_what_is_not_plain_is_refused_with_its_line(
    tmp_path: Path, text: str, complaint: str
) -> None:
    """The complaint says file, line, path and what to do, and repeats no value."""
    with pytest.raises(ConfigInvalid) as caught:
        read(tmp_path, text)

    assert str(caught.value).startswith(f"{tmp_path / 'interlock.yaml'}{complaint}")
    assert "s3cret" not in str(caught.value)


def test_copies_of_copies_do_not_fill_the_memory(tmp_path: Path) -> None:
    """Ten lines that would come to a thousand million values are refused at the first alias."""
    laughs = "a: &a [x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )

    with pytest.raises(ConfigInvalid, match="aliases are not read here"):
        read(tmp_path, laughs)


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    """Missing, a folder, or no UTF-8."""
    (tmp_path / "latin").write_bytes(b"a: \xff")

    for name, why in [("nosuch", "No such file"), (".", "Is a directory"), ("latin", "not UTF-8 at byte 3")]:  # fmt: skip
        with pytest.raises(ConfigInvalid, match=why):
            Document(tmp_path / name)


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    """Every key and item knows its line; what is missing has the line of what surrounds it."""
    document = Document(written(tmp_path, GOOD))
    lines = GOOD.splitlines()

    assert "max_lifetime" in lines[document.line(("identity", "issuers", 0, "max_lifetime")) - 1]
    assert "prefix" in lines[document.line(("routes", 0, "when", "subject", "prefix")) - 1]
    assert document.line(("targets", "retrain", "nosuch", "deep")) == document.line(
        ("targets", "retrain")
    )
    assert document.line(("nosuch",)) == 1


texts = st.text(
    st.characters(categories=["L", "N", "P", "S"], include_characters=" \n"), max_size=5
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner),
    max_leaves=8,
)


@given(values)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_yaml_writes_is_read_the_same(tmp_path: Path, value: Any) -> None:
    """Documents written by another hand, without aliases, come back as they were."""

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    text = yaml.dump(value, Dumper=Plain, allow_unicode=True)

    found = read(tmp_path, text)

    assert found == value


@given(st.text(st.sampled_from("a: -[]{}&*!?|>'\"#%@\n\t1.~<"), max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_read_or_refused(tmp_path: Path, text: str) -> None:
    """Whatever stands in the file, the only exception is ConfigInvalid, naming the file."""
    try:
        read(tmp_path, text)
    except ConfigInvalid as problem:
        assert str(problem).startswith(str(tmp_path))  # noqa: PT017 - either end is right
