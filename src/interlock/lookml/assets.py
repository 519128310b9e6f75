"""The things in a Looker instance that can be stale, and the edges between them."""

from dataclasses import dataclass, field
from enum import StrEnum

from interlock.lookml.tables import Confidence


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """`to` reads `from_`, because of what stands at `file`:`line`."""

    from_: str
    to: str
    file: str
    line: int
    confidence: Confidence
    sentence: str


Why = tuple[Edge, ...]
"""The chain that leads from a changed table to an affected asset, the table's edge first."""


@dataclass(frozen=True, slots=True)
class Explore:
    """An explore of a model. `datagroup` is the one that caches it, or empty.

    `views` are the names of the views it is built on, its base first.
    """

    model: str
    name: str
    label: str
    datagroup: str
    views: tuple[str, ...]
    file: str
    line: int
    why: Why = field(default=(), compare=False)

    @property
    def id(self) -> str:
        """Its name among all models."""
        return f"{self.model}::{self.name}"


class Persistence(StrEnum):
    """What makes Looker build a derived table anew. NONE: it is part of each query."""

    DATAGROUP = "datagroup"
    SQL_TRIGGER = "sql_trigger"
    INTERVAL = "interval"
    PERSIST_FOR = "persist_for"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class DerivedTable:
    """A view that is a query. `trigger` is the value that its persistence goes by.

    `tables` are the warehouse's tables and `reads` the ids of the derived tables that it reads,
    through explores and other views, but not through another derived table.
    """

    model: str
    view: str
    persistence: Persistence
    trigger: str
    file: str
    line: int
    tables: tuple[str, ...] = field(default=(), compare=False)
    reads: tuple[str, ...] = field(default=(), compare=False)
    why: Why = field(default=(), compare=False)

    @property
    def id(self) -> str:
        """Its name among all models."""
        return f"{self.model}::{self.view}"


@dataclass(frozen=True, slots=True)
class Datagroup:
    """A caching policy of a model."""

    model: str
    name: str
    file: str
    line: int
    why: Why = field(default=(), compare=False)

    @property
    def id(self) -> str:
        """Its id in Looker's API."""
        return f"{self.model}::{self.name}"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A LookML dashboard, as one of the models that include it shows it."""

    model: str
    name: str
    title: str
    file: str
    line: int
    why: Why = field(default=(), compare=False)

    @property
    def id(self) -> str:
        """Its id in Looker's API."""
        return f"{self.model}::{self.name}"


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile that asks explores, by id (`model::explore`); a merged result asks several."""

    dashboard: str
    name: str
    title: str
    explores: tuple[str, ...]
    file: str
    line: int
    why: Why = field(default=(), compare=False)

    @property
    def id(self) -> str:
        """Its name among all dashboards."""
        return f"{self.dashboard}/{self.name}"


Asset = Explore | DerivedTable | Datagroup | Dashboard | Tile


def node_of(asset: Asset) -> str:
    """What the edges call an asset."""
    match asset:
        case DerivedTable():
            return f"view {asset.id}"
        case _:
            return f"{type(asset).__name__.lower()} {asset.id}"
