"""Route parameters: `${{ expression }}` in JMESPath (https://jmespath.org) over what is known.

A text that is one expression becomes the expression's value, whatever its type; expressions inside
a longer text become text. Names: `event` (attributes and `data`), `principal`, `route`.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

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
    """Raise MappingError if an expression in `value` is not JMESPath."""
    match value:
        case str():
            for found in _EXPRESSION.finditer(value):
                _compiled(found[1].strip())
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
    whole = _EXPRESSION.fullmatch(value)
    if whole:
        return _found(whole[1].strip(), known)
    return _EXPRESSION.sub(lambda part: _inline(part[1].strip(), known), value)


def _inline(expression: str, known: Known) -> str:
    found = _found(expression, known)
    if not isinstance(found, str | int | float) or isinstance(found, bool):
        raise MappingError(f"{expression!r} is no text or number here")
    return str(found)


def _found(expression: str, known: Known) -> Json:
    try:
        found: Json = _compiled(expression).search(known())
    except JMESPathError as err:
        raise MappingError(f"{expression!r}: {str(err).splitlines()[0]}") from err
    return found
