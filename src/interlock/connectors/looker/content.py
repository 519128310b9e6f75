"""The dashboards of an instance and what their tiles ask, remembered for a while.

The API tells which explores a dashboard asks only dashboard by dashboard; an instance has hundreds.
What was read stays read if a look runs out of time, so that the next one gets further.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from interlock.connectors.looker import answers
from interlock.connectors.looker.client import Client
from interlock.connectors.looker.exchange import NOT_FOUND, CallError
from interlock.connectors.looker.scene import Dashboard, Tile

KEPT = timedelta(minutes=5)  # who edits a dashboard runs its queries anew while doing so
AT_ONCE = 8  # reads under way together: quick, yet gentle on the instance


@dataclass(slots=True)
class Content:
    """Reads dashboards. Every method may raise CallError."""

    client: Client
    _read: dict[str, tuple[datetime, Dashboard | None]] = field(
        default_factory=dict[str, tuple[datetime, Dashboard | None]]
    )
    _reads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def user_defined(self) -> Sequence[Dashboard]:
        """Every dashboard that people have made in Looker."""
        self._drop_old()
        return await self.those([each.id for each in await self.client.dashboards()])

    async def those(self, ids: Sequence[str]) -> Sequence[Dashboard]:
        """The dashboards with these ids, of either kind, as far as Looker has them."""
        found = await asyncio.gather(*(self._dashboard(each) for each in ids))
        return [each for each in found if each]

    async def _dashboard(self, dashboard: str) -> Dashboard | None:
        async with self._reads:
            now = self.client.tools.clock.now()
            known = self._read.get(dashboard)
            if known is None or now - known[0] >= KEPT:
                known = self._read[dashboard] = (now, await self._fetched(dashboard))
            return known[1]

    async def _fetched(self, dashboard: str) -> Dashboard | None:
        try:
            found = await self.client.dashboard(dashboard)
        except CallError as err:
            if err.status == NOT_FOUND:
                return None
            raise
        tiles = (_tile(element) for element in found.elements or ())
        return Dashboard(
            id=found.id, title=found.title or found.id, tiles=tuple(tile for tile in tiles if tile)
        )

    def _drop_old(self) -> None:
        now = self.client.tools.clock.now()
        self._read = {id_: known for id_, known in self._read.items() if now - known[0] < KEPT}


def _tile(element: answers.Element) -> Tile | None:
    """The tile that an element is; None for a text or a button."""
    title = element.title or element.id
    maker = element.result_maker or answers.ResultMaker()
    look = element.look or answers.Look()
    query = element.query or look.query or maker.query
    if query:
        return Tile(title=title, explores=(_explore(query),), query=query.id)
    if element.merge_result_id:
        explores = tuple(dict.fromkeys(map(_explore, maker.filterables or ())))
        return Tile(title=title, explores=explores, obstacle="it merges the results of several")
    return None


def _explore(asked: answers.Query | answers.Filterable) -> str:
    return f"{asked.model or '?'}::{asked.view or '?'}"
