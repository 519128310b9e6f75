"""What the LookML alone says of a run: which explores, derived tables and dashboards it touches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from interlock.connectors.looker.scene import Dashboard, Derived, Doubt, Explore, Tile
from interlock.connectors.looker.wanted import Wanted
from interlock.lookml import Asset, Graph, Impact, Persistence, Why
from interlock.lookml import DerivedTable as LookmlDerived
from interlock.lookml import Explore as LookmlExplore

DOUBTS_MAX = 50  # gaps in the LookML that a plan lists; the last one counts the rest
NAMED = "the run names it"
ANYTHING = "any table may have changed"


@dataclass(frozen=True, slots=True)
class Touched:
    """The parts of a scene that need no Looker. `everything`: all of it, whatever it reads."""

    explores: tuple[Explore, ...]
    derived: tuple[Derived, ...]
    dashboards: tuple[Dashboard, ...]
    doubts: tuple[Doubt, ...]
    everything: bool


def touched(graph: Graph, wanted: Wanted, *, all_if_unknown: bool) -> Touched:
    """What the run touches.

    Args:
        graph: the LookML.
        wanted: what the run names.
        all_if_unknown: touch everything where nothing that it names could be resolved.
    """
    impact = graph.affected(wanted.tables)
    resolved = impact.explores or impact.derived or impact.dashboards
    everything = wanted.everything or bool(
        all_if_unknown and wanted.tables and not resolved and not impact.certain
    )
    marks = _Marks(graph, impact, wanted, everything)
    return Touched(
        explores=tuple(marks.explore(one) for one in graph.explores),
        derived=tuple(marks.derived(one) for one in graph.derived if _is_kept(one)),
        dashboards=tuple(marks.dashboards(graph)),
        doubts=(*_unmapped(wanted), *_strangers(graph, wanted), *_gaps(impact)),
        everything=everything,
    )


class _Marks:
    """Why each thing is affected, or may be."""

    def __init__(self, graph: Graph, impact: Impact, wanted: Wanted, everything: bool) -> None:
        self._wanted = wanted
        self._default = ANYTHING if everything else ""
        self._derived = {one.id: one for one in graph.derived}
        self._why = {
            **{("explore", one.id): _reads(one.why) for one in impact.explores},
            **{("derived", one.id): _reads(one.why) for one in impact.derived},
        }
        self._doubt = {(_kind(one), one.id): _unsure(one.why) for one in impact.possible}
        self._named = self._read_by(one for one in graph.explores if wanted.has_explore(one.id))

    def explore(self, one: LookmlExplore) -> Explore:
        named = NAMED if self._wanted.has_explore(one.id) else ""
        return Explore(
            id=one.id,
            datagroup=f"{one.model}::{one.datagroup}" if one.datagroup else "",
            derived=tuple(self._kept_below(f"{one.model}::{view}" for view in one.views)),
            why=self._why.get(("explore", one.id)) or named or self._default,
            doubt=self._doubt.get(("explore", one.id), ""),
        )

    def derived(self, one: LookmlDerived) -> Derived:
        has_datagroup = one.persistence is Persistence.DATAGROUP
        return Derived(
            id=one.id,
            datagroup=f"{one.model}::{one.trigger}" if has_datagroup else "",
            reads=tuple(self._kept_below(one.reads)),
            why=self._why.get(("derived", one.id)) or self._named.get(one.id, "") or self._default,
            doubt=self._doubt.get(("derived", one.id), ""),
        )

    def dashboards(self, graph: Graph) -> Iterable[Dashboard]:
        tiles: dict[str, list[Tile]] = {}
        for tile in graph.tiles:
            shown = Tile(title=tile.title, explores=tile.explores)
            tiles.setdefault(tile.dashboard, []).append(shown)
        for one in graph.dashboards:
            is_named = one.id in self._wanted.dashboards or one.model in self._wanted.models
            yield Dashboard(
                id=one.id,
                title=one.title,
                tiles=tuple(tiles.get(one.id, ())),
                why=NAMED if is_named else self._default,
                doubt=self._doubt.get(("dashboard", one.id), ""),
            )

    def _kept_below(self, derived: Iterable[str]) -> list[str]:
        """The nearest persistent ones among these and what they read, sorted."""
        kept: set[str] = set()
        seen: set[str] = set()
        pending = [each for each in derived if each in self._derived]
        while pending:
            here = self._derived[pending.pop()]
            if here.id in seen:
                continue
            seen.add(here.id)
            if _is_kept(here):
                kept.add(here.id)
            else:
                pending.extend(here.reads)
        return sorted(kept)

    def _read_by(self, explores: Iterable[LookmlExplore]) -> Mapping[str, str]:
        """Every derived table below explores that the run names, with why."""
        found: dict[str, str] = {}
        for explore in explores:
            pending = [f"{explore.model}::{view}" for view in explore.views]
            while pending:
                here = pending.pop()
                if here in self._derived and here not in found:
                    found[here] = f"explore {explore.id} reads it, and the run names that"
                    pending.extend(self._derived[here].reads)
        return found


def _is_kept(derived: LookmlDerived) -> bool:
    return derived.persistence is not Persistence.NONE


def _kind(asset: Asset) -> str:
    return "derived" if isinstance(asset, LookmlDerived) else type(asset).__name__.lower()


def _reads(why: Why) -> str:
    """The chain as half a sentence: "reads analytics.orders through view orders (file:3)"."""
    first = why[0]
    hops = dict.fromkeys(_hop(edge.to) for edge in why[:-1])
    through = f" through {' and '.join(hops)}" if hops else ""
    return f"reads {first.from_.removeprefix('table ')}{through} ({first.file}:{first.line})"


def _hop(node: str) -> str:
    """A node of a chain for people: `view shop::orders` is "view orders"."""
    kind, _, name = node.partition(" ")
    return f"{'view' if kind == 'fields' else kind} {name.rpartition('::')[2]}"


def _unsure(why: Why) -> str:
    edge = next((edge for edge in why if not edge.confidence.sure), why[0])
    return f"{edge.sentence} ({edge.file}:{edge.line})"


def _unmapped(wanted: Wanted) -> list[Doubt]:
    told = "the target's `assets` do not say which table is behind it"
    return [Doubt(asset=asset, why=told) for asset in wanted.unmapped]


def _strangers(graph: Graph, wanted: Wanted) -> list[Doubt]:
    """What the run names and no project has."""
    models = {each.model for each in graph.explores} | {each.model for each in graph.derived}
    explores = {name for each in graph.explores for name in (each.id, each.name)}
    told = "the run names it, and no project of this target has it"
    return [
        *(Doubt(asset=f"model {n}", why=told) for n in wanted.models if n not in models),
        *(Doubt(asset=f"explore {n}", why=told) for n in wanted.explores if n not in explores),
    ]


def _gaps(impact: Impact) -> list[Doubt]:
    gaps = [
        Doubt(asset=f"{gap.file}:{gap.line}" if gap.file else "tables", why=gap.sentence)
        for gap in impact.incomplete
    ]
    if len(gaps) > DOUBTS_MAX:
        more = len(gaps) - DOUBTS_MAX + 1
        rest = Doubt(asset="LookML", why=f"{more} more places could not be read")
        gaps[DOUBTS_MAX - 1 :] = [rest]
    return gaps
