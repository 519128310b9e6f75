"""A token bucket: a few at once, then one per interval."""

from datetime import datetime, timedelta


class Bucket:
    """Holds `size` permits; one returns every `interval`. It is told the time."""

    def __init__(self, size: int, interval: timedelta) -> None:
        self._size = size
        self._interval = interval
        self._permits = float(size)
        self._as_of: datetime | None = None

    def take(self, now: datetime) -> bool:
        """Take one permit if there is one. A clock that steps back returns none."""
        if self._as_of is not None and now > self._as_of:
            returned = (now - self._as_of) / self._interval
            self._permits = min(self._size, self._permits + returned)
        self._as_of = now
        if self._permits < 1:
            return False
        self._permits -= 1
        return True
