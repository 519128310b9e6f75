"""JSON read strictly (RFC 8259, I-JSON RFC 7493) and written canonically (RFC 8785).

Two readers of lax JSON can see two different facts in the same bytes; then policy judges one and
the target acts on the other. So what is ambiguous is refused: duplicate members, NaN and Infinity,
numbers beyond IEEE 754, lone surrogates, NUL, bytes that are not UTF-8.
"""

import json
import math
from collections import Counter
from typing import NoReturn, cast

import orjson
import rfc8785

from interlock.core.event import Json

INTEGER_MAX = 2**53 - 1  # RFC 7493 2.2: beyond it, readers disagree about the value
DEPTH_MAX = 100  # deeper than any honest event; well inside every parser's stack


class NotStrictError(ValueError):
    """The bytes are not one unambiguous JSON value; the message says why, without their content."""


class _Reading:
    """What has to be noticed while the standard library's parser runs."""

    def __init__(self) -> None:
        self.plain = True  # no float, ASCII names only: orjson's sorted output is canonical then
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_float=self._float,
            parse_int=self._integer,
            parse_constant=self._constant,
        )

    def _object(self, pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        found = dict(pairs)
        if len(found) != len(pairs):
            counts = Counter(name for name, _ in pairs)
            twice = next(name for name, count in counts.items() if count > 1)
            raise NotStrictError(f"the member {twice[:64]!r} occurs twice")
        if self.plain and not all(map(str.isascii, found)):
            self.plain = False
        return found

    def _float(self, text: str) -> float:
        self.plain = False
        value = float(text)
        if math.isinf(value):
            raise NotStrictError("a number is beyond what IEEE 754 can hold")
        return value

    def _integer(self, text: str) -> int:
        value = int(text) if len(text) <= len(str(INTEGER_MAX)) + 1 else INTEGER_MAX + 1
        if abs(value) > INTEGER_MAX:
            raise NotStrictError("an integer is beyond 2^53 - 1: send it as text")
        return value

    def _constant(self, text: str) -> NoReturn:
        raise NotStrictError(f"{text} is not JSON")


def read(body: bytes) -> tuple[Json, bool]:
    """The value in `body`, and whether it is plain for `canonical`. Raises NotStrictError."""
    reading = _Reading()
    try:
        text = body.decode()
        value = cast("Json", reading.decoder.decode(text))
    except UnicodeDecodeError as err:
        raise NotStrictError(f"not UTF-8 at byte {err.start}") from err
    except json.JSONDecodeError as err:
        raise NotStrictError(f"not JSON at character {err.pos}: {err.msg}") from err
    except RecursionError as err:
        raise NotStrictError(f"nested deeper than {DEPTH_MAX}") from err
    if text.count("[") + text.count("{") > DEPTH_MAX and _depth(value) > DEPTH_MAX:
        raise NotStrictError(f"nested deeper than {DEPTH_MAX}")
    if "\\u" in text and _has_forbidden(value):
        raise NotStrictError("a text holds NUL or half of a surrogate pair")
    return value, reading.plain


def canonical(value: Json, *, plain: bool) -> bytes:
    """RFC 8785 bytes of a value that `read` returned; `plain` as `read` said, or False."""
    if plain:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return rfc8785.dumps(cast("rfc8785._impl._Value", value))  # noqa: SLF001 - its only name


def _depth(value: Json) -> int:
    level, here = 0, [value]
    while here := [each for each in here if isinstance(each, dict | list)]:
        level += 1
        below: list[Json] = []
        for each in here:
            below.extend(each.values() if isinstance(each, dict) else each)
        here = below
    return level


def _has_forbidden(value: Json) -> bool:
    rest = [value]
    while rest:
        each = rest.pop()
        if isinstance(each, str):
            if "\0" in each or any("\ud800" <= char <= "\udfff" for char in each):
                return True
        elif isinstance(each, dict):
            rest.extend(each)
            rest.extend(each.values())
        elif isinstance(each, list):
            rest.extend(each)
    return False
