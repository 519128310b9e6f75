"""The definitions of one kind in a model, layered as Looker layers them.

Definition, then its refinements in the order of inclusion, on top of everything it extends.
Rule 1: of a parameter set twice the later counts, and points at its own file and line.
Rule 2: of two definitions with one name we do not know which Looker takes: both sources count.
Rule 3: what cannot be found leaves an `UNRESOLVED` child, so that nobody takes the rest for all.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import reduce

from lkml.keys import PLURAL_KEYS

from interlock.lookml.source import Node

UNRESOLVED = "unresolved"
"""The key of a child that says, as its value, what is missing."""

EXTENDS_MAX = 50
"""Views extended one by the other. People stop at five; the limit is for hostile files."""

Report = Callable[[Node, str], None]
"""Takes the place and the sentence of a gap."""

_REPEATED = frozenset({*PLURAL_KEYS, UNRESOLVED, "element"})
_SOURCES = frozenset({"sql_table_name", "sql", "sql_create", "explore_source"})
_NOT_INHERITED = frozenset({"extends", "extension"})


class Definitions:
    """The views, explores or dashboards of one model, by name."""

    def __init__(self, kind: str, nodes: Iterable[Node], report: Report) -> None:
        self.kind = kind
        self._report = report
        self._defined: dict[str, list[Node]] = {}
        self._refined: dict[str, list[Node]] = {}
        self._resolved: dict[str, Node | None] = {}
        self._resolving: list[str] = []
        for node in nodes:
            if not node.name.strip("+"):
                report(node, f"is a {kind} without a name")
                continue
            layers = self._refined if node.name.startswith("+") else self._defined
            layers.setdefault(node.name.removeprefix("+"), []).append(node)
        for name in self._refined.keys() - self._defined.keys():
            report(self._refined[name][0], f"refines {kind} {name}, which is not included")

    def all(self) -> list[Node]:
        """Everything that people can use: what only serves as an extension is left out."""
        nodes = (self.get(name) for name in {**self._defined, **self._refined})
        return [node for node in nodes if node and node.text("extension") != "required"]

    def get(self, name: str) -> Node | None:
        """The definition with all its layers, or None if the model has none of that name."""
        if name not in self._resolved:
            self._resolving.append(name)
            self._resolved[name] = self._resolve(name)
            self._resolving.pop()
        return self._resolved[name]

    def _resolve(self, name: str) -> Node | None:
        own = self._own(name)
        if own is None:
            return None
        extended = list(dict.fromkeys(own.listed("extends")))
        if not extended:
            return own
        layers = [self._parent(parent, own) for parent in extended]
        merged = reduce(overlay, [*layers, own])
        return replace(own, children=merged.children)

    def _own(self, name: str) -> Node | None:
        defined, refined = self._defined.get(name, []), self._refined.get(name, [])
        if defined:
            base = reduce(_alongside, defined)
            return reduce(overlay, refined, base)
        if refined:
            base = replace(refined[0], name=name)
            return reduce(overlay, refined[1:], self._lacking(base, "what it refines"))
        return None

    def _parent(self, name: str, child: Node) -> Node:
        if name in self._resolving or len(self._resolving) > EXTENDS_MAX:
            self._report(child, f"{self.kind} {child.name} extends {name} in a circle")
            return self._lacking(replace(child, children=()), f"{self.kind} {name}")
        parent = self.get(name)
        if parent is None:
            self._report(child, f"{self.kind} {child.name} extends {name}, which is not included")
            return self._lacking(replace(child, children=()), f"{self.kind} {name}")
        kept = tuple(node for node in parent.children if node.key not in _NOT_INHERITED)
        return replace(parent, children=kept)

    def _lacking(self, node: Node, what: str) -> Node:
        sentence = f"{self.kind} {node.name} lacks {what}"
        missing = Node(UNRESOLVED, node.file, node.line, value=sentence)
        return replace(node, children=(*node.children, missing))


def overlay(base: Node, over: Node) -> Node:
    """The base with everything that `over` sets. `${EXTENDED}` is the value below."""
    return _merge(base, over, frozenset())


def _alongside(one: Node, other: Node) -> Node:
    """Both definitions of one name; neither hides the other's source."""
    return _merge(one, other, _SOURCES)


def _merge(base: Node, over: Node, kept: frozenset[str]) -> Node:
    children: dict[tuple[str, str, int], Node] = {}
    for node in base.children:
        slot = _slot(node, len(children))
        children[slot if slot not in children else (*slot[:2], len(children))] = node
    for node in over.children:
        slot = _slot(node, len(children))
        if slot not in children:
            children[slot] = node
        elif node.key in kept:
            children[*slot[:2], len(children)] = node
        else:
            children[slot] = _over(children[slot], node, kept)
    return replace(base, children=tuple(children.values()))


def _slot(node: Node, unique: int) -> tuple[str, str, int]:
    """Two nodes with one slot are one parameter; what LookML repeats without a name never is."""
    if node.key not in _REPEATED:
        return node.key, "", -1
    return (node.key, node.name, -1) if node.name else (node.key, "", unique)


def _over(old: Node, new: Node, kept: frozenset[str]) -> Node:
    is_list = any(child.key == "" for child in (*old.children, *new.children))
    if old.children and new.children and old.name == new.name and not is_list:
        return _merge(old, new, kept)
    return replace(new, value=new.value.replace("${EXTENDED}", old.value))
