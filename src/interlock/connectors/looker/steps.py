"""The steps of a refresh, by what they touch: sent, and asked after."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from interlock.connectors.looker import builds, datagroups, queries
from interlock.connectors.looker.exchange import CallError
from interlock.connectors.looker.session import LookerSession
from interlock.core.delivery import Lease
from interlock.core.step import Outcome, Rejected, Step, Unavailable


class _Ways(NamedTuple):
    send: Callable[[LookerSession, Step], Awaitable[Outcome]]
    find: Callable[[LookerSession, Step], Awaitable[Outcome | None]]


WAYS: Mapping[str, _Ways] = {
    "DerivedTable": _Ways(builds.send, builds.find),
    "Datagroup": _Ways(datagroups.send, datagroups.find),
    "Dashboard": _Ways(queries.send, queries.find),
}
"""By the type of a step's resource."""


async def send(session: LookerSession, step: Step, _lease: Lease) -> Outcome:
    """Attempt a step once."""
    try:
        return await WAYS[step.resource.type].send(session, step)
    except CallError as err:
        return err.outcome


async def find(session: LookerSession, step: Step, _lease: Lease) -> Outcome | None:
    """What became of a step."""
    try:
        return await WAYS[step.resource.type].find(session, step)
    except CallError as err:
        if isinstance(err.outcome, Rejected):
            # The question was refused, which says nothing of the step.
            return Unavailable(f"Looker does not say: {err.outcome.reason}")
        return err.outcome
