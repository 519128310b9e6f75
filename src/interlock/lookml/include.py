"""The files that an `include` names, and all that a model's file leads to."""

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from interlock.lookml.source import Node

SUFFIXES = (".lkml", ".lookml")
"""What an `include` may leave out."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a project. `name` is unique among projects; `path` is relative to its own."""

    project: str
    path: str
    name: str
    nodes: tuple[Node, ...]


@dataclass(slots=True)
class Files:
    """The files of one project, in the order of their paths."""

    project: str
    by_path: dict[str, File] = field(default_factory=dict)
    _found: dict[str, list[File]] = field(default_factory=dict)

    def matching(self, pattern: str) -> list[File]:
        """Those that a pattern, relative to the project's root, names; suffixes may lack."""
        if pattern not in self._found:
            if _is_glob(pattern):
                glob = _glob(pattern)
                found = [f for f in self.by_path.values() if any(map(glob.fullmatch, _names(f)))]
            else:
                paths = (pattern, *(pattern + suffix for suffix in SUFFIXES))
                found = [self.by_path[path] for path in paths if path in self.by_path]
            self._found[pattern] = found
        return self._found[pattern]


Fill = Callable[[Node], str]
"""The value of a node with its constants put in."""


@dataclass(frozen=True, slots=True)
class Includes:
    """Follows includes among the projects at hand, by their names."""

    projects: Mapping[str, Files]
    fill: Fill
    report: Callable[[Node, str], None]

    def closure(self, model: File) -> list[File]:
        """Every file that the model's file leads to: what is included before what includes it."""
        closed: dict[str, File] = {}
        opened = {model.name}
        pending = [(model, self._included(model))]
        while pending:
            file, included = pending[-1]
            following = next((f for f in included if f.name not in opened), None)
            if following is None:
                closed[file.name] = file
                pending.pop()
            else:
                opened.add(following.name)
                pending.append((following, self._included(following)))
        return list(closed.values())

    def _included(self, file: File) -> Iterator[File]:
        for node in file.nodes:
            if node.key == "include":
                yield from self._named(self.fill(node), file, node)

    def _named(self, pattern: str, file: File, node: Node) -> Iterable[File]:
        candidates = list(self._candidates(pattern, file))
        missing = [project for project, _ in candidates if project not in self.projects]
        found: Iterator[list[File]] = (
            self.projects[project].matching(path)
            for project, path in candidates
            if project in self.projects
        )
        files = next(filter(None, found), [])
        if missing:
            self.report(node, f"includes {pattern}, and project {missing[0]} is not here")
        elif not files and not _is_glob(pattern):
            self.report(node, f"includes {pattern}, and there is no such file")
        return files

    def _candidates(self, pattern: str, file: File) -> Iterator[tuple[str, str]]:
        """Projects and paths to try: `//project/path`, `/path` from the root, or beside the file.

        An imported project's own files say `/project/path` too.
        """
        first, _, rest = pattern.lstrip("/").partition("/")
        if pattern.startswith("//"):
            yield first, rest
        elif pattern.startswith("/"):
            yield file.project, pattern[1:]
            if first in self.projects:
                yield first, rest
        else:
            folder = posixpath.dirname(file.path)
            yield file.project, posixpath.normpath(posixpath.join(folder, pattern))
            yield file.project, pattern


def _names(file: File) -> list[str]:
    return [file.path, *(file.path.removesuffix(s) for s in SUFFIXES if file.path.endswith(s))]


def _is_glob(pattern: str) -> bool:
    return any(character in pattern for character in "*?[")


_GLOB = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]]+\]")
_MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    """`*` stays in its folder, `**` does not; `[!0-9]` is anything but a digit."""
    written, position = "", 0
    for special in _GLOB.finditer(pattern):
        written += re.escape(pattern[position : special.start()])
        written += _MEANING.get(special.group()) or _character_class(special.group())
        position = special.end()
    try:
        return re.compile(written + re.escape(pattern[position:]))
    except re.error:  # such as `[z-a]`
        return re.compile(re.escape(pattern))


def _character_class(text: str) -> str:
    inside = text[1:-1]
    negated = inside.startswith("!")
    escaped = re.sub(r"([\\\[\]^&~|])", r"\\\1", inside[1:] if negated else inside)
    return f"[{'^' if negated else ''}{escaped}]"
