"""A YAML document that knows on which line each value stands, so that a complaint can say so."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

Place = tuple[int | str, ...]
"""The path to a value: keys and indexes."""


class ConfigInvalid(Exception):  # noqa: N818 - it says what the configuration is
    """The configuration cannot be used; each complaint says file, line, path and what to do."""

    def __init__(self, *complaints: str) -> None:
        super().__init__("\n".join(complaints))


class Document:
    """One YAML file, read safely: no tags that make objects, no key twice."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: dict[Place, int] = {}
        try:
            root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except OSError as err:
            raise ConfigInvalid(f"{path}: {err.strerror}") from err
        except UnicodeDecodeError as err:
            raise ConfigInvalid(f"{path}: not UTF-8 at byte {err.start}") from err
        except yaml.MarkedYAMLError as err:
            line = err.problem_mark.line + 1 if err.problem_mark else 1
            raise ConfigInvalid(f"{path}:{line}: not YAML: {err.problem}") from err
        self._construct = yaml.constructor.SafeConstructor()
        self.value: Any = self._value(root, ()) if root else {}

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
        self._lines[place] = node.start_mark.line + 1
        match node:
            case yaml.MappingNode():
                return self._mapping(node, place)
            case yaml.SequenceNode():
                return [self._value(each, (*place, n)) for n, each in enumerate(node.value)]
            case _:
                return self._construct.construct_object(node)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[Hashable, Any]:
        found: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            here = (*place, key)
            if key in found:
                self._lines[here] = key_node.start_mark.line + 1
                raise ConfigInvalid(self.complaint(here, "this key is here twice"))
            found[key] = self._value(value_node, here)
            self._lines[here] = key_node.start_mark.line + 1
        return found
