"""LookML projects, and what a change of a table affects in them.

    graph = Project.load([Path("lookml")])
    impact = graph.affected(["analytics.orders"])

Pure: files in, values out. Nothing is asked of a Looker or of a warehouse.
"""

from interlock.lookml.assets import (
    Asset,
    Dashboard,
    Datagroup,
    DerivedTable,
    Edge,
    Explore,
    Persistence,
    Tile,
    Why,
)
from interlock.lookml.graph import Graph, Impact, Source
from interlock.lookml.project import Project
from interlock.lookml.source import Gap
from interlock.lookml.tables import Confidence, TableName

__all__ = [
    "Asset",
    "Confidence",
    "Dashboard",
    "Datagroup",
    "DerivedTable",
    "Edge",
    "Explore",
    "Gap",
    "Graph",
    "Impact",
    "Persistence",
    "Project",
    "Source",
    "TableName",
    "Tile",
    "Why",
]
