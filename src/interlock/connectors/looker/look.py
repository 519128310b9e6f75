"""Looking: the LookML on disk and the instance, put together into the scene of one run."""

from datetime import timedelta

from interlock.connectors.looker.checkouts import CheckoutError
from interlock.connectors.looker.config import OnUnknownTables, RefreshParams
from interlock.connectors.looker.exchange import CallError
from interlock.connectors.looker.impact import ANYTHING, NAMED, Touched, touched
from interlock.connectors.looker.scene import Dashboard, Scene
from interlock.connectors.looker.session import LookerSession
from interlock.connectors.looker.wanted import Wanted, wanted
from interlock.core.delivery import Lease
from interlock.core.plan import Facts
from interlock.core.step import Rejected, Unavailable

SKEW = timedelta(seconds=60)  # that an instance which hides its clock may be behind ours
ABSENT = "Looker does not show it: is it deployed, and may the target's API key see it?"


async def look(
    session: LookerSession, params: RefreshParams, _lease: Lease
) -> Facts | Rejected | Unavailable:
    """The scene. Rejected: nobody can tell what the run changed, or there is no LookML."""
    named = wanted(session.config, params)
    if isinstance(named, Rejected):
        return named
    try:
        graph = await session.checkouts.graph()
        refresh_all = params.on_unknown_tables is OnUnknownTables.REFRESH_ALL
        scene = await _scene(session, named, touched(graph, named, all_if_unknown=refresh_all))
    except CheckoutError as err:
        return Rejected(str(err))
    except CallError as err:
        return err.of_reading
    return scene.model_dump(mode="json")


async def _scene(session: LookerSession, named: Wanted, found: Touched) -> Scene:
    datagroups = await session.client.datagroups()
    at = session.client.clock or session.tools.clock.now() - SKEW
    lookml = await _shown(session, found)
    theirs = [_marked(each, named, found) for each in await session.content.user_defined()]
    known = {each.id for each in (*lookml, *theirs)}
    return Scene(
        cause=named.cause,
        unread=named.unread,
        at=int(at.timestamp()),
        explores=found.explores,
        derived=found.derived,
        datagroups={f"{each.model_name}::{each.name}": each.id for each in datagroups},
        dashboards=(
            *lookml,
            *theirs,
            *await _strangers(session, [each for each in named.dashboards if each not in known]),
        ),
        doubts=found.doubts,
    )


async def _shown(session: LookerSession, found: Touched) -> list[Dashboard]:
    """The LookML dashboards; those that are touched, with their tiles as Looker shows them."""
    hit = {explore.id for explore in found.explores if explore.why}
    ids = [
        each.id
        for each in found.dashboards
        if each.why or any(not hit.isdisjoint(tile.explores) for tile in each.tiles)
    ]
    tiles = {each.id: each.tiles for each in await session.content.those(ids)}
    absent = [each for each in ids if each not in tiles]
    return [
        _unshown(each)
        if each.id in absent
        else each.model_copy(update={"tiles": tiles.get(each.id, each.tiles)})
        for each in found.dashboards
    ]


def _unshown(dashboard: Dashboard) -> Dashboard:
    tiles = tuple(tile.model_copy(update={"obstacle": ABSENT}) for tile in dashboard.tiles)
    return dashboard.model_copy(update={"tiles": tiles})


def _marked(dashboard: Dashboard, named: Wanted, found: Touched) -> Dashboard:
    """A user-defined dashboard, with why all of it is wanted, if it is."""
    everything = ANYTHING if found.everything else ""
    return dashboard.model_copy(
        update={"why": NAMED if dashboard.id in named.dashboards else everything}
    )


async def _strangers(session: LookerSession, ids: list[str]) -> list[Dashboard]:
    """Dashboards that the run names and that are in no project and no search."""
    found = {each.id: each for each in await session.content.those(ids)}
    return [
        found[each].model_copy(update={"why": NAMED})
        if each in found
        else Dashboard(id=each, title=each, doubt=f"{NAMED}; {ABSENT}")
        for each in ids
    ]
