# ruff: noqa: INP001 - a program beside the pages it writes, not a package
"""Writes docs/configuration.md from the models: `.venv/bin/python -m docs.generate`.

What the models say (names, limits, defaults, descriptions) is said nowhere else by hand; what they
cannot say stands in PREFACE and AFTER. tests/house/test_docs.py compares the page with this.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import TypeAdapter

from interlock.app.bootstrap import connectors
from interlock.app.configuration import schema
from interlock.app.settings import NAME

Shape: TypeAlias = Mapping[str, Any]
"""A JSON Schema, or a part of one."""

PAGE = Path(__file__).parent / "configuration.md"
DURATION = "^[0-9]+[smhd]$"
UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))

PREFACE = """\
# Configuration: `interlock.yaml`

One YAML file and a folder of [policies](policy.md), in a repository of yours. `interlock check`
says whether it would run, with file and line of each complaint; `interlock schema` prints its JSON
Schema for your editor. A whole one: [the example's](../examples/airflow-looker/interlock.yaml).

- Unknown keys, a key that occurs twice, and a value where a secret reference is due are refused.
- A relative path starts at the folder of `interlock.yaml`; `file://` wants an absolute one.
- A *duration* is a whole number and a unit: `90s`, `10m`, `2h`, `1d`.
- A *name* is 1 to 63 of `a-z`, `0-9` and `-`, with no `-` at either end.
- A *secret reference* is `env://NAME` or `file:///path`. A target's secrets are read at each use,
  so that a rotated one counts at once; the issuer's key is read at the start.
- A change counts when the gateway is started again. The first digits of the file's digest
  (`config_rev`) are recorded with each hand-off.

The tables are made from the models that read the file: `.venv/bin/python -m docs.generate`.
"""

AFTER: Mapping[str, str] = {
    "routes[]": """\
`when` names attributes of the event (`type`, `source`, `subject`, an extension ...) and what each
must be: a text is an exact match; `{exact: x}`, `{prefix: x}` and `{suffix: x}` are the other ways.
Several must all hold. `all: [...]`, `any: [...]` and `not: {...}` hold conditions again. A filter
on an attribute that the event lacks is false.

```yaml
when:
  type: airflow.dag_run.succeeded
  source: airflow://prod
  any: [{subject: {prefix: load_}}, {subject: nightly}]
  not: {subject: {suffix: _backfill}}
```

`with` holds the action's own settings, listed below with its connector. `${{ }}` holds a
[JMESPath](https://jmespath.org) expression over `event` (its attributes and `data`), `principal`
(`id`, `kind`, `groups`) and `route` (`name`). A text that is one expression becomes its value,
whatever the type; inside a longer text it must give a text or a number. What is not there is null.
One that fails makes that delivery `failed`, and the event is recorded all the same.

What `with` comes to, the deadline and `on_unknown` are fixed when the hand-off is accepted.
""",
}


def page() -> str:
    """The whole page."""
    root: Any = schema(connectors())
    found = [PREFACE, *_sections("", root, root["$defs"])]
    for name, connector in sorted(connectors().items()):
        found += _sections("targets.<name>", root["$defs"][name], root["$defs"], of=name)
        for action, does in sorted(connector.actions.items()):
            told = does.params.model_json_schema()
            of = f"{name}, do: {action}"
            found += _sections("routes[].with", told, told.get("$defs", {}), of=of)
    return "\n".join(found)


def _sections(path: str, shape: Shape, defs: Shape, of: str = "") -> Iterator[str]:
    """The section of an object, then those of the objects in it."""
    known = {name: _plain(each, defs) for name, each in shape["properties"].items()}
    required = shape.get("required", ())
    yield f"## {f'`{path}`' if path else 'The top level'}{f' ({of})' if of else ''}\n"
    yield f"{shape['description']}\n"
    yield "| setting | value | default | |\n|---|---|---|---|"
    for name, each in known.items():
        default = "**required**" if name in required else _default(each)
        told = f"| `{_join(path, name)}` | {_value(each, defs)} | {default} |"
        yield f"{told} {each.get('description', each.get('title', ''))} |".replace("|  |", "| |")
    yield ""
    if path in AFTER:
        yield AFTER[path]
    for name, each in known.items():
        for inner, mark in ((each, ""), (each.get("items"), "[]"), (_values(each), ".<name>")):
            if inner and "properties" in (found := _plain(inner, defs)):
                yield from _sections(f"{_join(path, name)}{mark}", found, defs, of)


def _plain(shape: Shape, defs: Shape) -> Shape:
    """The shape behind its reference, without an "or null"."""
    choices = [each for each in shape.get("anyOf", ()) if each != {"type": "null"}]
    behind = choices[0] if len(choices) == 1 else None
    if "$ref" in shape:
        behind = defs[shape["$ref"].removeprefix("#/$defs/")]
    if behind is None:
        return shape
    own = {name: each for name, each in shape.items() if name not in {"$ref", "anyOf"}}
    return {**_plain(behind, defs), **own}


def _value(shape: Shape, defs: Shape) -> str:
    """What may stand there, with its limits."""
    shape = _plain(shape, defs)
    for sort in (_named, _composed):
        if found := sort(shape, defs):
            return found
    words = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "true or false",
    }
    least, above = shape.get("minimum"), shape.get("exclusiveMinimum")
    limits = [f"from {least}"] if least is not None else []
    limits += [f"over {above}"] if above is not None else []
    limits += [f"to {shape['maximum']}"] if "maximum" in shape else []
    return " ".join([words.get(shape.get("type", ""), "any JSON"), *limits])


def _named(shape: Shape, _defs: Shape) -> str:
    """The sorts that have a name of their own; empty: it is none of them."""
    choices = shape.get("enum", [shape["const"]] if "const" in shape else ())
    if choices:
        return " or ".join(f"`{each}`" for each in choices)
    if shape.get("pattern") == DURATION:
        return f"duration, at most {_duration(shape['le'])}"
    named = {"secret-reference": "secret reference", "uri": "URL", "path": "path"}
    return "name" if shape.get("pattern") == NAME else named.get(shape.get("format", ""), "")


def _composed(shape: Shape, defs: Shape) -> str:
    """Lists, maps and choices; empty: it is none of them."""
    if "oneOf" in shape:
        return "the settings of its connector"
    if "anyOf" in shape:
        return " or ".join(_value(each, defs) for each in shape["anyOf"])
    if shape.get("type") == "array":
        most = f", at most {shape['maxItems']}" if "maxItems" in shape else ""
        return f"list of {_value(shape['items'], defs)}{most}"
    if "properties" in shape:
        return "the settings below"
    if shape.get("type") == "object":
        inner = _values(shape)
        return f"map of name to {_value(inner, defs)}" if inner else "map"
    return ""


def _values(shape: Shape) -> Shape | None:
    """The shape of a map's values, if it says one."""
    for each in (*shape.get("patternProperties", {}).values(), shape.get("additionalProperties")):
        if isinstance(each, dict) and each:
            return each
    return None


def _default(shape: Shape) -> str:
    default = shape.get("default")
    if default in (None, "") or isinstance(default, dict):
        return ""
    return f"`{_duration(default)}`" if shape.get("pattern") == DURATION else f"`{default}`"


def _duration(iso: str) -> str:
    """As the file has it: `PT1H` of JSON Schema is `1h`."""
    seconds = int(TypeAdapter(timedelta).validate_python(iso).total_seconds())
    return next(f"{seconds // size}{unit}" for size, unit in UNITS if seconds % size == 0)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
