"""A YAML document that knows on which line each value stands, so that a complaint can say so."""

from collections.abc import Hashable
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from interlock.adapters.strict_json import INTEGER_MAX

Place = tuple[int | str, ...]
"""The path to a value: keys and indexes."""

_TAG = "tag:yaml.org,2002:"
_TAGS = frozenset(
    _TAG + kind for kind in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")
)


class ConfigInvalid(Exception):  # noqa: N818 - it says what the configuration is
    """The configuration cannot be used; each complaint says file, line, path and what to do."""

    def __init__(self, *complaints: str) -> None:
        super().__init__("\n".join(complaints))


class Document:
    """One YAML file, read safely: plain values only, no key twice, nothing by alias."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: dict[Place, int] = {}
        self._seen: set[int] = set()
        self._construct = yaml.constructor.SafeConstructor()
        try:
            root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
            self.value: Any = self._value(root, ()) if root else {}
        except OSError as err:
            raise ConfigInvalid(f"{path}: {err.strerror}") from err
        except UnicodeDecodeError as err:
            raise ConfigInvalid(f"{path}: not UTF-8 at byte {err.start}") from err
        except yaml.MarkedYAMLError as err:
            line = err.problem_mark.line + 1 if err.problem_mark else 1
            raise ConfigInvalid(f"{path}:{line}: not YAML: {err.problem}") from err
        except yaml.reader.ReaderError as err:
            message = f"not YAML at character {err.position}: {err.reason}"
            raise ConfigInvalid(f"{path}: {message}") from err
        except RecursionError as err:
            raise ConfigInvalid(f"{path}: nested deeper than any configuration") from err

    def line(self, place: Place) -> int:
        """The line of the value at `place`, or of the nearest one around it."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)

    def complaint(self, place: Place, message: str) -> str:
        """`file:line: path: message`."""
        path = ".".join(map(str, place)) or "(document)"
        return f"{self.path}:{self.line(place)}: {path}: {message}"

    def _value(self, node: yaml.Node, place: Place) -> Any:  # noqa: ANN401 - whatever YAML can say
        if id(node) in self._seen:  # it may hold itself, or a thousand million copies of another
            raise self._refused(place, "aliases are not read here: write the content out")
        self._seen.add(id(node))
        self._lines.setdefault(place, node.start_mark.line + 1)
        if node.tag not in _TAGS:
            tag = node.tag.replace(_TAG, "!!")
            raise self._refused(place, f"the tag {tag} is not read here: write a plain value")
        match node:
            case yaml.MappingNode():
                return self._mapping(node, place)
            case yaml.SequenceNode():
                return [self._value(each, (*place, n)) for n, each in enumerate(node.value)]
            case _:
                return self._scalar(node, place)

    def _scalar(self, node: yaml.Node, place: Place) -> Any:  # noqa: ANN401 - whatever YAML can say
        try:
            found = self._construct.construct_object(node)
        except ValueError as err:
            kind = node.tag.removeprefix(_TAG)
            raise self._refused(place, f"it looks like a {kind} and is none: quote it") from err
        if isinstance(found, int) and abs(found) > INTEGER_MAX:
            raise self._refused(place, "an integer is beyond 2^53 - 1: quote it")
        if isinstance(found, float) and not isfinite(found):
            raise self._refused(place, "a number is finite here")
        return found

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[Hashable, Any]:
        found: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._refused(place, "a key is a text")
            self._seen.add(id(key_node))
            key = key_node.value
            here = (*place, key)
            self._lines[here] = key_node.start_mark.line + 1
            if key in found:
                raise self._refused(here, "this key is here twice")
            found[key] = self._value(value_node, here)
        return found

    def _refused(self, place: Place, message: str) -> ConfigInvalid:
        return ConfigInvalid(self.complaint(place, message))
