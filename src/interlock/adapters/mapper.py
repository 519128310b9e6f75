"""Route parameters: `${{ expression }}` in JMESPath (https://jmespath.org) over what is known.

A text that is one expression becomes the expression's value, whatever its type; expressions inside
a longer text become text. Names: `event` (attributes and `data`), `principal`, `route`.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from math import isfinite
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from interlock.adapters.strict_json import INTEGER_MAX
from interlock.core.event import Event, Json
from interlock.core.principal import Principal
from interlock.core.route import Route
from interlock.ports import MappingError

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_ATTRIBUTES = ("id", "source", "type", "subject", "time", "dataschema", "datacontenttype")


class JmesMapper:
    """See Mapper."""

    def render(self, route: Route, event: Event, principal: Principal) -> Mapping[str, Json]:
        """See Mapper."""
        known = cache(lambda: _known(route, event, principal))
        return {name: _rendered(value, known) for name, value in route.params.items()}


Known = Callable[[], dict[str, Any]]
"""What expressions may name, gathered when the first one asks."""


def _known(route: Route, event: Event, principal: Principal) -> dict[str, Any]:
    attributes = {name: event.attribute(name) for name in _ATTRIBUTES}
    return {
        "event": attributes | dict(event.extensions) | {"data": event.data},
        "principal": {
            "id": principal.id,
            "kind": principal.kind.value,
            "groups": sorted(principal.groups),
        },
        "route": {"name": route.name},
    }


def check_expressions(value: Json) -> None:
    """Raise MappingError if an expression in `value` is not closed or is not JMESPath."""
    match value:
        case str():
            for expression in _expressions(value):
                _compiled(expression)
        case list():
            for each in value:
                check_expressions(each)
        case dict():
            for each in value.values():
                check_expressions(each)
        case _:
            pass


@lru_cache(maxsize=1_000)
def _compiled(expression: str) -> ParsedResult:
    try:
        return jmespath.compile(expression)
    except JMESPathError as err:
        raise MappingError(f"{expression!r} is not JMESPath: {str(err).splitlines()[0]}") from err
    except RecursionError as err:
        raise MappingError(f"{expression[:64]!r}... is nested too deep") from err


def _whole(value: str) -> str | None:
    """The expression that `value` is and nothing else; it may hold braces of its own."""
    if value.startswith("${{") and value.endswith("}}") and value.count("${{") == 1:
        return value[3:-2].strip()
    return None


def _expressions(value: str) -> list[str]:
    if (whole := _whole(value)) is not None:
        return [whole]
    if "${{" in _EXPRESSION.sub("", value):
        raise MappingError(f"{value[:64]!r} opens ${{{{ and does not close it")
    return [found[1].strip() for found in _EXPRESSION.finditer(value)]


def _rendered(value: Json, known: Known) -> Json:
    match value:
        case str() if "${{" in value:
            return _text(value, known)
        case list():
            return [_rendered(each, known) for each in value]
        case dict():
            return {name: _rendered(each, known) for name, each in value.items()}
        case _:
            return value


def _text(value: str, known: Known) -> Json:
    whole = _whole(value)
    if whole is not None:
        return _found(whole, known)
    return _EXPRESSION.sub(lambda part: _inline(part[1].strip(), known), value)


def _inline(expression: str, known: Known) -> str:
    found = _found(expression, known)
    if not isinstance(found, str | int | float) or isinstance(found, bool):
        raise MappingError(f"{expression!r} is no text or number here")
    return str(found)


def _found(expression: str, known: Known) -> Json:
    try:
        found: Json = _compiled(expression).search(known())
    except Exception as err:
        # jmespath raises bare TypeErrors too, and its messages quote the event's values, which not
        # everyone who may read of the delivery may see.
        raise MappingError(f"{expression!r} has no value here: {type(err).__name__}") from err
    if not _is_json(found):
        raise MappingError(f"{expression!r} comes to what JSON cannot say")
    return found


def _is_json(value: object) -> bool:
    """Whether JSON readers agree about it: JMESPath can make NaN, huge numbers, functions."""
    match value:
        case None | str() | bool():
            return True
        case int():
            return abs(value) <= INTEGER_MAX
        case float():
            return isfinite(value)
        case list():
            return all(map(_is_json, value))
        case dict():
            return all(map(_is_json, value.values()))
        case _:
            return False
