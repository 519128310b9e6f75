"""Ids: each begins with the time and its parent's id, so that what belongs together is together.

    hand-off  h-<12 hex: milliseconds since 1970><12 hex: hash>
    delivery  d-<the hand-off's>-<8 hex: hash of the route>
    step      s-<the delivery's>-<12 hex: hash of the step's key>

The same parts give the same id, so a worker that starts over finds its own traces; the order of ids
is the order of acceptance; and the rows of a hand-off are neighbours in every table.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def handoff_id(event: str, cause: str, generation: int, at: datetime) -> str:
    """The id of accepting the event of this key at that time."""
    return first_id("h", at) + _digits(12, f"{event}\0{cause}\0{generation}")


def delivery_id(handoff: str, route: str) -> str:
    """The id of what `route` owes in that hand-off."""
    return f"d-{handoff[2:]}-{_digits(8, route)}"


def step_id(delivery: str, key: str) -> str:
    """The id of step `key` of that delivery: the idempotency key that the target sees."""
    return f"s-{delivery[2:]}-{_digits(12, key)}"


def first_id(kind: str, at: datetime) -> str:
    """What every id of that kind from `at` on is greater than or begins with."""
    return f"{kind}-{(at - _EPOCH) // _MILLISECOND:012x}"


def children(kind: str, parent: str) -> tuple[str, str]:
    """The bounds, both exclusive, between which the ids of `parent`'s children of that kind lie."""
    return f"{kind}-{parent[2:]}-", f"{kind}-{parent[2:]}."


def _digits(count: int, of: str) -> str:
    return sha256(of.encode()).hexdigest()[:count]
