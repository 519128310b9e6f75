"""LookML projects on disk, and the graph that they add up to."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from interlock.lookml import dashboards, explores, source, views
from interlock.lookml.assets import Datagroup, Explore, node_of
from interlock.lookml.constants import Constants, Manifest
from interlock.lookml.graph import Graph
from interlock.lookml.include import File, Files, Includes
from interlock.lookml.refine import Definitions
from interlock.lookml.scope import Findings, Scope
from interlock.lookml.source import LookmlError, Node
from interlock.lookml.sql import SqlReader

FILES_MAX = 50_000
"""Files of one project that are read. The largest public project has 3,165."""

_MANIFEST = "manifest.lkml"
_MODEL = ".model.lkml"


@dataclass(frozen=True, slots=True)
class Project:
    """One LookML project: its files, and its manifest."""

    files: Files
    manifest: Manifest

    @staticmethod
    def load(paths: Sequence[Path], dialect: str = "bigquery") -> Graph:
        """The graph of the projects in these folders, which may include one another.

        Bad LookML never raises: what cannot be read is in the graph's `incomplete`.

        Raises:
            ValueError: sqlglot does not know the SQL dialect.
        """
        sql, findings = SqlReader(dialect), Findings()
        projects: dict[str, Project] = {}
        for path in paths:
            project = _read(Path(path), findings, several=len(paths) > 1)
            if project.manifest.project in projects:
                _gap(findings, str(path), f"is a second project {project.manifest.project}")
            projects.setdefault(project.manifest.project, project)
        workspace = _Workspace(projects, sql, findings)
        if not workspace.models():
            _gap(findings, ", ".join(map(str, paths)), f"no file is called *{_MODEL}")
        for model in workspace.models():
            _note_model(workspace.scope(model))
        _note_asked(findings)
        return Graph(findings.assets, findings.edges, findings.tables, findings.gaps)


class _Workspace:
    """The projects at hand, by name, and what their models share."""

    def __init__(self, projects: Mapping[str, Project], sql: SqlReader, findings: Findings) -> None:
        self.manifests = {name: project.manifest for name, project in projects.items()}
        self.files = {name: project.files for name, project in projects.items()}
        self.sql = sql
        self.findings = findings
        self.project_of = {
            file.name: file.project
            for files in self.files.values()
            for file in files.by_path.values()
        }

    def models(self) -> list[File]:
        """The files that declare a model."""
        return [
            file
            for files in self.files.values()
            for path, file in files.by_path.items()
            if path.endswith(_MODEL)
        ]

    def scope(self, model: File) -> Scope:
        """The model that a file declares, with everything that the file includes."""
        report = self.findings.gap
        own = self.manifests[model.project]
        constants = Constants(own, self.manifests, self.project_of, report)
        closure = Includes(self.files, constants.fill, report).closure(model)
        nodes = Node("model", model.name, 1, children=tuple(n for f in closure for n in f.nodes))
        name = PurePosixPath(model.path).name.removesuffix(_MODEL)
        self.findings.assets += [
            Datagroup(name, node.name, node.file, node.line) for node in nodes.all("datagroup")
        ]
        return Scope(
            model=name,
            views=Definitions("view", nodes.all("view"), report),
            explores=Definitions("explore", nodes.all("explore"), report),
            dashboards=Definitions("dashboard", nodes.all("dashboard"), report),
            fill=constants.fill,
            sql=self.sql,
            findings=self.findings,
            persist_with=Node("model", model.name, 1, children=model.nodes).text("persist_with"),
        )


def _read(root: Path, findings: Findings, *, several: bool) -> Project:
    """A project's files. With several projects a file's name begins with `//project/`."""
    manifest = Manifest.of(_nodes(root, _MANIFEST, _MANIFEST, findings), root.resolve().name)
    files = Files(manifest.project)
    for path in _paths(root, findings):
        name = f"//{manifest.project}/{path}" if several else path
        nodes = _nodes(root, path, name, findings)
        files.by_path[path] = File(manifest.project, path, name, nodes)
    return Project(files, manifest)


def _paths(root: Path, findings: Findings) -> list[str]:
    """The LookML files under a folder, sorted; hidden folders such as `.git` are left out."""
    found: list[str] = []
    for folder, inner, names in os.walk(root, onerror=lambda e: _gap(findings, str(root), str(e))):
        inner[:] = [name for name in inner if not name.startswith(".")]
        here = PurePosixPath(Path(folder).relative_to(root).as_posix())
        found += [str(here / name) for name in names if name.endswith((".lkml", ".lookml"))]
    if len(found) > FILES_MAX:
        _gap(findings, str(root), f"holds {len(found)} files; {FILES_MAX} are read")
    return sorted(found)[:FILES_MAX]


def _nodes(root: Path, path: str, name: str, findings: Findings) -> tuple[Node, ...]:
    parse = dashboards.parse if path.endswith(".lookml") else source.parse
    try:
        return parse((root / path).read_bytes(), name)
    except FileNotFoundError:
        return ()  # a project may do without a manifest
    except (LookmlError, OSError) as error:
        _gap(findings, name, str(error))
        return ()


def _gap(findings: Findings, file: str, sentence: str) -> None:
    findings.gap(Node("", file, 0), sentence)


def _note_model(scope: Scope) -> None:
    for explore in scope.explores.all():
        explores.read(scope, explore)
    for view in scope.views.all():
        if view.last("derived_table"):  # it may be built although no explore reads it
            scope.view(view.name, view)
    while wanted := scope.wanted():
        for view in wanted:
            views.read(scope, view)
    for dashboard in scope.dashboards.all():
        dashboards.note(scope, dashboard)


def _note_asked(findings: Findings) -> None:
    """Tie tiles to their explores; only now every model is known."""
    known = {node_of(asset) for asset in findings.assets if isinstance(asset, Explore)}
    for explore, tile, place in findings.asked:
        told = f"{tile} asks explore {explore}"
        if f"explore {explore}" in known:
            findings.edge(f"explore {explore}", tile, place, told)
        else:
            findings.unknown(tile, place, f"{told}, which no model here has")
