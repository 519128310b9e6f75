"""The constants of a project's manifest, and their use in its files."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from interlock.lookml.liquid import HOLE
from interlock.lookml.source import Node

_CONSTANT = re.compile(r"@\{\s*(\w+)\s*\}")
_DEPENDENCIES = ("local_dependency", "remote_dependency")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a `manifest.lkml` says. `overrides` are by the name of the imported project."""

    project: str
    constants: Mapping[str, str]
    overrides: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, nodes: Iterable[Node], folder: str) -> "Manifest":
        """Read a manifest; a project without a name is called like its folder."""
        top = Node("manifest", "", 0, children=tuple(nodes))
        constants = {node.name: node.text("value") for node in top.all("constant")}
        overrides = {
            node.name or node.text("project"): {
                constant.name: constant.text("value") for constant in node.all("override_constant")
            }
            for key in _DEPENDENCIES
            for node in top.all(key)
        }
        return cls(top.text("project_name") or folder, constants, overrides)


@dataclass(frozen=True, slots=True)
class Constants:
    """The constants as one project sees them: its own, and those of its imports as it sets them."""

    own: Manifest
    manifests: Mapping[str, Manifest]
    project_of: Mapping[str, str]
    report: Callable[[Node, str], None]

    def fill(self, node: Node) -> str:
        """The value of a node with its constants put in; a constant nobody defines is a `HOLE`."""
        if "@{" not in node.value:
            return node.value
        project = self.project_of[node.file]
        values = {**self.manifests[project].constants, **self.own.overrides.get(project, {})}

        def value(found: re.Match[str]) -> str:
            name = found.group(1)
            if name not in values:
                self.report(node, f"uses the constant {name}, which no manifest here defines")
            return values.get(name, HOLE)

        return _CONSTANT.sub(value, node.value)
