"""One model: the names that its parts can use, and what was found in it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from interlock.lookml.assets import Asset, Edge
from interlock.lookml.refine import UNRESOLVED, Definitions
from interlock.lookml.source import Gap, Node
from interlock.lookml.sql import Clause, Reading, SqlReader
from interlock.lookml.tables import ANYTHING, Confidence, TableName

_SUBQUERY = re.compile(
    r"SQL_TABLE_NAME|\((?:\s|\{%[^%]*%\}|--[^\n]*\n|/\*[^*]*\*/)*(?:select|with)\b", re.IGNORECASE
)
_TRIGGERS = ("sql_trigger", "sql_trigger_value")


@dataclass(slots=True)
class Findings:
    """What the models of all projects add up to; the graph is made of it."""

    assets: list[Asset] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    tables: dict[str, TableName] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    asked: list[tuple[str, str, Node]] = field(default_factory=list)
    """Explores that tiles ask for, by node, with the tile's node and place."""

    def gap(self, place: Node, sentence: str) -> None:
        """Note what could not be read."""
        self.gaps.append(Gap(place.file, place.line, sentence))

    def edge(self, from_: str, to: str, place: Node, sentence: str) -> None:
        """Note that `to` reads `from_`, because of that parameter."""
        self.edges.append(Edge(from_, to, place.file, place.line, Confidence.EXACT, sentence))

    def table(
        self, name: TableName, to: str, place: Node, confidence: Confidence, sentence: str
    ) -> None:
        """Note that `to` reads a table of the warehouse."""
        from_ = f"table {name}"
        self.tables[from_] = name
        self.edges.append(Edge(from_, to, place.file, place.line, confidence, sentence))

    def unknown(self, to: str, place: Node, sentence: str) -> None:
        """Note that nobody can say what `to` reads: every table is possible."""
        self.gap(place, sentence)
        self.table(ANYTHING, to, place, Confidence.PATTERN, sentence)


@dataclass(slots=True)
class Scope:
    """One model's definitions, and the way to note what they read."""

    model: str
    views: Definitions
    explores: Definitions
    dashboards: Definitions
    fill: Callable[[Node], str]
    sql: SqlReader
    findings: Findings
    persist_with: str = ""
    _wanted: dict[str, None] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)

    def id(self, name: str) -> str:
        """The name among all models."""
        return f"{self.model}::{name}"

    def view(self, name: str, place: Node) -> str:
        """The node of a view that something at `place` reads; it will be read too."""
        node = f"view {self.id(name)}"
        if name not in self._done:
            self._done.add(name)
            if self.views.get(name) is None:
                self.findings.unknown(node, place, f"names view {name}, which is not included")
            else:
                self._wanted[name] = None
        return node

    def fields(self, name: str, place: Node) -> str:
        """The node of what a view's fields read beside its source; the view will be read too."""
        self.view(name, place)
        return f"fields {self.id(name)}"

    def wanted(self) -> list[Node]:
        """The views that something reads and nobody has read yet; the next call gives others."""
        names, self._wanted = list(self._wanted), {}
        return [view for name in names if (view := self.views.get(name))]

    def read_sql(self, place: Node, clause: Clause, view: str = "") -> Reading:
        """What a parameter's SQL reads; `view` is the one whose parameters its Liquid may name."""
        return self.sql.read(self.fill(place), clause, partial(self._allowed, view))

    def note(self, reading: Reading, to: str, place: Node, reader: str) -> None:
        """Note all of what SQL reads. `reader` begins the sentence: "view orders"."""
        for name, confidence in reading.tables.items():
            told = f"{reader} {_HOW[confidence].format(name)} ({place.key})"
            self.findings.table(name, to, place, confidence, told)
        for view in sorted(reading.views):
            told = f"{reader} reads view {view} ({place.key})"
            self.findings.edge(self.view(view, place), to, place, told)
        if reading.problem:
            self.findings.gap(place, f"{reader}: {reading.problem}")

    def subqueries(self, places: Sequence[Node], to: str, reader: str, view: str = "") -> None:
        """Note what the subqueries in expressions read, such as a dimension's or a condition's."""
        for place in places:
            is_sql = place.key.startswith("sql") and place.key not in _TRIGGERS
            if is_sql and _SUBQUERY.search(self.fill(place)):
                self.note(self.read_sql(place, Clause.EXPRESSION, view), to, place, reader)

    def unresolved(self, node: Node, to: str) -> None:
        """Note what a definition lacks because it is not included."""
        for missing in node.all(UNRESOLVED):
            self.findings.table(ANYTHING, to, missing, Confidence.PATTERN, missing.value)

    def _allowed(self, view: str, parameter: str) -> Sequence[str]:
        """The values that a parameter of a view may have; none when any may be."""
        owner, _, name = parameter.rpartition(".")
        definition = self.views.get(owner or view)
        for node in definition.all("parameter") if definition else ():
            if node.name == name:
                return [value.text("value") for value in node.all("allowed_value")]
        return ()


_HOW = {
    Confidence.EXACT: "reads {}",
    Confidence.ENUMERATED: "reads {} or another of a list",
    Confidence.REGEX: "seems to read {}: its SQL does not parse",
    Confidence.PATTERN: "reads a table that is only known as {}",
    Confidence.DEFAULT: "names no table, so Looker reads one called {}",
}
