"""How a piece of work comes along: it waits in a queue, runs, and ends.

    added -> pending -> running -> its outcome

Each stage but the last takes a tenth of the whole, so that a poller can meet every one of them.
"""

from collections.abc import Sequence

__all__ = ["stage"]

QUEUE_SHARE = 0.1  # of the whole duration, per stage before the last


def stage(stages: Sequence[str], elapsed_s: float, duration_s: float) -> str | None:
    """The stage after `elapsed_s` seconds, or None when the work has ended."""
    if elapsed_s >= duration_s:
        return None
    passed = int(elapsed_s / (duration_s * QUEUE_SHARE))
    return stages[min(passed, len(stages) - 1)]
