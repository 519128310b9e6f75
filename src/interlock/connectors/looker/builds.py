"""The build of a persistent derived table: started once, then asked for by the id Looker gave."""

from typing import TypedDict, cast

from pydantic import ValidationError

from interlock.connectors.looker.answers import BuildStatus
from interlock.connectors.looker.exchange import NOT_FOUND, CallError
from interlock.connectors.looker.session import LookerSession
from interlock.core.step import Done, Outcome, Rejected, Started, Step, Unknown


class BuildCall(TypedDict):
    """What a step needs to start one."""

    model: str
    view: str
    source: str


async def send(session: LookerSession, step: Step) -> Outcome:
    """Start the build. May raise CallError."""
    call = cast("BuildCall", step.call)
    started = await session.client.start_build(call["model"], call["view"], call["source"])
    if not started.materialization_id:
        # Seen in the field (apache/airflow issue 23025): 200, and nothing to ask for.
        return Rejected("Looker answered no materialization id: is the view persistent?")
    return Started(started.materialization_id, session.poll)


async def find(session: LookerSession, step: Step) -> Outcome | None:
    """How it comes along; None: the id never reached us, or Looker has forgotten it."""
    if step.reference is None:
        return None
    try:
        build = await session.client.build(step.reference)
    except CallError as err:
        if err.status == NOT_FOUND:
            return None
        raise
    try:
        status = BuildStatus.model_validate_json(build.resp_text or "")
    except ValidationError:
        return Unknown("Looker's status of the build is not JSON")
    return _outcome(status, step.reference, session)


def _outcome(status: BuildStatus, build: str, session: LookerSession) -> Outcome:
    match status.status:
        case "complete":
            return Done({"status": status.status, "runtime_s": status.runtime})
        case "error" | "killed":
            return Rejected(f"the build ended as {status.status}: {status.message or 'no message'}")
        case "added" | "pending" | "running":
            return Started(build, session.poll)
        case other:
            return Unknown(f"Looker says of the build only {other!r}")
