"""Looker's partial answers: `fields=id,joins(name,sql_on)` keeps what it names, at any depth."""

import re
from typing import Any

__all__ = ["project"]

Wanted = dict[str, "Wanted"]  # field -> what of it; nothing means all

_TOKEN = re.compile(r"[^,()\s]+|[()]")


def project(value: Any, fields: str | None) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """Keep only `fields` of an object, or of every object in a list; no `fields` keeps all.

    Names that nothing has are passed over, and so are parentheses that do not match.
    """
    return _keep(value, _parse(fields)) if fields else value


def _parse(fields: str) -> Wanted:
    top: Wanted = {}
    stack, last = [top], top
    for token in _TOKEN.findall(fields):
        if token == "(":  # noqa: S105 - a parenthesis
            stack.append(last)
        elif token == ")":  # noqa: S105 - a parenthesis
            stack = stack[:-1] or [top]
        else:
            last = stack[-1].setdefault(token, {})
    return top


def _keep(value: Any, wanted: Wanted) -> Any:  # noqa: ANN401 - JSON in, JSON out
    if not wanted:
        return value
    if isinstance(value, list):
        return [_keep(item, wanted) for item in value]
    if isinstance(value, dict):
        return {name: _keep(part, wanted[name]) for name, part in value.items() if name in wanted}
    return value
