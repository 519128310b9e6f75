"""A route's `when`, as written, to the filter it means.

`{type: a, subject: {prefix: load_}}` is all of: type is a, subject starts with load_. Beside
attributes there are `all: [...]`, `any: [...]` and `not: {...}`, each of conditions again.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from interlock.core.route import AllOf, AnyOf, Exact, Filter, Not, Prefix, Suffix

_DIALECTS: Mapping[str, Callable[[str, str], Filter]] = {
    "exact": Exact,
    "prefix": Prefix,
    "suffix": Suffix,
}
_GROUPS: Mapping[str, Callable[[tuple[Filter, ...]], Filter]] = {"all": AllOf, "any": AnyOf}

_ATTRIBUTE = re.compile(r"[a-z0-9]{1,64}\Z")  # as events are read


class NotAConditionError(ValueError):
    """What stands there is no condition; `place` leads to it from the `when`."""

    def __init__(self, message: str, *place: int | str) -> None:
        super().__init__(message)
        self.place = place


def condition(written: Mapping[str, Any], *place: int | str) -> Filter:
    """The filter that `written` means. Raises NotAConditionError."""
    parts = tuple(_part(name, value, (*place, name)) for name, value in written.items())
    if not parts:
        raise NotAConditionError("it is empty: name at least one attribute", *place)
    return parts[0] if len(parts) == 1 else AllOf(parts)


def _part(name: str, value: Any, place: tuple[int | str, ...]) -> Filter:  # noqa: ANN401 - as written
    if name in _GROUPS:
        if not isinstance(value, list) or not value:
            raise NotAConditionError("give a list of conditions, at least one", *place)
        return _GROUPS[name](
            tuple(condition(_mapping(each, (*place, n)), *place, n) for n, each in enumerate(value))
        )
    if name == "not":
        return Not(condition(_mapping(value, place), *place))
    if not _ATTRIBUTE.match(name):
        raise NotAConditionError("no event has such an attribute: use a to z and 0 to 9", *place)
    if isinstance(value, str) and value:
        return Exact(name, value)
    given = _mapping(value, place)
    [(dialect, text)] = given.items() if len(given) == 1 else [("", "")]
    if dialect not in _DIALECTS or not isinstance(text, str) or not text:
        raise NotAConditionError(
            f"give a text, or one of {', '.join(_DIALECTS)} with a text: {name}: {{prefix: load_}}",
            *place,
        )
    return _DIALECTS[dialect](name, text)


def _mapping(value: Any, place: tuple[int | str, ...]) -> Mapping[str, Any]:  # noqa: ANN401 - as written
    if not isinstance(value, dict):
        raise NotAConditionError("give a condition: attribute: value", *place)
    return value
