"""An entry: one line of the ledger, written in the same transaction as the change it tells of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from interlock.core.event import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What changed, when, and why.

    Attributes:
        kind: `accepted`, `duplicate`, `conflict` or `refused`; else the state a delivery came to.
        position: 1, 2, 3 ... without gaps, in the order of commits; 0 until it has one.
        handoff, delivery: ids; empty where the entry is not about one.
        detail: what a reader needs to understand it: reasons, rules, steps; never a secret.
    """

    kind: str
    at: datetime
    position: int = 0
    handoff: str = ""
    delivery: str = ""
    detail: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One conversation with a target about a step.

    Attributes:
        number: which attempt of the step; a question carries the number of the attempt it is about.
        asked: the target was asked what became of it, not told to do it.
        outcome: name of the outcome, e.g. `Done`; for a question also `Absent`.
    """

    step: str
    number: int
    asked: bool = False
    began_at: datetime
    ended_at: datetime
    outcome: str
    detail: str = ""
