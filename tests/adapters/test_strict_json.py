"""JSON has one reading or none, and one canonical form."""

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.strict_json import (
    DEPTH_MAX,
    INTEGER_MAX,
    NotStrictError,
    canonical,
    read,
)
from interlock.core.event import Json

NUL, HIGH, LOW = r"\u0000", r"\ud83d", r"\ude00"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"a":1,"a":1}', "'a' occurs twice"),
        (b'{"x":{"b":1,"c":2,"b":3}}', "'b' occurs twice"),
        (rb'{"a":1,"\u0061":2}', "'a' occurs twice"),
        (b"NaN", "NaN is not JSON"),
        (b'{"a":Infinity}', "Infinity is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"1e999", "IEEE 754"),
        (b"[-1e999]", "IEEE 754"),
        (b"9007199254740992", "2^53 - 1"),
        (b"-9007199254740992", "2^53 - 1"),
        (b"9" * 5_000, "2^53 - 1"),
        (f'"{NUL}"'.encode(), "NUL"),
        (f'{{"{NUL}":1}}'.encode(), "NUL"),
        (f'"{HIGH}"'.encode(), "surrogate"),
        (f'["{LOW}{HIGH}"]'.encode(), "surrogate"),
        (f'{{"{HIGH}x":1}}'.encode(), "surrogate"),
        (b'"\x00"', "control character"),
        (b'"\n"', "control character"),
        (b'\xef\xbb\xbf{"a":1}', "not JSON at character 0"),
        (b'"\xff"', "not UTF-8 at byte 1"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b'"\xc0\x80"', "not UTF-8"),
        ('{"a":1}'.encode("utf-16"), "not UTF-8"),
        (b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1), "deeper than 100"),
        (b'{"a":' * (DEPTH_MAX + 1) + b"1" + b"}" * (DEPTH_MAX + 1), "deeper than 100"),
        (b"[" * 200_000, "deeper than 100"),
        (b"", "not JSON"),
        (b" ", "not JSON"),
        (b"{} {}", "not JSON"),
        (b'{"a":1,}', "not JSON"),
        (b"[01]", "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b"[1] // x", "not JSON"),
    ],
)
def test_what_has_two_readings_has_none(body: bytes, why: str) -> None:
    """What two parsers could take differently is refused, and the refusal says why."""
    with pytest.raises(NotStrictError) as caught:
        read(body)

    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"9007199254740991", INTEGER_MAX),
        (b"-9007199254740991", -INTEGER_MAX),
        (b"1e20", 1e20),
        (b"-0", 0),
        (b"5e-324", 5e-324),
        (f'"{HIGH}{LOW}"'.encode(), "\U0001f600"),
        (b" [ ] \n", []),
        (b'{"a":{"a":1}}', {"a": {"a": 1}}),
        (b'{"a":[{"a":1},{"a":2}]}', {"a": [{"a": 1}, {"a": 2}]}),
        (b'"\\\\u0000"', "\\u0000"),
        (b'"[[["', "[[["),
    ],
)
def test_what_is_at_the_limit_is_read(body: bytes, expected: Json) -> None:
    """Strict is not the same as narrow: the limits themselves are within."""
    assert read(body)[0] == expected


def test_the_deepest_is_read() -> None:
    """Nesting of exactly DEPTH_MAX is within, however wide its neighbours are."""
    body = b"[[],[]," + b"[" * (DEPTH_MAX - 1) + b"]" * (DEPTH_MAX - 1) + b"]"

    assert len(read(body)[0]) == 3  # type: ignore[arg-type]


def test_a_refusal_never_repeats_the_content() -> None:
    """A refusal may be logged: of a long member name only the beginning is in it."""
    with pytest.raises(NotStrictError) as caught:
        read(json.dumps({"a": "secret"}).encode()[:-1] + b',"' + b"x" * 500 + b'":0,"' + b"x" * 500 + b'":0}')  # fmt: skip

    assert len(str(caught.value)) < 100
    assert "secret" not in str(caught.value)


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=126, min_codepoint=1)), inner)
    ),
    max_leaves=20,
)
any_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-INTEGER_MAX, INTEGER_MAX)
    | st.floats(-INTEGER_MAX, INTEGER_MAX)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(any_values | plain_values, st.booleans(), st.booleans())
def test_the_canonical_form_is_rfc_8785(value: Any, ascii_only: bool, spread: bool) -> None:
    """However the sender wrote it, plain or not, its canonical form is the standard's."""
    body = json.dumps(value, ensure_ascii=ascii_only, indent=3 if spread else None).encode()

    found, plain = read(body)

    assert canonical(found, plain=plain) == canonical(found, plain=False) == rfc8785.dumps(value)


@given(plain_values)
def test_common_events_take_the_quick_way(value: Any) -> None:
    """Without floats and with ASCII names a value is plain."""
    assert read(json.dumps(value).encode())[1]


def test_what_sorts_otherwise_is_not_plain() -> None:
    """RFC 8785 sorts names by UTF-16: the quick way would sort these two the other way round."""
    body = '{"\ufb00":1,"\U0001f600":2}'.encode()

    found, plain = read(body)

    assert not plain
    assert canonical(found, plain=plain) == '{"\U0001f600":2,"\ufb00":1}'.encode()
    assert canonical(found, plain=True) != canonical(found, plain=False)


@given(any_values)
def test_the_canonical_form_reads_as_the_same(value: Any) -> None:
    """Canonical bytes are strict JSON of the same value, and canonical already."""
    once = canonical(value, plain=False)

    found, plain = read(once)

    assert canonical(found, plain=plain) == once


SCRAPS = (
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"a", b"\\", b"\\u", b"d83d", b"0000", b"1"),
    *(b"e", b"-", b".", b"9" * 20, b"NaN", b"Infinity", b"null", b"\xff", b"\x00", b" "),
)
scraps = st.lists(st.sampled_from(SCRAPS), max_size=30).map(b"".join)


@given(st.binary(max_size=200) | scraps)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Nothing but NotStrictError comes out, and what is read can be written and sent on."""
    try:
        found, plain = read(body)
    except NotStrictError:
        return

    assert canonical(found, plain=plain).decode()
    assert json.loads(body) == found


def test_a_repeated_name_is_found_among_many() -> None:
    """Of 30,000 names the repeated one is told; looking it up takes one pass, or this test hangs."""
    members = b",".join(b'"%d":0' % n for n in range(30_000))

    with pytest.raises(NotStrictError, match="'29999' occurs twice"):
        read(b"{" + members + b',"29999":0}')
