"""Who reads what in a Looker instance, and what a change of tables therefore affects.

Edges point the way data flows: table -> view -> explore -> tile -> dashboard.
Rule 1: what an unbroken chain of sure edges leads to is affected.
Rule 2: what an unsure edge leads to is possibly affected, never left out.
Rule 3: while something could not be read, nothing is certainly unaffected.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from interlock.lookml.assets import (
    Asset,
    Dashboard,
    Datagroup,
    DerivedTable,
    Edge,
    Explore,
    Tile,
    Why,
    node_of,
)
from interlock.lookml.source import Gap
from interlock.lookml.tables import Confidence, TableName, weakest

AnyAsset = TypeVar("AnyAsset", bound=Asset)


@dataclass(frozen=True, slots=True)
class Source:
    """A table that an explore reads; `why` leads from the table to the explore."""

    table: str
    confidence: Confidence
    why: Why = field(compare=False)


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change of tables affects. Every asset says `why`.

    `possible` is possibly affected: an unsure name stands in its chain. `incomplete` is what the
    graph could not read at all.
    """

    explores: tuple[Explore, ...]
    dashboards: tuple[Dashboard, ...]
    tiles: tuple[Tile, ...]
    derived: tuple[DerivedTable, ...]
    datagroups: tuple[Datagroup, ...]
    possible: tuple[Asset, ...]
    incomplete: tuple[Gap, ...]

    @property
    def certain(self) -> bool:
        """Whether everything else is surely not affected."""
        return not self.possible and not self.incomplete


class Graph:
    """Every explore, dashboard, tile, derived table and datagroup, and who reads what.

    `incomplete` lists what could not be read. Nothing changes it; it may be shared.
    """

    def __init__(
        self,
        assets: Iterable[Asset],
        edges: Iterable[Edge],
        tables: Mapping[str, TableName],
        incomplete: Iterable[Gap],
    ) -> None:
        self._readers: dict[str, list[Edge]] = defaultdict(list)
        self._reads: dict[str, list[Edge]] = defaultdict(list)
        for edge in sorted(set(edges)):
            self._readers[edge.from_].append(edge)
            self._reads[edge.to].append(edge)
        self._tables = tables
        self._families: dict[str, list[str]] = defaultdict(list)
        for node, name in sorted(tables.items()):
            self._families["*" if name.is_pattern else name.family].append(node)
        everything = sorted(set(assets), key=lambda asset: (asset.id, node_of(asset)))
        self.explores = _only(Explore, everything)
        self.dashboards = _only(Dashboard, everything)
        self.tiles = _only(Tile, everything)
        self.datagroups = _only(Datagroup, everything)
        derived = _only(DerivedTable, everything)
        nodes = {node_of(one): one.id for one in derived}
        self.derived = tuple(self._with_sources(one, nodes) for one in derived)
        self.incomplete = tuple(sorted(set(incomplete)))

    def affected(self, tables: Iterable[str]) -> Impact:
        """What a change of these tables affects.

        Names match whatever their case, quotes, partition or date shard; a side that lacks the
        project matches any project. A text that is no table's name makes the answer incomplete.
        """
        first: list[Edge] = []
        gaps: list[Gap] = []
        for text in sorted(set(tables)):
            name = TableName.parse(text)
            if name:
                first.extend(self._edges_from(name))
            else:
                gaps.append(Gap("", 0, f"{text!r} is not the name of a table"))
        sure = self._spread({}, [edge for edge in first if edge.confidence.sure])
        possible = self._spread(dict(sure), first)
        return Impact(
            explores=_reached(self.explores, sure),
            dashboards=_reached(self.dashboards, sure),
            tiles=_reached(self.tiles, sure),
            derived=_reached(self.derived, sure),
            datagroups=_reached(self.datagroups, sure),
            possible=tuple(
                asset
                for kind in (self.explores, self.dashboards, self.tiles, self.derived)
                for asset in _reached(kind, possible)
                if node_of(asset) not in sure
            ),
            incomplete=(*gaps, *self.incomplete),
        )

    def sources(self, explore: Explore) -> tuple[Source, ...]:
        """The tables that an explore reads, each by its surest and shortest chain."""
        found: dict[str, Source] = {}
        for chain in self._chains_to(node_of(explore)):
            table = str(self._tables[chain[0].from_])
            confidence = weakest(*(edge.confidence for edge in chain))
            known = found.get(table)
            if known is None or weakest(known.confidence, confidence) != confidence:
                found[table] = Source(table, confidence, chain)
        return tuple(found[table] for table in sorted(found))

    def _edges_from(self, changed: TableName) -> Iterator[Edge]:
        """The first edges of the chains that lead away from a changed table."""
        for node in self._candidates(changed):
            match = changed.match(self._tables[node])
            if match is None:
                continue
            for edge in self._readers[node]:
                told = replace(edge, from_=f"table {changed}")
                told = replace(told, confidence=weakest(match, edge.confidence))
                yield edge if edge.from_ == told.from_ else told

    def _candidates(self, changed: TableName) -> Iterable[str]:
        if changed.is_pattern:
            return self._tables
        return (*self._families.get(changed.family, ()), *self._families.get("*", ()))

    def _spread(self, reached: dict[str, Edge], first: Iterable[Edge]) -> dict[str, Edge]:
        """Add every node that the first edges lead to, with the edge by which it was reached."""
        pending = deque(first)
        while pending:
            edge = pending.popleft()
            if edge.to not in reached:
                reached[edge.to] = edge
                pending.extend(self._readers.get(edge.to, ()))
        return reached

    def _chains_to(self, node: str) -> Iterator[Why]:
        """The chains from tables to a node, the shortest first; each node is passed once."""
        chains: dict[str, Why] = {node: ()}
        pending = deque([node])
        while pending:
            here = pending.popleft()
            for edge in self._reads.get(here, ()):
                chain = (edge, *chains[here])
                if edge.from_ in self._tables:
                    yield chain
                elif edge.from_ not in chains:
                    chains[edge.from_] = chain
                    pending.append(edge.from_)

    def _with_sources(self, derived: DerivedTable, nodes: Mapping[str, str]) -> DerivedTable:
        """The derived table with what it reads, up to the next derived tables."""
        start = node_of(derived)
        tables, reads, seen, pending = set(), set(), {start}, [start]
        while pending:
            for edge in self._reads.get(pending.pop(), ()):
                if edge.from_ in self._tables:
                    tables.add(str(self._tables[edge.from_]))
                elif edge.from_ in nodes:
                    reads.add(nodes[edge.from_])
                elif edge.from_ not in seen:
                    seen.add(edge.from_)
                    pending.append(edge.from_)
        reads.discard(derived.id)  # a native one may read an explore that joins it
        return replace(derived, tables=tuple(sorted(tables)), reads=tuple(sorted(reads)))


def _only(kind: type[AnyAsset], assets: Iterable[Asset]) -> tuple[AnyAsset, ...]:
    return tuple(asset for asset in assets if isinstance(asset, kind))


def _reached(assets: Iterable[AnyAsset], edges: Mapping[str, Edge]) -> tuple[AnyAsset, ...]:
    """Those assets that have been reached, each with the chain that led there."""
    return tuple(
        replace(asset, why=_chain(node_of(asset), edges))
        for asset in assets
        if node_of(asset) in edges
    )


def _chain(node: str, edges: Mapping[str, Edge]) -> Why:
    chain: list[Edge] = []
    while edge := edges.get(node):
        chain.append(edge)
        node = edge.from_
    return tuple(reversed(chain))
