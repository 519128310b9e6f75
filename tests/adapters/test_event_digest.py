"""One fact, one digest: whoever wrote the event, in whatever form, it is read as the same."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.cloudevents import read_binary, read_event
from interlock.core.errors import Malformed
from tests.adapters.wire import FULL, body


def digest(**parts: object) -> str:
    """The digest of an event with these attributes."""
    return read_event(body(FULL, **parts)).digest


@pytest.mark.parametrize(
    "parts",
    [
        {"time": "2027-01-01T00:00:00Z"},
        {"time": None},
        {"team": "app"},
        {"more": "x"},
        {"traceparent": "00-1-2-01"},
        {"datacontenttype": "text/json"},
        {"id": "2", "source": "s"},
    ],
)
def test_the_digest_ignores_how_and_when_it_was_sent(parts: dict[str, object]) -> None:
    """Time, trace context and extensions may differ between two sendings of one fact."""
    assert digest(**parts) == digest()


@pytest.mark.parametrize(
    "parts",
    [
        {"type": "u"},
        {"subject": "other"},
        {"subject": None},
        {"dataschema": "urn:x"},
        {"dataschema": None},
        {"data": {"tables": ["a.b"], "n": 1.6}},
        {"data": {"tables": ["a.b"]}},
        {"data": None},
        {"data": None, "data_base64": "QQ=="},
        {"data": []},
        {"data": False},
    ],
)
def test_the_digest_sees_the_fact(parts: dict[str, object]) -> None:
    """Type, subject, dataschema and data are what the fact is."""
    assert digest(**parts) != digest()


def test_data_cannot_pose_as_attributes() -> None:
    """Data that looks like binary data or like a subject is another fact than they are."""
    as_data = {digest(data=x, subject=None) for x in ("QQ==", {"subject": "a"}, {"data": 1}, 1)}
    as_other = {
        digest(data=None, data_base64="QQ==", subject=None),
        digest(data=None, subject="a"),
    }

    assert len(as_data | as_other) == 6


texts = st.text(
    st.characters(categories=["L", "N", "P", "S"], include_characters=" "), min_size=1, max_size=12
)
uris = st.from_regex(r"[a-z]{2,6}://[a-z0-9./%-]{0,8}[a-z0-9]", fullmatch=True).filter(
    lambda uri: "%" not in uri
)
data_ = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
attributes_ = st.fixed_dictionaries(
    {
        "id": texts,
        "source": uris,
        "type": texts,
        "specversion": st.just("1.0"),
        "datacontenttype": st.just("application/json"),
        "time": st.datetimes(datetime(1970, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)),
    },
    optional={
        "subject": texts,
        "dataschema": uris,
        "team": texts,
        "traceparent": st.just("00-4bf92f-00f0-01"),
    },
)


@given(attributes_, st.dictionaries(texts, data_, max_size=3))  # it writes no other JSON in binary
def test_what_the_sdk_writes_is_read_the_same_in_both_modes(
    attributes: dict[str, Any], data: dict[str, Any]
) -> None:
    """The spec authors' SDK is an independent writer: structured or binary, it is one event."""
    theirs = CloudEvent(dict(attributes), data)
    structured, binary = (write(theirs, JSONFormat()) for write in (to_structured, to_binary))

    ours = read_event(structured.body)
    also = read_binary([(k.encode(), v.encode()) for k, v in binary.headers.items()], binary.body)

    core = ("id", "source", "type", "subject", "dataschema")
    assert {n: ours.attribute(n) for n in core} == {n: attributes.get(n) for n in core}
    assert ours.time == attributes["time"]
    assert ours.data == data
    assert ours.extensions == {n: attributes[n] for n in ("team", "traceparent") if n in attributes}
    assert also == replace(ours, body=also.body)


@given(attributes_, data_, st.randoms())
def test_the_digest_ignores_how_it_was_written(
    attributes: dict[str, Any], data: Any, dice: Any
) -> None:
    """White space, escapes and the order of members are not part of the fact."""
    members = {k: v.isoformat() if k == "time" else v for k, v in attributes.items()}
    pairs = list((members | {"data": data}).items())
    one = json.dumps(dict(pairs)).encode()
    dice.shuffle(pairs)
    other = json.dumps(dict(pairs), indent=2, ensure_ascii=False).encode()

    assert read_event(one).digest == read_event(other).digest


@given(st.dictionaries(st.sampled_from([*FULL, "data_base64"]), data_ | st.binary().map(str)))
def test_any_json_object_is_an_event_or_malformed(parts: dict[str, Any]) -> None:
    """Whatever stands in an attribute, the only exception is a refusal with a field."""
    try:
        one = read_event(body(parts))
    except Malformed as refusal:
        assert refusal.fields["field"]  # noqa: PT017 - either end is right
        return

    assert read_event(one.body) == one
