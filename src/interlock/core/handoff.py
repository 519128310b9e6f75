"""A hand-off: one acceptance of an event, with all it owes; and the receipt for it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from interlock.core.decision import Decision
from interlock.core.principal import Principal


class Cause(StrEnum):
    """Why the event was accepted."""

    SUBMIT = "submit"
    REPLAY = "replay"
    REDRIVE = "redrive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """Who handed over what, under which rules.

    Attributes:
        event: the event's key.
        source: the configured name of the event's source.
        generation: 1, and one more for each redrive.
        principal: as verified then; attempts later use its groups as they were.
        decision: policy's answer to `cause`.
        config_rev: digest of the configuration that routed it.
        hop: how many hand-offs led to this one.
    """

    id: str
    event: str
    source: str
    cause: Cause
    generation: int = 1
    principal: Principal
    decision: Decision
    config_rev: str
    accepted_at: datetime
    hop: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the submitter gets back.

    Attributes:
        event: the event's key.
        duplicate: the event was on record already; this is the first acceptance's receipt.
        deliveries: ids of what is owed.
    """

    handoff: str
    event: str
    duplicate: bool = False
    deliveries: tuple[str, ...] = ()
