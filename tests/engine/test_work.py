"""One delivery in hand: planned under policy, sent on record, asked when in doubt, loud at the end."""

from collections.abc import Callable

import pytest

from interlock.core.decision import Question
from interlock.core.delivery import Lease
from interlock.core.plan import Planned
from interlock.core.step import Done, Outcome, Rejected, Started, State, Step, Unavailable, Unknown
from interlock.engine import work
from interlock.engine.work import LEASE
from tests.engine.bench import Bench, Script, planned, until
from tests.making import MINUTE, SECOND

pytestmark = pytest.mark.anyio
BOTH_WAYS = pytest.mark.parametrize("needs_look", [True, False])
"""Planned by a worker after a look; and begun at once, with the admission."""

CHAIN = (planned("a"), planned("b", "a"), planned("c", "b"))


def forbids(*jobs: str) -> Callable[[Question], bool]:
    """Policy against these jobs."""

    def permit(question: Question) -> bool:
        return question.resource.id not in jobs

    return permit


@BOTH_WAYS
async def test_what_policy_denies_is_left_out_and_said(needs_look: bool) -> None:
    """The rest of the plan is done; the denied and what needs it are among what was left."""
    bench = Bench(Script((*CHAIN, planned("d")), needs_look=needs_look))
    bench.rules.permit = forbids("b")

    await bench.submit()
    await bench.work()

    owed = await bench.delivery()
    assert owed.state is State.DONE
    assert sorted(bench.target.heard) == [("send", "a"), ("send", "d")]
    assert owed.notes["left"] == [
        {"asset": 'Job::"b"', "why": "denied: no rule permits it"},
        {"asset": 'Job::"c"', "why": "needs b"},
    ]


@BOTH_WAYS
async def test_a_plan_that_policy_denies_whole_fails_loudly(needs_look: bool) -> None:
    """Nothing allowed is not nothing to do."""
    bench = Bench(Script(CHAIN, needs_look=needs_look))
    bench.rules.permit = forbids("a", "c")

    await bench.submit()
    await bench.work()

    owed = await bench.delivery()
    assert owed.state is State.FAILED
    assert owed.reason == "policy denies all of it: denied: no rule permits it"
    assert not bench.target.heard


async def test_policy_is_asked_again_at_a_later_attempt() -> None:
    """What was allowed at noon and is denied at the second attempt fails, denied, unsent."""
    bench = Bench(Script(sends=[Unavailable("503")]))
    await bench.submit()
    await bench.work()
    bench.rules.permit = forbids("a")

    await bench.later()

    assert (await bench.delivery()).state is State.FAILED
    assert (await bench.steps())["a"].reason == "denied: no rule permits it"
    assert bench.target.heard == [("send", "a")]


@BOTH_WAYS
async def test_policy_is_asked_once_per_attempt(needs_look: bool) -> None:
    """The first attempt goes by the plan's decision; each later one by its own."""
    bench = Bench(Script(sends=[Unavailable("503")], needs_look=needs_look))

    await bench.submit()
    await bench.work()
    await bench.later()

    assert [question.action for question in bench.rules.asked] == ["submit", "run", "run"]


async def test_a_question_is_no_attempt_and_asks_no_policy() -> None:
    """Finding out what happened changes nothing, so no authority is needed for it."""
    bench = Bench(Script(sends=[Unknown("timeout")], finds=[Done()]))
    await bench.submit()
    await bench.work()
    bench.rules.permit = forbids("a")

    await bench.later()

    assert (await bench.delivery()).state is State.DONE
    assert bench.target.heard == [("send", "a"), ("find", "a")]


async def test_planning_waits_for_a_target_that_cannot_be_read() -> None:
    """It is tried again, with nothing recorded as planned until then, and then goes on."""
    bench = Bench(Script(looks=[Unavailable("503", 20 * SECOND)]))
    await bench.submit()
    await bench.work()
    first = await bench.delivery()

    await bench.later()

    assert (first.state, first.planned, first.reason) == (State.PENDING, False, "503")
    assert first.not_before == first.limits.admitted + 20 * SECOND
    owed = await bench.delivery()
    assert (owed.state, owed.tries) == (State.DONE, 2)


@pytest.mark.parametrize("broken", ["unreadable", "look", "plan", "plan at once"])
async def test_planning_that_never_works_fails_at_the_deadline(broken: str) -> None:
    """A target that cannot be read and a connector with a bug alike: loud in the end, unsent."""
    bench = Bench(Script(needs_look=broken != "plan at once"))
    bench.target.bug = KeyError("x") if "plan" in broken else None
    looks: dict[str, Unavailable | Exception] = {
        "unreadable": Unavailable("503"),
        "look": OSError("x"),
    }
    await _until_rest(bench, looks.get(broken))

    owed = await bench.delivery()
    assert owed.state is State.FAILED
    assert owed.reason.startswith("could not be planned before the deadline: ")
    assert bench.clock.at <= owed.limits.deadline
    assert not bench.target.heard
    assert [entry.kind for entry in await bench.entries()][-1] == "failed"


async def _until_rest(bench: Bench, look: Unavailable | Exception | None) -> None:
    bench.target.looks = [look or {}] * 1_000
    await bench.submit()
    await bench.work()
    for _ in range(100):
        if (await bench.delivery()).state is not State.PENDING:
            return
        await bench.later()


@BOTH_WAYS
@pytest.mark.parametrize(
    "steps",
    [
        (planned("a", "b"), planned("b", "a")),
        (planned("a", "a"),),
        (planned("b", "a"), planned("a")),
        (planned("a", "nosuch"),),
        (planned("a"), planned("a")),
    ],
)
async def test_a_plan_that_cannot_be_carried_out_is_not_done(
    steps: tuple[Planned, ...], needs_look: bool
) -> None:
    """Steps that wait for one another or for nothing there is: failed, not "nothing to do"."""
    bench = Bench(Script(steps, needs_look=needs_look))

    await bench.submit()
    await bench.work()

    owed = await bench.delivery()
    assert owed.state is State.FAILED
    assert owed.reason.startswith("the connector's plan cannot be carried out: ")
    assert not bench.target.heard


async def test_what_cannot_be_meant_fails_at_once() -> None:
    """A rejected look or plan is not tried again."""
    bench = Bench(Script(looks=[Rejected("with: tables: not a list")]))

    await bench.submit()
    await bench.work()

    assert (await bench.delivery()).reason == "with: tables: not a list"
    assert (await bench.delivery()).state is State.FAILED


async def test_a_connector_that_raises_leaves_doubt() -> None:
    """After a bug in `send` nobody knows what happened: the target is asked, not told again."""
    bench = Bench(Script(sends=[RuntimeError("s3cret")], finds=[RuntimeError("s3cret"), Done()]))
    await bench.submit()
    await bench.work()
    first = (await bench.steps())["a"]
    await bench.later()
    second = (await bench.steps())["a"]
    await bench.later()

    assert (first.state, first.reason) == (State.UNKNOWN, "the connector failed: RuntimeError")
    assert (second.state, second.attempts) == (State.UNKNOWN, 1)
    assert (await bench.delivery()).state is State.DONE
    assert bench.target.heard == [("send", "a"), ("find", "a"), ("find", "a")]


async def test_an_attempt_that_hangs_leaves_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt ends well before its lease does, and what came of it is unknown."""
    monkeypatch.setattr(work, "ATTEMPT_S", 0.01)
    bench = Bench()
    bench.target.gate.clear()

    await bench.submit()
    await bench.work()

    assert (await bench.steps())["a"].reason == "no answer within 0.01 s"
    assert (await bench.delivery()).state is State.UNKNOWN


def test_an_attempt_is_at_most_half_a_lease() -> None:
    """Twice the longest attempt fits in a lease."""
    assert LEASE.total_seconds() >= 2 * work.ATTEMPT_S


class Watching(Script):
    """A target that looks at the record while it is told."""

    bench: Bench

    async def send(self, step: Step, lease: Lease) -> Outcome:
        """See Target."""
        on_record = (await self.bench.steps())[step.key]
        assert (on_record.state, on_record.attempts) == (State.SENDING, 1)
        return await super().send(step, lease)


@BOTH_WAYS
async def test_sending_is_on_record_before_the_call(needs_look: bool) -> None:
    """Whoever finds the delivery after this worker's death knows that it may have happened."""
    target = Watching(needs_look=needs_look)
    bench = target.bench = Bench(target)

    await bench.submit()
    await bench.work()

    assert (await bench.delivery()).state is State.DONE


@BOTH_WAYS
async def test_steps_go_in_order(needs_look: bool) -> None:
    """Each step waits for those it comes after; a target that works on one holds the next."""
    bench = Bench(
        Script(
            CHAIN,
            sends=[Done(), Started("t-1", MINUTE)],
            finds=[Done()],
            needs_look=needs_look,
        )
    )
    await bench.submit()
    await bench.work()
    before = list(bench.target.heard)

    await bench.later()

    assert before == [("send", "a"), ("send", "b")]
    assert bench.target.heard[2:] == [("find", "b"), ("send", "c")]
    assert (await bench.delivery()).state is State.DONE


async def test_what_waits_for_the_failed_is_cancelled() -> None:
    """One rejection settles the delivery at once, and says what was never sent."""
    bench = Bench(Script(CHAIN, sends=[Done(), Rejected("404")]))

    await bench.submit()
    await bench.work()

    states = {key: step.state for key, step in (await bench.steps()).items()}
    owed = await bench.delivery()
    assert states == {"a": State.DONE, "b": State.FAILED, "c": State.CANCELLED}
    assert (owed.state, owed.reason) == (State.FAILED, "404")


async def test_a_few_steps_at_once() -> None:
    """A wide plan is sent in waves, so that one delivery does not run a target over."""
    bench = Bench(Script([planned(f"k{n}") for n in range(20)]))
    bench.target.gate.clear()
    await bench.submit()
    await until(lambda: len(bench.target.heard) == work.AT_ONCE)
    bench.target.gate.set()
    await bench.work()

    assert len(bench.target.heard) == 20
    assert bench.target.most_under_way == work.AT_ONCE


async def test_a_worker_that_lost_its_lease_writes_nothing_and_goes_no_further() -> None:
    """Another worker has asked and gone on meanwhile; the late answer of the first is dropped."""
    bench = Bench(Script(CHAIN[:2], finds=[Done({"by": "second"})]))
    bench.target.gate.clear()
    await bench.submit()
    await until(lambda: bool(bench.target.heard))
    bench.clock.pass_(LEASE)
    await bench.dispatch.once()
    await until(lambda: ("send", "b") in bench.target.heard)
    bench.target.gate.set()
    await bench.work()

    assert (await bench.delivery()).state is State.DONE
    assert (await bench.steps())["a"].result == {"by": "second"}
    assert bench.target.heard == [("send", "a"), ("find", "a"), ("send", "b")]
    assert [a.outcome for a in (await bench.record()).attempts] == ["Unknown", "Done", "Done"]


async def test_every_attempt_is_on_record() -> None:
    """What was told or asked, when, and what came of it."""
    bench = Bench(Script(sends=[Unavailable("503"), Unknown("timeout")], finds=[None]))
    await bench.submit()
    await bench.work()
    for _ in range(3):
        await bench.later()

    attempts = (await bench.record()).attempts
    assert [(a.number, a.asked, a.outcome) for a in attempts] == [
        (1, False, "Unavailable"),
        (2, False, "Unknown"),
        (2, True, "Absent"),
        (3, False, "Done"),
    ]
