"""Ids sort by time, keep families together, and are the same for the same parts."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from interlock.core.ids import children, delivery_id, first_id, handoff_id, step_id
from tests.making import NOON

EVENT = "e" * 64
times = st.datetimes(
    datetime(1970, 1, 1),
    datetime(9999, 1, 1),
    timezones=st.just(UTC),
)
names = st.text(min_size=1, max_size=20)


def test_ids_are_stable() -> None:
    """What was handed out once is found again by every later version of Interlock."""
    handoff = handoff_id(EVENT, "submit", 1, NOON)
    delivery = delivery_id(handoff, "orders")

    assert handoff == "h-019b796dd600767564fd9739"
    assert delivery == "d-019b796dd600767564fd9739-1c168adb"
    assert step_id(delivery, "post") == "s-019b796dd600767564fd9739-1c168adb-72231043bc18"


@given(times, times)
def test_handoffs_sort_by_time(one: datetime, other: datetime) -> None:
    """The order of ids is the order of acceptance, to the millisecond."""
    first, last = sorted([one, other])
    ids = handoff_id("a", "submit", 1, first), handoff_id("b", "submit", 1, last)

    assert ids[0] < ids[1] or last - first < timedelta(milliseconds=1)
    assert first_id("h", last) <= ids[1]


@given(names, names, names, names)
def test_families_are_neighbours(route: str, key: str, other_route: str, other_event: str) -> None:
    """The ids of a parent's children lie within `children`, and nobody else's do."""
    parent, stranger = (handoff_id(e, "submit", 1, NOON) for e in ("e", "x" + other_event))
    delivery, foreign = delivery_id(parent, route), delivery_id(stranger, other_route)

    low, high = children("d", parent)
    assert low < delivery < high
    assert not low < foreign < high
    low, high = children("s", delivery)
    assert low < step_id(delivery, key) < high
    assert not low < step_id(foreign, key) < high


@given(names, names)
def test_parts_make_the_id(one: str, other: str) -> None:
    """Equal parts, equal ids; any different part, another id."""
    assert (delivery_id("h-1", one) == delivery_id("h-1", other)) == (one == other)
    assert (step_id("d-1", one) == step_id("d-1", other)) == (one == other)


def test_cause_and_generation_make_new_ids() -> None:
    """A replay or a redrive at the same moment is another hand-off."""
    made = {
        handoff_id(EVENT, cause, generation, NOON)
        for cause in ("submit", "replay", "redrive")
        for generation in (1, 2)
    }

    assert len(made) == 6
