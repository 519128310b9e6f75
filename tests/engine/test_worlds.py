"""The promises hold in every world: captured once, nothing acknowledged lost, effective once, loud.

Each test lives through seeded worlds (see world.py). At the end, the engine or the target is broken on
purpose, and the checks must catch it.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from interlock.core.retry import OnUnknown
from interlock.core.step import OPEN, Repeat, State
from interlock.engine import work
from interlock.ports import Filter
from tests.engine.world import Odds, World

SEEDS = range(60)


def states(world: World) -> set[State]:
    """The states in which the deliveries ended."""
    return {held.delivery.state for held in world.ledger._held.values()}


def captured_once(world: World) -> bool:
    """Promises 1 and 2: each acknowledged event is one row with one delivery."""
    rows = {held.delivery.handoff for held in world.ledger._held.values()}
    keys = {handoff.event for handoff in world.ledger._handoffs.values()}
    return (
        rows == set(world.receipts)
        and keys == world.acknowledged
        and len(world.ledger._held) == len(world.ledger._handoffs) == world.events
    )


def effective_once(world: World) -> bool:
    """Promise 3: every step took effect once."""
    per_step = list(world.machine.effects.values())
    return len(per_step) == world.events * world.steps and set(per_step) == {1}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("steps", [1, 3])
def test_effective_once_where_the_target_refuses_repeats(seed: int, steps: int) -> None:
    """Whatever dies or is lost, each event is captured once and each step takes effect once."""
    world = World(seed, steps=steps)

    world.live()

    assert captured_once(world)
    assert states(world) == {State.DONE}
    assert effective_once(world)


@pytest.mark.parametrize("seed", SEEDS)
def test_harmful_repeats_are_held_not_sent(seed: int) -> None:
    """Where a repeat does harm and the route says hold, nothing ever takes effect twice."""
    world = World(seed, repeat=Repeat.HARMFUL)

    world.live()

    assert captured_once(world)
    assert states(world) <= {State.DONE, State.HELD}
    assert max(world.machine.effects.values(), default=0) <= 1


def test_holding_is_the_exception() -> None:
    """Holding everything would keep the promise too: most deliveries still get done."""
    ends: list[State] = []
    for seed in SEEDS:
        world = World(seed, repeat=Repeat.HARMFUL)
        world.live()
        ends += [held.delivery.state for held in world.ledger._held.values()]

    assert ends.count(State.DONE) > len(ends) / 2


@pytest.mark.parametrize("seed", SEEDS)
def test_resent_where_the_route_says_so(seed: int) -> None:
    """With `resend` everything ends done, at the price the route accepted."""
    world = World(seed, repeat=Repeat.HARMFUL, on_unknown=OnUnknown.RESEND)

    world.live()

    assert states(world) == {State.DONE}
    assert min(world.machine.effects.values()) >= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_on_time_or_out_loud(seed: int) -> None:
    """Promise 7: with little time and much trouble, each delivery ends, and a failure says why."""
    world = World(seed, within=timedelta(minutes=3), odds=Odds(down=0.6))

    world.live()

    held = [h.delivery for h in world.ledger._held.values()]
    assert captured_once(world)
    assert not states(world) & OPEN
    assert all(delivery.reason for delivery in held if delivery.state is not State.DONE)
    told = {e.delivery for e in world.ledger._entries if e.kind in {State.FAILED, State.HELD}}
    assert told == {d.id for d in held if d.state in {State.FAILED, State.HELD}}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_record_tells_every_change(seed: int) -> None:
    """The last entry about a delivery tells the state it is in."""
    world = World(seed, steps=2)

    world.live()

    last = {e.delivery: e.kind for e in world.ledger._entries if e.delivery}
    assert last == {h.delivery.id: h.delivery.state for h in world.ledger._held.values()}


def caught(broken: Callable[[int], World], holds: Callable[[World], bool]) -> int:
    """In how many of the worlds the check failed."""
    count = 0
    for seed in SEEDS:
        world = broken(seed)
        world.live()
        count += not holds(world)
    return count


def test_a_target_that_takes_repeats_is_caught() -> None:
    """An engine that relies on refusal, at a target that does not refuse, shows doubled effects."""

    def lax(seed: int) -> World:
        return World(seed, repeat=Repeat.HARMLESS, odds=Odds(late=0.4))

    assert caught(lax, effective_once) > 20


def test_an_engine_that_does_not_ask_is_caught() -> None:
    """Resending without asking doubles effects."""

    def blind(seed: int) -> World:
        return World(seed, repeat=Repeat.HARMFUL, on_unknown=OnUnknown.RESEND, asks=False)

    assert caught(blind, effective_once) > 40


def test_an_engine_that_forgets_to_save_sending_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without "sending" on record before the call, a worker's death hides an effect."""
    original = work.Work._save

    async def forgetful(self: work.Work) -> None:
        if self.lease.delivery.planned and self._talks and not self._made:
            self._unsaved = {}
            return
        await original(self)

    monkeypatch.setattr(work.Work, "_save", forgetful)

    assert (
        caught(
            lambda seed: World(2 * seed, repeat=Repeat.HARMFUL, steps=2),
            lambda world: max(world.machine.effects.values(), default=0) <= 1,
        )
        > 5
    )


async def test_lists_see_what_worlds_made() -> None:
    """The record of a world reads back through the port."""
    world = World(1)
    await world._live()

    assert len(await world.ledger.deliveries(Filter())) == world.events
