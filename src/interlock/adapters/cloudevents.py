"""CloudEvents 1.0.2 off the wire: structured, batch and binary (HTTP protocol binding 3.1-3.3).

Strict where the specification's own SDK is kind (docs/adr/0002): that one invents a missing id, so
that every retry of a careless sender would be a new event.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from urllib.parse import unquote_to_bytes

import orjson

from interlock.adapters.strict_json import NotStrictError, canonical, read
from interlock.core.errors import Malformed, Refusal, TooLarge, UnsupportedMedia
from interlock.core.event import Event, Json

BODY_BYTES_MAX = 262_144  # one event; StartExecution takes 256 KiB, the least of all our targets
BATCH_MAX = 100  # events; each is decided and recorded on its own
ATTRIBUTE_CHARS_MAX = 2_048  # a URI of more is an accident
EXTENSIONS_MAX = 50

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

_NAME = re.compile(r"[a-z0-9]{1,64}\Z")
_URI = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)\Z")
_MEDIA = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:\s*;.*)?\Z", re.ASCII)
_JSON_MEDIA = re.compile(r"(?:[\w-]+/json|[\w.-]+/[\w.-]+\+json)\Z", re.ASCII)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"\Z')  # RFC 9110 5.6.4
_KNOWN = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "dataschema", "datacontenttype"}
)
_NOT_HEADERS = {"ce-data", "ce-datacontenttype"}  # body and content-type
_REQUIRED = ("specversion", "id", "source", "type")
_YEAR_MIN, _YEAR_MAX = 1970, 9998  # any offset keeps them within what a datetime can hold


def read_event(body: bytes) -> Event:
    """The event in structured-mode `body`. Raises Malformed, naming the field, or TooLarge."""
    if len(body) > BODY_BYTES_MAX:
        raise TooLarge(f"an event may have {BODY_BYTES_MAX} bytes", limit=BODY_BYTES_MAX)
    value, plain = _json(body)
    return _event(value, body, plain=plain)


def read_batch(body: bytes) -> list[Event | Refusal]:
    """The events in batch-mode `body`, each on its own: an event or why it is none.

    Raises Malformed if the body is no JSON array, TooLarge if it has over BATCH_MAX elements.
    """
    values, plain = _json(body)
    if not isinstance(values, list):
        raise Malformed("a batch is a JSON array of events", field="(body)")
    if not values:
        raise Malformed("the batch is empty", field="(body)")
    if len(values) > BATCH_MAX:
        raise TooLarge(f"a batch may have {BATCH_MAX} events", limit=BATCH_MAX)
    found: list[Event | Refusal] = []
    for value in values:
        alone = orjson.dumps(value)
        try:
            if len(alone) > BODY_BYTES_MAX:
                raise TooLarge(f"an event may have {BODY_BYTES_MAX} bytes", limit=BODY_BYTES_MAX)
            found.append(_event(value, alone, plain=plain))
        except Refusal as refusal:
            found.append(refusal)
    return found


def read_binary(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Event:
    """The event of a binary-mode request: `ce-` headers and data. Raises as `read_event`."""
    if len(body) > BODY_BYTES_MAX:
        raise TooLarge(f"an event may have {BODY_BYTES_MAX} bytes", limit=BODY_BYTES_MAX)
    found: dict[str, Json] = {}
    for raw, value in headers:
        header = raw.decode("latin-1").lower()
        name = "datacontenttype" if header == "content-type" else header.removeprefix("ce-")
        if name == header:
            continue
        if name in found or header in _NOT_HEADERS:
            raise Malformed(f"the header {header} is twice there or not one", field=name)
        found[name] = _attribute(name, _header_text(name, value))
    media = str(found.get("datacontenttype", "application/json"))
    return read_event(orjson.dumps(found | _data_members(media, body)))


@lru_cache(maxsize=100)
def media_type(content_type: str) -> str:
    """The type and subtype of a Content-Type, lower-case. Raises UnsupportedMedia for a charset."""
    kind, *parameters = [part.strip().lower() for part in content_type.split(";")]
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in {"utf-8", "us-ascii"}:
            raise UnsupportedMedia("send UTF-8", field="content-type")
    return kind


def _header_text(name: str, value: bytes) -> str:
    """HTTP binding 3.1.3.2: percent-encoded UTF-8, which older senders put in quotes."""
    if _QUOTED.match(value):
        value = re.sub(rb"\\(.)", rb"\1", value[1:-1])
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError as err:
        raise Malformed(f"the header ce-{name} is not percent-encoded UTF-8", field=name) from err


def _data_members(media: str, body: bytes) -> dict[str, Json]:
    if not body:
        return {}
    if _JSON_MEDIA.match(media_type(media)):
        value, _ = _json(body)
        return {"data": value}
    return {"data_base64": base64.b64encode(body).decode()}


def _json(body: bytes) -> tuple[Json, bool]:
    try:
        return read(body)
    except NotStrictError as err:
        raise Malformed(f"the body is not strict JSON: {err}", field="(body)") from err


def _event(value: Json, body: bytes, *, plain: bool) -> Event:
    if not isinstance(value, dict):
        raise Malformed("an event is a JSON object", field="(body)")
    texts: dict[str, str] = {}
    for name, given in value.items():
        if (
            name not in {"data", "data_base64"} and given is not None
        ):  # JSON format 2: null is unset
            texts[name] = _attribute(name, given)
    for name in _REQUIRED:
        if not texts.get(name):
            raise Malformed(f"the attribute {name!r} is required and not empty", field=name)
    if texts["specversion"] != "1.0":
        raise Malformed("only specversion 1.0 is read", field="specversion")
    extensions = {name: text for name, text in texts.items() if name not in _KNOWN}
    if len(extensions) > EXTENSIONS_MAX:
        raise Malformed(f"an event may have {EXTENSIONS_MAX} extensions", field="(extensions)")
    _check_uri("source", texts["source"])
    data = value.get("data")
    return Event(
        source=texts["source"],
        id=texts["id"],
        type=texts["type"],
        subject=_optional(texts, "subject"),
        time=_time(texts),
        dataschema=_check_uri("dataschema", _optional(texts, "dataschema")),
        datacontenttype=_media(texts),
        extensions=extensions,
        data=data,
        digest=_digest(texts, data, _binary(value), plain=plain),
        body=body,
    )


def _attribute(name: str, given: Json) -> str:
    if not _NAME.match(name):
        raise Malformed(
            "attribute names are 1 to 64 of a-z and 0-9",
            field=name[:64].encode("ascii", "replace").decode(),
        )
    if isinstance(given, bool | int) and name not in _KNOWN:
        return str(given).lower()
    if not isinstance(given, str):
        raise Malformed(f"the attribute {name!r} must be text", field=name)
    if len(given) > ATTRIBUTE_CHARS_MAX:
        raise Malformed(f"an attribute may have {ATTRIBUTE_CHARS_MAX} characters", field=name)
    if not given.isprintable() and _CONTROL.search(given):
        raise Malformed(f"the attribute {name!r} holds a control character", field=name)
    return given


def _optional(texts: Mapping[str, str], name: str) -> str | None:
    if texts.get(name) == "":
        raise Malformed(f"the attribute {name!r}, if it is there, is not empty", field=name)
    return texts.get(name)


def _check_uri(name: str, text: str | None) -> str | None:
    if text is not None and not _URI.match(text):
        raise Malformed(f"the attribute {name!r} is not a URI reference (RFC 3986)", field=name)
    return text


def _media(texts: Mapping[str, str]) -> str | None:
    text = _optional(texts, "datacontenttype")
    if text is not None and not _MEDIA.match(text):
        raise Malformed("'datacontenttype' is not a media type", field="datacontenttype")
    return text


def _time(texts: Mapping[str, str]) -> datetime | None:
    text = texts.get("time")
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text.upper()) if _TIME.match(text) else None
    except ValueError:
        found = None
    if found is None or not _YEAR_MIN <= found.year <= _YEAR_MAX:
        raise Malformed(
            f"'time' is not an RFC 3339 time of the years {_YEAR_MIN} to {_YEAR_MAX}", field="time"
        )
    return found


def _binary(value: Mapping[str, Json]) -> str | None:
    text = value.get("data_base64")
    if text is None:
        return None
    if value.get("data") is not None:
        raise Malformed("an event has 'data' or 'data_base64', not both", field="data_base64")
    try:
        if not isinstance(text, str):
            raise Malformed("'data_base64' must be text", field="data_base64")
        base64.b64decode(text, validate=True)
    except ValueError as err:  # also for a character beyond ASCII
        raise Malformed("'data_base64' is not base64 (RFC 4648)", field="data_base64") from err
    return text


def _digest(texts: Mapping[str, str], data: Json, binary: str | None, *, plain: bool) -> str:
    fact: dict[str, Json] = {"type": texts["type"]}
    for name in ("subject", "dataschema"):
        if name in texts:
            fact[name] = texts[name]
    if binary is not None:
        fact["data_base64"] = binary
    elif data is not None:
        fact["data"] = data
    return sha256(canonical(fact, plain=plain)).hexdigest()
