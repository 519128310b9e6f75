"""The LookML on disk as a graph, read once for as long as no file changes."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from interlock.lookml import Graph, Project

SUFFIXES = (".lkml", ".lookml")

Stamp = tuple[tuple[str, int, int], ...]
"""Every file of the projects, with its size and the time of its last change."""


class CheckoutError(Exception):
    """The LookML cannot be read at all; says which folder, and what to try."""


class Checkouts:
    """The folders of a target. Reading happens in a thread: large projects take many seconds."""

    def __init__(self, folders: Sequence[Path], dialect: str) -> None:
        self._folders = tuple(folders)
        self._dialect = dialect
        self._stamp: Stamp | None = None
        self._graph: asyncio.Task[Graph] | None = None

    async def graph(self) -> Graph:
        """The graph of the files as they are now. Raises CheckoutError.

        A caller who cannot wait does not stop the reading: the next finds it further on.
        """
        stamp = await asyncio.to_thread(_stamp, self._folders)
        if self._graph is None or stamp != self._stamp:
            self._stamp = stamp
            reading = asyncio.to_thread(Project.load, self._folders, self._dialect)
            self._graph = asyncio.create_task(reading)
        try:
            return await asyncio.shield(self._graph)
        except ValueError as err:
            raise CheckoutError(f"connections: {err}") from err


def _stamp(folders: Sequence[Path]) -> Stamp:
    found: list[tuple[str, int, int]] = []
    for folder in folders:
        if not folder.is_dir():
            raise CheckoutError(
                f"projects: there is no folder {folder}: check the path, and that the LookML has "
                "been checked out there"
            )
        for here, inner, names in os.walk(folder):
            inner[:] = [name for name in inner if not name.startswith(".")]
            for path in (Path(here, name) for name in names if name.endswith(SUFFIXES)):
                found += _mark(path)
    return tuple(sorted(found))


def _mark(path: Path) -> list[tuple[str, int, int]]:
    try:
        stat = path.stat()
    except FileNotFoundError:  # a checkout is being replaced: the next look sees it whole
        return []
    return [(str(path), stat.st_size, stat.st_mtime_ns)]
