"""Events off the wire: what is read, what is refused, and that each refusal names its field."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from interlock.adapters.cloudevents import (
    ATTRIBUTE_CHARS_MAX,
    BATCH_MAX,
    BODY_BYTES_MAX,
    EXTENSIONS_MAX,
    media_type,
    read_batch,
    read_binary,
    read_event,
)
from interlock.core.errors import Malformed, TooLarge, UnsupportedMedia
from interlock.core.event import Event
from tests.adapters.wire import FULL, LEAST, body, headers

SOME_JSON: tuple[object, ...] = (7, True, 1.5, [], {})


def refused(raw: bytes) -> Malformed:
    """How an event is refused."""
    with pytest.raises(Malformed) as caught:
        read_event(raw)
    return caught.value


def test_a_structured_event_is_read_whole() -> None:
    """Every attribute has its place, extensions included, and the bytes are kept as they came."""
    raw = body(FULL)

    one = read_event(raw)

    assert (one.source, one.id, one.type, one.subject) == (
        "airflow://prod",
        "1",
        "t",
        "load_orders",
    )
    assert one.time == datetime(2026, 1, 1, 10, 0, 0, 500_000, tzinfo=UTC)
    assert (one.dataschema, one.datacontenttype) == (FULL["dataschema"], "application/json")
    assert (one.extensions, one.data, one.body) == ({"team": "web"}, FULL["data"], raw)


def test_null_is_unset() -> None:
    """JSON format 2: an attribute that is null is not there."""
    one = read_event(body(subject=None, time=None, data=None, data_base64=None, team=None))

    assert (one.subject, one.time, one.data, one.extensions) == (None, None, None, {})


@pytest.mark.parametrize(
    ("given_value", "text"), [(True, "true"), (False, "false"), (7, "7"), (-7, "-7"), ("", "")]
)
def test_extensions_are_text(given_value: object, text: str) -> None:
    """Booleans and integers of extensions read as the type system writes them."""
    assert read_event(body(attempt=given_value)).extensions == {"attempt": text}


@pytest.mark.parametrize("missing", LEAST)
@pytest.mark.parametrize("how", ["absent", "null", "empty"])
def test_required_attributes_are_required(missing: str, how: str) -> None:
    """No id is made up, or each retry of a careless sender would be a new event."""
    made: dict[str, object] = dict(LEAST)
    match how:
        case "absent":
            del made[missing]
        case "null":
            made[missing] = None
        case _:
            made[missing] = ""

    refusal = refused(json.dumps(made).encode())

    assert refusal.fields["field"] == missing
    assert "required" in refusal.detail


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in LEAST for value in SOME_JSON),
        *((name, "") for name in ("subject", "time", "dataschema", "datacontenttype")),
        ("specversion", "0.3"),
        ("specversion", "1.0.2"),
        ("source", "a b"),
        ("source", "airflow://prod\\x"),
        ("source", "%zz"),
        ("source", "ünsafe"),
        ("source", "<x>"),
        ("dataschema", "a|b"),
        ("datacontenttype", "json"),
        ("datacontenttype", "text/"),
        ("datacontenttype", "text/plain charset"),
        ("id", "a\tb"),
        ("id", "a\u0085b"),
        ("id", "a\uffff"),
        ("subject", "a\x7f"),
        ("team", "a\nb"),
        ("team", 1.5),
        ("team", ["x"]),
        ("team", {"x": 1}),
        ("id", "x" * (ATTRIBUTE_CHARS_MAX + 1)),
        ("team", "x" * (ATTRIBUTE_CHARS_MAX + 1)),
        ("data_base64", 7),
        ("data_base64", "a"),
        ("data_base64", "QQ=="[:3]),
        ("data_base64", "QQ==\n"),
        ("data_base64", "Q-_="),
        ("data_base64", "é==="),
        ("Team", "x"),
        ("te_am", "x"),
        ("te-am", "x"),
        ("", "x"),
        ("tëam", "x"),
        ("team\n", "x"),
        ("x" * 65, "x"),
    ],
)
def test_a_bad_attribute_is_named(name: str, value: object) -> None:
    """The refusal's `field` says which attribute is wrong."""
    refusal = refused(body({name: value}))

    assert refusal.fields["field"] == name[:64].encode("ascii", "replace").decode()


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2026-01-01T12:00:00Z", True),
        ("2026-01-01t12:00:00z", True),
        ("1970-01-01T00:00:00Z", True),
        ("9998-12-31T23:59:59-23:59", True),
        ("2026-01-01T12:00:00.123456789Z", True),
        ("1969-12-31T23:59:59Z", False),
        ("9999-01-01T00:00:00Z", False),
        ("0000-01-01T00:00:00Z", False),
        ("2026-02-30T12:00:00Z", False),
        ("2026-01-01T24:00:00Z", False),
        ("2026-01-01T12:00:61Z", False),
        ("2026-01-01T12:00:00+24:00", False),
        ("2026-01-01T12:00:00", False),
        ("2026-01-01", False),
        ("2026-01-01 12:00:00Z", False),
        ("20260101T120000Z", False),
        ("2026-W01-1T12:00:00Z", False),
        ("2026-01-01T12:00Z", False),
        ("2026-01-01T12:00:00.Z", False),
        ("٢٠٢٦-01-01T12:00:00Z", False),
        ("1767268800", False),
    ],
)
def test_times_are_rfc_3339_within_reason(text: str, good: bool) -> None:
    """A time that is accepted can be moved to any zone; what is not RFC 3339 is not guessed at."""
    if good:
        found = read_event(body(time=text)).time
        assert found is not None
        for hours in (-14, 14):
            assert found.astimezone(timezone(timedelta(hours=hours))) == found
        return

    assert refused(body(time=text)).fields["field"] == "time"


def test_data_is_said_once() -> None:
    """An event with text data and binary data has two readings, so none."""
    assert refused(body(data=1, data_base64="QQ==")).fields["field"] == "data_base64"


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"7", b'"x"', b"null", b"{", b"\xff", b'{"id":1,"id":1}']
)
def test_what_is_no_json_object_is_no_event(raw: bytes) -> None:
    """The body is at fault, and the refusal says so."""
    assert refused(raw).fields["field"] == "(body)"


def test_limits_of_size_are_told() -> None:
    """At the limit an event is read; one byte more is refused, and the refusal names the limit."""
    room = BODY_BYTES_MAX - len(body(data=""))

    assert len(read_event(body(data="x" * room)).body) == BODY_BYTES_MAX
    with pytest.raises(TooLarge) as caught:
        read_event(body(data="x" * (room + 1)))
    assert caught.value.fields["limit"] == BODY_BYTES_MAX
    assert str(BODY_BYTES_MAX) in caught.value.detail


def test_extensions_are_bounded() -> None:
    """Fifty extensions are read, fifty-one are not."""
    most = {f"x{n}": "v" for n in range(EXTENSIONS_MAX)}

    assert len(read_event(body(most)).extensions) == EXTENSIONS_MAX
    assert str(EXTENSIONS_MAX) in refused(body(most, more="v")).detail


def test_a_batch_is_read_one_by_one() -> None:
    """One bad event of a batch is refused by itself; each good one is as if it had come alone."""
    good, other = json.loads(body(FULL)), json.loads(body(id="2"))

    found = read_batch(json.dumps([good, {"id": "x"}, 7, other]).encode())

    assert [type(each) for each in found] == [Event, Malformed, Malformed, Event]
    assert isinstance(found[0], Event)
    assert found[0].digest == read_event(body(FULL)).digest
    assert read_event(found[0].body) == found[0]


def test_batches_are_bounded() -> None:
    """A hundred events are read, a hundred and one are not, and none of them is lost silently."""
    one = json.loads(body())

    assert len(read_batch(json.dumps([one] * BATCH_MAX).encode())) == BATCH_MAX
    with pytest.raises(Malformed, match="empty"):
        read_batch(b"[]")
    with pytest.raises(TooLarge) as caught:
        read_batch(json.dumps([one] * (BATCH_MAX + 1)).encode())
    assert caught.value.fields["limit"] == BATCH_MAX


def test_an_event_too_large_for_itself_is_too_large_in_a_batch() -> None:
    """The limit of one event holds inside a batch, and only for the one."""
    large = json.loads(body(data="x" * BODY_BYTES_MAX))

    found = read_batch(json.dumps([large, json.loads(body())]).encode())

    assert [type(each) for each in found] == [TooLarge, Event]


@pytest.mark.parametrize("raw", [b"{}", b"7", b"[", b"[]", b'[{"a":1,"a":1}]'])
def test_what_is_no_array_of_events_is_no_batch(raw: bytes) -> None:
    """A body that cannot be taken apart, or holds nothing, is refused whole."""
    with pytest.raises(Malformed) as caught:
        read_batch(raw)

    assert caught.value.fields["field"] == "(body)"


def test_a_binary_event_is_the_same_fact() -> None:
    """Attributes in headers and data in the body are the event that the structured form is."""
    given_headers = headers(**{n: str(FULL[n]) for n in ("subject", "time", "dataschema", "team")})
    given_headers.append((b"Content-Type", b"application/json"))

    one = read_binary(given_headers, json.dumps(FULL["data"]).encode())

    structured = read_event(body(FULL))
    assert one == replace(structured, body=one.body)
    assert read_event(one.body) == one


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("a%20b", "a b"),
        ("%41%42", "AB"),
        ("%C3%BCber", "über"),
        ("a+b", "a+b"),
        ("%2541", "%41"),
        ("100%", "100%"),
        ("%zz", "%zz"),
        ('"a b"', "a b"),
        (r'"a\"b\\"', r'a"b\ '.strip()),
        ('"%22"', '"'),
        ('"half', '"half'),
        ('"', '"'),
    ],
)
def test_headers_are_unquoted_and_decoded_once(header: str, text: str) -> None:
    """HTTP binding 3.1.3.2: quotes of older senders, then one round of percent-decoding."""
    assert read_binary(headers(id=header), b"").id == text


@pytest.mark.parametrize(
    ("found", "field"),
    [
        ([*headers(), (b"ce-id", b"2")], "id"),
        ([*headers(), (b"CE-ID", b"1")], "id"),
        ([*headers(), (b"content-type", b"text/plain"), (b"content-type", b"text/plain")], "datacontenttype"),
        ([*headers(), (b"ce-datacontenttype", b"text/plain")], "datacontenttype"),
        ([*headers(), (b"ce-data", b"1")], "data"),
        ([*headers(), (b"ce-data_base64", b"QQ==")], "data_base64"),
        ([*headers(), (b"ce-", b"x")], ""),
        ([*headers(), (b"ce-te_am", b"x")], "te_am"),
        ([*headers(), (b"ce-t\xe9am", b"x")], "t?am"),
        (headers(id="%ff"), "id"),
        (headers(id="%00"), "id"),
        (headers(id="%0a"), "id"),
        (headers()[1:], "specversion"),
    ],
)  # fmt: skip
def test_bad_headers_are_named(found: list[tuple[bytes, bytes]], field: str) -> None:
    """A header that is twice there, is not one, or does not decode is refused by name."""
    with pytest.raises(Malformed) as caught:
        read_binary(found, b"")

    assert caught.value.fields["field"] == field


def test_binary_data_is_json_or_bytes() -> None:
    """JSON media types, and no media type, are read as JSON, strictly; all else stays bytes."""
    for media in (b"application/json", b"application/vnd.acme+json; charset=utf-8", None):
        typed = [(b"content-type", media)] if media else []
        assert read_binary([*headers(), *typed], b'{"a":1}').data == {"a": 1}
        with pytest.raises(Malformed):
            read_binary([*headers(), *typed], b'{"a":1,"a":2}')

    one = read_binary([*headers(), (b"content-type", b"text/plain")], b"\xff{")
    assert one.data is None
    assert json.loads(one.body)["data_base64"] == base64.b64encode(b"\xff{").decode()


def test_a_binary_body_is_bounded() -> None:
    """The limit of an event is that of its body, in whatever form it comes."""
    with pytest.raises(TooLarge) as caught:
        read_binary([*headers(), (b"content-type", b"text/plain")], b"x" * (BODY_BYTES_MAX + 1))

    assert caught.value.fields["limit"] == BODY_BYTES_MAX


@pytest.mark.parametrize(
    "text", ["application/json; charset=utf-16", "text/plain;CHARSET=latin-1", "a/b; x=y; charset="]
)
def test_only_utf_8_is_read(text: str) -> None:
    """Another character set is refused, not guessed at."""
    with pytest.raises(UnsupportedMedia):
        media_type(text)


def test_media_types_ignore_case_and_parameters() -> None:
    """RFC 9110 8.3.1."""
    assert media_type('Application/CloudEvents+JSON ; Charset="UTF-8"; x=y') == (
        "application/cloudevents+json"
    )
