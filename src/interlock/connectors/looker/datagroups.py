"""The trigger of a datagroup: all that it caches and keeps is stale from a moment on.

The moment is when the run was looked at, on Looker's own clock: after the load, so that whatever
was cached before counts as stale, and never in Looker's future, which it would refuse. It stays the
same in every attempt, so that a repeat sets what is set, and can be asked for.
(To send "a minute ago" to be safe from skew would leave what was cached in that minute in use.)
"""

from typing import TypedDict, cast

from interlock.connectors.looker.exchange import NOT_FOUND, CallError
from interlock.connectors.looker.session import LookerSession
from interlock.core.step import Done, Outcome, Step, Unavailable

UNPROCESSABLE = 422


class TriggerCall(TypedDict):
    """What a step needs: the datagroup's id, and the moment in UNIX seconds."""

    datagroup: str
    triggered_at: int


async def send(session: LookerSession, step: Step) -> Outcome:
    """Trigger it. May raise CallError."""
    call = cast("TriggerCall", step.call)
    try:
        found = await session.client.trigger_datagroup(call["datagroup"], call["triggered_at"])
    except CallError as err:
        if err.status == UNPROCESSABLE:
            # "cannot be in the future": another node of the instance is behind. Waiting heals that.
            return Unavailable(err.outcome.reason)
        raise
    return Done({"triggered_at": found.triggered_at})


async def find(session: LookerSession, step: Step) -> Outcome | None:
    """Done if it was triggered at that moment or later, by whomever."""
    call = cast("TriggerCall", step.call)
    try:
        found = await session.client.datagroup(call["datagroup"])
    except CallError as err:
        if err.status == NOT_FOUND:
            return None
        raise
    if (found.triggered_at or 0) >= call["triggered_at"]:
        return Done({"triggered_at": found.triggered_at})
    return None
