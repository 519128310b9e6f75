"""The plan of a refresh: which effects a scene calls for, in which order, and what is left alone.

Rule 1: a datagroup is triggered if what hangs on it is not much more than what is affected. Looker
        then drops what it caches, and rebuilds its derived tables in the regenerator's next round.
Rule 2: an affected derived table that no triggered datagroup rebuilds is built by us; never both.
Rule 3: of a dashboard exactly the affected tiles are run past the cache, after all beneath them.
Rule 4: what is affected and out of reach is said, and so is what could not be resolved.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from interlock.connectors.kit import target_resource
from interlock.connectors.looker.config import LookerConfig, OnUnknownTables, RefreshParams
from interlock.connectors.looker.draft import Draft
from interlock.connectors.looker.scene import Dashboard, Derived, Member, Scene, Tile
from interlock.core.delivery import Lease
from interlock.core.event import Json
from interlock.core.plan import Facts, Left, Plan
from interlock.core.step import Rejected, Repeat

LOOKERS_OWN = "system__activity::"  # explores of Looker's own database; no run of anyone fills it
SOURCE_MAX = 250  # characters of a `source`: enough for any run id, and it fits a column of 255


def plan(
    config: LookerConfig, params: RefreshParams, lease: Lease, facts: Facts
) -> Plan | Rejected:
    """What a run comes to. Rejected: nothing was resolved, and the route wants that to be loud."""
    scene = Scene.model_validate(facts)
    draft = Draft(target_resource(lease.delivery.target, config.owner))
    planner = _Planner(scene, draft, source(lease), config.over_invalidation_max)
    planner.doubts()
    planner.datagroups()
    planner.builds()
    planner.dashboards()
    planner.explores()
    is_loud = params.on_unknown_tables is OnUnknownTables.ALERT
    if is_loud and draft.possible and not draft.steps and not scene.has_affected:
        return Rejected(_unresolved(scene, draft.possible))
    return draft.plan


def source(lease: Lease) -> str:
    """What Looker shows as the origin of our work: `airflow:load_orders/manual__2026-01-01`."""
    event, data = lease.event, lease.event.data
    system = "airflow" if event.source.startswith("airflow://") else lease.handoff.source
    run = data.get("run_id") if isinstance(data, dict) else None
    parts = [event.subject, run if isinstance(run, str) else event.id]
    return f"{system}:{'/'.join(part for part in parts if part)}"[:SOURCE_MAX]


def _unresolved(scene: Scene, possible: list[Left]) -> str:
    first, more = possible[0], len(possible) - 1
    rest = f", and {more} more" if more else ""
    return (
        f"nothing that {scene.cause} affects was found, and not all could be resolved: "
        f"{first.asset}: {first.why}{rest}. Mend that, or set on_unknown_tables"
    )


@dataclass(slots=True)
class _Planner:
    """Writes a scene's draft; its methods are called once each, in the order of the steps."""

    scene: Scene
    draft: Draft
    source: str
    over_invalidation_max: float
    _shown: set[str] = field(default_factory=set[str])
    _obstacles: dict[str, str] = field(default_factory=dict[str, str])

    def doubts(self) -> None:
        """Say what could not be resolved: first the causes."""
        self.draft.possible += [Left(asset=each.asset, why=each.why) for each in self.scene.doubts]
        for each in self.scene.derived:
            if each.doubt and not each.why:
                self.draft.doubt("DerivedTable", each.id, each.doubt)

    def datagroups(self) -> None:
        """Trigger those of whose members a good part is affected."""
        members: dict[str, list[Member]] = defaultdict(list)
        for each in (*self.scene.explores, *self.scene.derived):
            if each.datagroup:
                members[each.datagroup].append(each)
        for name, hanging in sorted(members.items()):
            if hit := [each for each in hanging if each.why]:
                self._datagroup(name, hit, len(hanging))

    def _datagroup(self, name: str, hit: list[Member], hanging: int) -> None:
        if obstacle := self._obstacle(name, len(hit), hanging):
            self._obstacles[name] = obstacle
            self.draft.leave("Datagroup", name, obstacle)
            return
        call: dict[str, Json] = {
            "datagroup": self.scene.datagroups[name],
            "triggered_at": self.scene.at,
        }
        first, rest = hit[0], [each.id for each in hit[1:]]
        told = f"{len(hit)} of {hanging} that hang on it are affected: {first.id} {first.why}"
        also = f"; also {', '.join(rest)}" if rest else ""
        kept = [each.id for each in hit if isinstance(each, Derived)]
        later = f"; its regenerator rebuilds {', '.join(kept)} in its next round" if kept else ""
        self.draft.step("datagroup", name, call, f"{told}{also}{later}")

    def _obstacle(self, name: str, hit: int, hanging: int) -> str:
        """Why a datagroup is not triggered; empty: it is."""
        ratio = hanging / hit
        if name not in self.scene.datagroups:
            return "Looker has no datagroup of that name"
        if ratio > self.over_invalidation_max:
            return (
                f"{hit} of {hanging} that hang on it are affected: a trigger would invalidate "
                f"{ratio:.1f} times as much as needed, over the limit of "
                f"{self.over_invalidation_max:g} (over_invalidation_max)"
            )
        return ""

    def builds(self) -> None:
        """Build the derived tables that no datagroup rebuilds, each after those that it reads."""
        ours = {
            each.id: each for each in self.scene.derived if each.why and not self._trigger(each)
        }
        for each in _in_order(ours):
            model, _, view = each.id.partition("::")
            call: dict[str, Json] = {"model": model, "view": view, "source": self.source}
            # A second start builds a second time, at a price; and the only way to ask for a build
            # is the id in the answer that was lost.
            self.draft.step(
                "pdt",
                each.id,
                call,
                each.why,
                after=self._beneath(each.reads),
                repeat=Repeat.HARMFUL,
            )

    def dashboards(self) -> None:
        """Run the affected tiles of each dashboard."""
        for dashboard in self.scene.dashboards:
            hit = [tile for tile in dashboard.tiles if dashboard.why or self._why(tile)]
            if runs := [tile for tile in hit if tile.query]:
                self._dashboard(dashboard, runs)
            for tile in hit:
                if not tile.query:
                    told = f"tile {tile.title} is affected and cannot be run: {tile.obstacle}"
                    self.draft.leave("Dashboard", dashboard.id, told)
            doubts = [] if dashboard.why else self._doubts(dashboard)
            for doubt in doubts:
                self.draft.doubt("Dashboard", dashboard.id, doubt)
            if not hit and not doubts:
                self.draft.leave("Dashboard", dashboard.id, self.scene.unread)

    def _dashboard(self, dashboard: Dashboard, runs: list[Tile]) -> None:
        queries: dict[str, Json] = {tile.query: tile.title for tile in runs}
        call: dict[str, Json] = {
            "dashboard": dashboard.id,
            "queries": queries,
            "source": self.source,
        }
        asked = [name for tile in runs for name in tile.explores]
        explores = [each for name in asked if (each := self.scene.explore(name))]
        self._shown |= {each.id for each in explores}
        first, explore = runs[0].title, runs[0].explores[0]
        told = f"{len(runs)} of {len(dashboard.tiles)} tiles affected: {first} asks explore"
        self.draft.step(
            "dashboard",
            dashboard.id,
            call,
            dashboard.why or f"{told} {explore}, which {self._why(runs[0])}",
            after=[
                key
                for each in explores
                for key in (self._trigger(each), *self._beneath(each.derived))
            ],
        )

    def _doubts(self, dashboard: Dashboard) -> list[str]:
        """Why a dashboard, or a tile that is not surely affected, may be."""
        if dashboard.doubt:
            return [dashboard.doubt]
        doubts = []
        for tile in dashboard.tiles:
            for name in () if self._why(tile) else tile.explores:
                explore = self.scene.explore(name)
                doubt = explore.doubt if explore else "no project of this target has it"
                if doubt and not name.startswith(LOOKERS_OWN):
                    doubts.append(f"tile {tile.title} asks explore {name}: {doubt}")
        return doubts

    def explores(self) -> None:
        """Say why an explore is left alone, and which are affected and out of reach."""
        for each in self.scene.explores:
            if each.why:
                if not self._trigger(each) and each.id not in self._shown:
                    group = each.datagroup
                    obstacle = f"{group}: {self._obstacles[group]}" if group else "no datagroup"
                    told = f"{each.why}, out of reach: no dashboard asks it, and {obstacle}"
                    self.draft.leave("Explore", each.id, told)
            elif each.doubt:
                self.draft.doubt("Explore", each.id, each.doubt)
            else:
                self.draft.leave("Explore", each.id, self.scene.unread)

    def _why(self, tile: Tile) -> str:
        """Why a tile is affected; empty: it is not, as far as we know."""
        explores = (self.scene.explore(name) for name in tile.explores)
        return next((each.why for each in explores if each and each.why), "")

    def _trigger(self, member: Member) -> str:
        """The key of the step that triggers its datagroup; empty: none does."""
        key = f"datagroup:{member.datagroup}"
        return key if key in self.draft.steps else ""

    def _beneath(self, derived: Iterable[str]) -> list[str]:
        """The keys of the steps that renew these derived tables."""
        known = [each for name in derived if (each := self.scene.derived_table(name))]
        return [self._trigger(each) or f"pdt:{each.id}" for each in known if each.why]


def _in_order(wanted: Mapping[str, Derived]) -> list[Derived]:
    """Each after those of the others that it reads; a circle, which Looker refuses, is cut."""
    waiting = dict(sorted(wanted.items()))
    ordered: list[Derived] = []
    while waiting:
        free = [each for each in waiting.values() if waiting.keys().isdisjoint(each.reads)]
        ordered += [waiting.pop(each.id) for each in free or [next(iter(waiting.values()))]]
    return ordered
