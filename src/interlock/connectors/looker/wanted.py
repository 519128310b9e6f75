"""What a run wants refreshed, in its own words: not yet what that comes to."""

from collections.abc import Mapping
from dataclasses import dataclass

from interlock.connectors.looker.config import LookerConfig, OnUnknownTables, RefreshParams
from interlock.core.step import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a run names.

    Attributes:
        everything: it names nothing, and the route wants all refreshed then.
        unmapped: assets whose tables nobody has told us.
    """

    tables: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    explores: tuple[str, ...] = ()
    dashboards: tuple[str, ...] = ()
    unmapped: tuple[str, ...] = ()
    everything: bool = False

    @property
    def cause(self) -> str:
        """What was changed, for people."""
        named = (*self.tables, *self.models, *self.explores, *self.dashboards)
        return ", ".join(named) or "any table"

    @property
    def unread(self) -> str:
        """Why something is not affected."""
        if self.tables:
            return f"reads none of {', '.join(self.tables)}"
        named = self.models or self.explores or self.dashboards
        return "the run does not name it" if named else "the run names no tables"

    def has_explore(self, explore: str) -> bool:
        """Whether it names that explore (`model::explore`), in any of the ways to name one."""
        model, _, name = explore.partition("::")
        return explore in self.explores or name in self.explores or model in self.models


def wanted(config: LookerConfig, params: RefreshParams) -> Wanted | Rejected:
    """What the run names. Rejected where it names nothing and the route wants that to be loud."""
    tables, unmapped = params.tables or (), tuple[str, ...]()
    if not tables:
        tables, unmapped = _behind(config.assets, params.assets or ())
    found = Wanted(
        tables=tuple(dict.fromkeys(tables)),
        models=params.models or (),
        explores=params.explores or (),
        dashboards=params.dashboards or (),
        unmapped=unmapped,
    )
    if found.tables or found.models or found.explores or found.dashboards:
        return found
    match params.on_unknown_tables:
        case OnUnknownTables.ALERT:
            return Rejected(_unnamed(unmapped))
        case OnUnknownTables.REFRESH_ALL:
            return Wanted(everything=True, unmapped=unmapped)
        case OnUnknownTables.IGNORE:
            return found


def _behind(
    known: Mapping[str, str], assets: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tables behind the assets, and the assets behind which we know none."""
    tables = {asset: _table(known, asset) for asset in assets}
    return (
        tuple(table for table in tables.values() if table),
        tuple(asset for asset, table in tables.items() if not table),
    )


def _table(known: Mapping[str, str], asset: str) -> str:
    """The table of the longest URI that `asset` is, or lies below."""
    fits = [uri for uri in known if asset == uri or asset.startswith(f"{uri.rstrip('/')}/")]
    return known[max(fits, key=len)] if fits else ""


def _unnamed(unmapped: tuple[str, ...]) -> str:
    if unmapped:
        said = ", ".join(unmapped)
        return f"nobody knows the tables behind {said}: name them in the target's `assets`"
    return (
        "the run names no tables: let the DAG name them (`tables`), or say on the route what to do"
        " then (`on_unknown_tables: refresh_all` or `ignore`)"
    )
