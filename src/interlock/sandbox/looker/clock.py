"""The sandbox's clock: real time that can be moved, frozen and set wrong.

Two readings, because a server whose clock is wrong still measures durations right:
`monotonic` is for how long things take, `wall` is what the instance believes the time to be.
"""

from collections.abc import Callable

__all__ = ["Clock"]


class Clock:
    """Reads `now` (UNIX seconds) and adds what a script has asked for."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._advanced_s = 0.0
        self._frozen_at: float | None = None
        self.skew_s = 0.0

    def monotonic(self) -> float:
        """Seconds on a clock that skew does not touch; only differences mean anything."""
        base = self._now() if self._frozen_at is None else self._frozen_at
        return base + self._advanced_s

    def wall(self) -> float:
        """UNIX seconds as this instance sees them, right or wrong."""
        return self.monotonic() + self.skew_s

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once, also while frozen."""
        assert seconds >= 0, "time does not run backwards"
        self._advanced_s += seconds

    def freeze(self) -> None:
        """Stand still until `thaw`; only `advance` moves the clock."""
        if self._frozen_at is None:
            self._frozen_at = self._now()

    def thaw(self) -> None:
        """Run again, on from where it stood."""
        if self._frozen_at is not None:
            self._advanced_s -= self._now() - self._frozen_at
            self._frozen_at = None
