"""Base64url and JSON, read so strictly that one meaning has one spelling."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

_ALPHABET = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def base64url(text: str) -> bytes:
    """The bytes that `text` spells, without padding and with no stray bits at its end.

    Raises ValueError for any other spelling. Every JOSE library we measured accepts padding
    (Wycheproof tcId 367, 370), by which one signature has many texts.
    """
    if _ALPHABET.fullmatch(text) is None:
        raise ValueError("not base64url")
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if urlsafe_b64encode(raw).rstrip(b"=").decode("ascii") != text:
        raise ValueError("not canonical base64url")
    return raw


def json_object(raw: bytes) -> dict[str, object]:
    """The one JSON object in `raw`, UTF-8, every member named once (RFC 8725 section 2.4).

    Raises ValueError, also for NaN, Infinity and nesting deeper than the parser follows.
    """
    try:
        found = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_members, parse_constant=_no_constant
        )
    except RecursionError as err:
        raise ValueError("nested too deeply") from err
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - one exception for all bad text
    return found


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is named twice")
    return members


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
