"""What people read: aligned, without tricks, and never by colour alone."""

from datetime import UTC, datetime, timedelta

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.step import State
from interlock.surfaces.cli.text import (
    AT_REST,
    Look,
    age,
    clean,
    columns,
    count,
    due,
    look,
    moment,
    some,
    span,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@given(st.text())
def test_no_text_moves_the_cursor(text: str) -> None:
    """Whatever an event says, nothing reaches the terminal that it would obey."""
    assert clean(text).isprintable()


def test_cleaning_reaches_every_depth() -> None:
    """Names and values, in objects and lists, are cleaned; numbers and null stay what they are."""
    assert clean({"a\n": ["\x1b[2J", {"b": "\r"}, 1, None, True]}) == {
        "a\\n": ["\\x1b[2J", {"b": "\\r"}, 1, None, True]
    }


def test_readable_text_stays_as_it_is() -> None:
    """Other languages' letters are printable."""
    assert clean("größe 日本") == "größe 日本"


@pytest.mark.parametrize("state", [*State, "refused"])
@pytest.mark.parametrize(
    "screen", [Look(colour=c, symbols=s) for c in (False, True) for s in (False, True)]
)
def test_a_state_is_always_a_word(screen: Look, state: str) -> None:
    """Neither colour nor a symbol stands in for the word."""
    assert click.unstyle(screen.state(state)).endswith(state)


def test_a_plain_screen_gets_plain_text() -> None:
    """Without a terminal there are no symbols and no escape sequences."""
    assert Look().state("failed") == "failed"
    assert Look().strong("run-1") == "run-1"


def test_a_pipe_is_a_plain_screen(capsys: pytest.CaptureFixture[str]) -> None:
    """What goes to a file or a pipe is plain, whatever the environment says."""
    assert look({"TERM": "xterm-256color"}) == Look()


class Terminal:
    """A stdout that is a terminal."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.mark.parametrize(
    ("encoding", "environment", "expected"),
    [
        ("utf-8", {}, Look(colour=True, symbols=True)),
        ("utf-8", {"NO_COLOR": "1"}, Look(colour=False, symbols=True)),
        ("utf-8", {"NO_COLOR": ""}, Look(colour=True, symbols=True)),
        ("utf-8", {"TERM": "dumb"}, Look(colour=False, symbols=True)),
        ("iso-8859-1", {}, Look(colour=True, symbols=False)),
    ],
)
def test_a_terminal_gets_what_it_can_show(
    monkeypatch: pytest.MonkeyPatch, encoding: str, environment: dict[str, str], expected: Look
) -> None:
    """Symbols need UTF-8; colour ends with NO_COLOR or a dumb terminal."""
    monkeypatch.setattr("sys.stdout", Terminal(encoding))

    assert look(environment) == expected


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (timedelta(), "0 s"),
        (timedelta(seconds=119), "119 s"),
        (2 * MINUTE, "2 min"),
        (119 * MINUTE, "119 min"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=324), "324 d"),
    ],
)
def test_a_length_of_time_has_one_unit(time: timedelta, said: str) -> None:
    """The largest unit of which there are two: precise enough, short enough."""
    assert span(time) == said


def test_a_time_is_told_both_ways() -> None:
    """How long ago, for the person; and the time itself, for the log beside it."""
    assert moment("2026-01-01T11:57:00.123456Z", NOON) == "2 min ago (2026-01-01T11:57:00Z)"
    assert age(NOON + 3 * MINUTE, NOON) == "in 3 min"


@pytest.mark.parametrize(
    ("state", "deadline", "said"),
    [
        ("pending", NOON + 5 * MINUTE, "due in 5 min"),
        ("waiting", NOON - 5 * MINUTE, "LATE by 5 min"),
        ("done", NOON - 5 * MINUTE, "was due 5 min ago"),
        ("failed", NOON + 5 * MINUTE, "due in 5 min"),
    ],
)
def test_late_is_what_is_open_past_its_deadline(state: str, deadline: datetime, said: str) -> None:
    """A delivery that rests is never called late for the time that passed since."""
    assert due(state, deadline, NOON) == said


def test_the_states_at_rest_are_those_no_worker_moves() -> None:
    """The page's idea of rest is the engine's."""
    from interlock.core.step import OPEN

    assert set(State) - OPEN == AT_REST


@given(st.lists(st.tuples(st.text("ab", max_size=5), st.text("cd", min_size=1)), min_size=1))
def test_columns_are_aligned(rows: list[tuple[str, str]]) -> None:
    """The second cell of every row begins in the same place."""
    lines = columns(rows)

    starts = {len(line) - len(second) for line, (_, second) in zip(lines, rows, strict=True)}
    assert len(starts) == 1


def test_columns_are_aligned_in_colour() -> None:
    """Escape sequences take no room."""
    coloured = columns([(click.style("done", fg="green"), "x"), ("cancelled", "y")])

    assert [click.unstyle(line) for line in coloured] == ["done       x", "cancelled  y"]


def test_a_long_list_says_what_it_leaves_out() -> None:
    """The first few, and how many more there are."""
    things = [{"asset": f"Explore {n}", "why": "does not read it"} for n in range(10)]

    cut, whole = list(some("left alone", things, whole=False)), some("x", things, whole=True)

    assert cut[0] == "left alone (10)"
    assert cut[-1] == "  and 7 more: --all shows them"
    assert len(list(whole)) == 11


def test_counting_knows_its_plurals() -> None:
    """One route, two routes, no deliveries."""
    assert [count(1, "route"), count(2, "route"), count(0, "delivery", "deliveries")] == [
        "1 route",
        "2 routes",
        "0 deliveries",
    ]
