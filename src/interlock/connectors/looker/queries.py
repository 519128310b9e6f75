"""The affected queries of a dashboard, run past the cache: its next reader finds them fresh.

To run a query twice is harmless, so an attempt that broke off is gone on with, or made again.
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict, cast

import orjson

from interlock.connectors.looker.answers import Task
from interlock.connectors.looker.exchange import NOT_FOUND, CallError
from interlock.connectors.looker.session import LookerSession
from interlock.core.step import Done, Outcome, Rejected, Started, Step

ENDED = frozenset({"complete", "error", "killed"})
GONE = frozenset({"expired", "missing"})  # it has run, and nobody can tell any more how it ended


class QueriesCall(TypedDict):
    """What a step needs: the dashboard's id, and the title of the tile by query id."""

    dashboard: str
    queries: Mapping[str, str]
    source: str


async def send(session: LookerSession, step: Step) -> Outcome:
    """Start every query that has not been started yet. May raise CallError."""
    call = cast("QueriesCall", step.call)
    begun = session.begin(step.id)
    for query in call["queries"]:
        if query not in begun:
            task = await session.client.start_query(query, call["dashboard"], call["source"])
            begun[query] = task.id
    session.begun.pop(step.id, None)
    return Started(orjson.dumps(begun).decode(), session.poll)


async def find(session: LookerSession, step: Step) -> Outcome | None:
    """How they come along, settled when all have ended; None: Looker does not remember them."""
    if step.reference is None:
        return None
    begun: dict[str, str] = orjson.loads(step.reference)
    try:
        tasks = {query: await session.client.query_task(task) for query, task in begun.items()}
    except CallError as err:
        if err.status == NOT_FOUND:
            return None
        raise
    if any(task.status in GONE for task in tasks.values()):
        return None
    if any(task.status not in ENDED for task in tasks.values()):
        return Started(step.reference, session.poll)
    titles = cast("QueriesCall", step.call)["queries"]
    failed = [
        f"tile {titles[query]}: {await _message(session, task)}"
        for query, task in tasks.items()
        if task.status != "complete"
    ]
    return Rejected("; ".join(failed)) if failed else _done(list(tasks.values()))


async def _message(session: LookerSession, task: Task) -> str:
    """Why a query failed: Looker says it where its rows would be."""
    try:
        await session.client.query_results(task.id)
    except CallError as err:
        return err.outcome.reason
    return f"ended as {task.status}"


def _done(tasks: Sequence[Task]) -> Done:
    runtimes = [task.runtime or 0 for task in tasks]
    return Done(
        {
            "queries": len(tasks),
            "from_cache": sum(task.result_source == "cache" for task in tasks),
            "runtime_s": sum(runtimes),
            "runtime_max_s": max(runtimes, default=0),
        }
    )
