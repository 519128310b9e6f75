"""The context: what policy may know about a request beside who, what and on what."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from interlock.core.event import Event
from interlock.core.principal import Principal
from interlock.core.site import Site


def context_of(
    event: Event, principal: Principal, site: Site, now: datetime, hop: int = 0
) -> Mapping[str, object]:
    """The context of submitting `event`, or of acting on it later, under `principal`'s authority.

    `initiator`, `workflow` and `runId` are what the sender says; `corroborated` is false until a
    read from the source has confirmed them.
    """
    found: dict[str, object] = {
        "now": now,
        "environment": site.environment,
        "hop": hop,
        "eventType": event.type,
        "corroborated": False,
        "authorityAge": max(now - principal.verified_at, timedelta(0)),
        "requestDigest": event.digest,
    }
    run_id = event.data.get("run_id") if isinstance(event.data, dict) else None
    if event.subject is not None:
        found["eventSubject"] = found["workflow"] = event.subject
    if isinstance(run_id, str):
        found["runId"] = run_id
    if "initiator" in event.extensions:
        found["initiator"] = event.extensions["initiator"]
    return found
