"""Text for people: states, times and columns, and nothing that could move a terminal's cursor."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import click

GAP = "  "
FEW = 3  # of a list that may be long; --all shows the rest

AT_REST = frozenset({"done", "failed", "held", "cancelled"})

# From the largest; each is used for what is twice as long, so that "90 min" is not "1 h".
_UNITS = (
    (timedelta(days=1), "d"),
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "min"),
)
_STATES: Mapping[str, tuple[str, str]] = {
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
    "refused": ("✗", "red"),
    "held": ("!", "yellow"),
    "unknown": ("?", "yellow"),
    "cancelled": ("-", "white"),
    "pending": ("·", "cyan"),
    "sending": ("→", "cyan"),
    "waiting": ("…", "cyan"),
}


@dataclass(frozen=True, slots=True)
class Look:
    """What the reader's screen can show. A state is always a word; the rest only helps."""

    colour: bool = False
    symbols: bool = False

    def state(self, word: str) -> str:
        """A state."""
        symbol, colour = _STATES.get(word, ("", "white"))
        text = f"{symbol} {word}" if self.symbols and symbol else word
        return click.style(text, fg=colour) if self.colour else text

    def strong(self, text: str) -> str:
        """What the eye should find first."""
        return click.style(text, bold=True) if self.colour else text


def look(environment: Mapping[str, str]) -> Look:
    """What stdout can show. NO_COLOR (no-color.org) turns colour off, whatever it says."""
    if not sys.stdout.isatty():
        return Look()
    plain = bool(environment.get("NO_COLOR")) or environment.get("TERM") == "dumb"
    return Look(colour=not plain, symbols=sys.stdout.encoding.lower() in {"utf-8", "utf8"})


def clean(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can say
    """The value with what is not printable escaped: others wrote it, and a terminal obeys."""
    match value:
        case str():
            return "".join(c if c.isprintable() else repr(c)[1:-1] for c in value)
        case dict():
            return {clean(name): clean(each) for name, each in value.items()}
        case list():
            return [clean(each) for each in value]
        case _:
            return value


def span(time: timedelta) -> str:
    """A length of time: `12 s`, `90 min`, `3 d`."""
    for unit, name in _UNITS:
        if time >= 2 * unit:
            return f"{time // unit} {name}"
    return f"{time.total_seconds():.0f} s"


def age(at: datetime, now: datetime) -> str:
    """How long ago it was, or how soon it will be."""
    return f"{span(now - at)} ago" if at <= now else f"in {span(at - now)}"


def moment(written: str, now: datetime) -> str:
    """A time as answers write it, both ways: `3 min ago (2026-01-01T12:00:00Z)`."""
    at = datetime.fromisoformat(written)
    return f"{age(at, now)} ({iso(at)})"


def due(state: str, deadline: datetime, now: datetime) -> str:
    """How the deadline is to be read while the delivery is in that state."""
    if state in AT_REST:
        return f"was due {age(deadline, now)}" if deadline <= now else f"due {age(deadline, now)}"
    return f"due {age(deadline, now)}" if now <= deadline else f"LATE by {span(now - deadline)}"


def iso(at: datetime) -> str:
    """To the second, UTC as all answers are."""
    return at.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines, their cells aligned whatever their colour."""
    widths = [max(map(_width, cells)) for cells in zip(*rows, strict=True)]
    return [
        GAP.join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def labelled(label: str, *lines: str) -> Iterator[str]:
    """A label, and beside it the lines that are not empty."""
    for line in filter(None, lines):
        yield f"{label:<9}{line}"
        label = ""


def indented(lines: Sequence[str] | Iterator[str], depth: int = 1) -> Iterator[str]:
    """The lines, further in."""
    return (GAP * depth + line for line in lines)


def some(label: str, things: Sequence[Mapping[str, str]], *, whole: bool) -> Iterator[str]:
    """How many assets there are and why; the first few, or the `whole` list."""
    if not things:
        return
    shown = things if whole else things[:FEW]
    yield f"{label} ({len(things)})"
    yield from indented(columns([(each["asset"], each["why"]) for each in shown]))
    if len(shown) < len(things):
        yield f"{GAP}and {len(things) - len(shown)} more: --all shows them"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 route`, `2 routes`, `2 policies`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def _width(cell: str) -> int:
    return len(click.unstyle(cell))
