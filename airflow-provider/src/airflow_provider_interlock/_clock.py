"""The one place that reads the clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return this moment, aware, in UTC."""
    return datetime.now(tz=UTC)  # noqa: TID251 - everything else takes the time as an argument
