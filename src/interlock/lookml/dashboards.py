"""LookML dashboards: their files (YAML) as the same nodes as the rest, and what their tiles ask."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import yaml
from yaml.events import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from interlock.lookml.assets import Dashboard, Tile, node_of
from interlock.lookml.scope import Scope
from interlock.lookml.source import LookmlError, Node, decode

DEPTH_MAX = 60
"""Levels of nesting. Dashboards have about eight; the limit is for hostile files."""

# The C parser is ten times faster. We take its events, never its trees: to compose one of a deeply
# nested file overflows the C stack, and tags such as `!ruby/hash:...` need no constructor here.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(data: bytes, file: str) -> tuple[Node, ...]:
    """The dashboards of a file: nodes `dashboard` with a child `element` for each tile.

    Raises:
        LookmlError: the file is no YAML, holds no list of dashboards, or uses YAML aliases.
    """
    text = decode(data)
    try:
        root = _tree(yaml.parse(text, Loader=_LOADER), file)
    except LookmlError:
        raise
    except Exception as error:  # PyYAML raises ValueError and others beside its own
        reason = " ".join(str(error).split())
        raise LookmlError(f"does not parse as YAML: {reason}") from error
    items = root.children if root.value == "" and not root.text("dashboard") else (root,)
    if not all(item.text("dashboard") for item in items):
        raise LookmlError("holds something that is not `- dashboard: name`")
    return tuple(_dashboard(item) for item in items)


def _dashboard(item: Node) -> Node:
    rest = tuple(child for child in item.children if child.key not in ("dashboard", "elements"))
    elements = [element for group in item.all("elements") for element in group.children]
    named: dict[str, Node] = {}
    for number, element in enumerate(elements, 1):
        name = element.text("name") or element.text("title") or f"element {number}"
        if name in named:  # Looker warns of it and shows both
            name = f"{name} ({number})"
        named[name] = replace(element, key="element", name=name)
    children = (*rest, *named.values())
    return replace(item, key="dashboard", name=item.text("dashboard"), children=children)


@dataclass(slots=True)
class _Frame:
    """A mapping or sequence that is still open. In a mapping, `key` waits for its value."""

    node: Node
    is_mapping: bool
    children: list[Node] = field(default_factory=list)
    key: Node | None = None


def _tree(events: Iterable[Event], file: str) -> Node:
    frames = [_Frame(Node("", file, 1), is_mapping=False)]
    for event in events:
        match event:
            case ScalarEvent(value=value):
                _scalar(frames[-1], Node("", file, _line(event), value=value))
            case MappingStartEvent() | SequenceStartEvent():
                if len(frames) > DEPTH_MAX:
                    raise LookmlError(f"nests deeper than {DEPTH_MAX} levels")
                place = frames[-1].key or Node("", file, _line(event))
                frames.append(_Frame(place, isinstance(event, MappingStartEvent)))
            case MappingEndEvent() | SequenceEndEvent():
                closed = frames.pop()
                _add(frames[-1], replace(closed.node, children=tuple(closed.children)))
            case AliasEvent():
                line = _line(event)
                raise LookmlError(f"uses a YAML alias on line {line}: write its content out")
            case _:
                pass  # the start and end of stream and document
    return next(iter(frames[0].children), Node("", file, 1))


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _scalar(frame: _Frame, node: Node) -> None:
    if frame.is_mapping and frame.key is None:
        frame.key = replace(node, key=node.value, value="")
    else:
        key = frame.key or replace(node, value="")
        _add(frame, replace(key, value=node.value))


def _add(frame: _Frame, node: Node) -> None:
    frame.children.append(node)
    frame.key = None


def note(scope: Scope, dashboard: Node) -> None:
    """Note a dashboard of a model, its tiles, and the explores that they ask."""
    title = dashboard.text("title") or dashboard.name
    asset = Dashboard(scope.model, dashboard.name, title, dashboard.file, dashboard.line)
    scope.findings.assets.append(asset)
    scope.unresolved(dashboard, node_of(asset))
    for element in dashboard.all("element"):
        _note_tile(scope, asset, element)


def _note_tile(scope: Scope, dashboard: Dashboard, element: Node) -> None:
    # A tile asks one explore; a merged result has several below `merged_queries`.
    queries = [node for node in element.walk() if node.text("explore")]
    asked = dict.fromkeys(_explore(scope, query) for query in queries)
    if not asked:
        return  # a text or a button
    title = element.text("title") or element.name
    tile = Tile(dashboard.id, element.name, title, tuple(asked), element.file, element.line)
    scope.findings.assets.append(tile)
    for query in queries:
        place = query.last("explore") or query
        scope.findings.asked.append((_explore(scope, query), node_of(tile), place))
    told = f"dashboard {dashboard.title} shows tile {title}"
    scope.findings.edge(node_of(tile), node_of(dashboard), element, told)


def _explore(scope: Scope, query: Node) -> str:
    """The id of the explore; a tile that names no model asks the one that includes its file."""
    names = [query.last("model"), query.last("explore")]
    model, explore = (scope.fill(node) if node else "" for node in names)
    return f"{model or scope.model}::{explore}"
