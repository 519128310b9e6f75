"""Each kind of step, sent to and found in the sandbox."""

import pytest

from interlock.connectors.looker.session import BEGUN_MAX
from interlock.core.step import (
    Done,
    Outcome,
    Rejected,
    Started,
    Step,
    Unavailable,
    Unknown,
    answered,
    sending,
)
from tests.connectors.looker.shop import Shop, lease
from tests.making import LIMITS, SECOND

pytestmark = [pytest.mark.anyio, pytest.mark.peer]

BUILD = "pdt:shop::daily_sales"
TRIGGER = "datagroup:shop::orders_datagroup"
SALES = "dashboard:shop::sales"
EACH = pytest.mark.parametrize("key", [BUILD, TRIGGER, SALES])
OPERATIONS = {BUILD: "start_pdt_build", TRIGGER: "update_datagroup", SALES: "create_query_task"}
EFFECTS = {
    BUILD: {"started a build of shop::daily_sales": 1},
    TRIGGER: {"triggered datagroup shop::orders_datagroup": 1},
    SALES: {"ran query 101": 1, "ran query 102": 1},
}


async def step_of(shop: Shop, key: str) -> Step:
    """That step of a load of orders, with nothing done yet."""
    steps = await shop.steps()
    shop.looker.forget()
    return steps[key]


async def sent(shop: Shop, step: Step) -> tuple[Outcome, Step]:
    """The outcome of an attempt, and the step after it."""
    outcome = await shop.target.send(step, lease())
    return outcome, answered(
        sending(step, step.not_before, LIMITS), outcome, step.not_before, LIMITS, 0
    )


@EACH
async def test_a_sent_step_can_be_found_until_it_is_done(shop: Shop, key: str) -> None:
    """Its effect happens once, and asking has none."""
    _, step = await sent(shop, await step_of(shop, key))
    shop.pass_(10)
    found = await shop.target.find(step, lease())

    assert isinstance(found, Done)
    assert shop.looker.effects() == EFFECTS[key]


@EACH
async def test_a_rate_limit_is_waited_for(shop: Shop, key: str) -> None:
    """Nothing has happened, and Looker says when to come back."""
    step = await step_of(shop, key)
    shop.looker.script(
        "faults", kind="too_many_requests", operation=OPERATIONS[key], retry_after_s=9
    )
    outcome, _ = await sent(shop, step)

    assert isinstance(outcome, Unavailable)
    assert outcome.retry_after == 9 * SECOND
    assert shop.looker.effects() == {}


@EACH
@pytest.mark.parametrize("kind", ["truncated", "html", "server_error"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_broken_answer_leaves_the_effect_unknown(
    shop: Shop, key: str, kind: str, when: str
) -> None:
    """Whether it has happened or not: nobody can tell them apart."""
    step = await step_of(shop, key)
    shop.looker.script("faults", kind=kind, operation=OPERATIONS[key], when=when, status=503)
    outcome, _ = await sent(shop, step)

    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize("key", [TRIGGER, SALES])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_broken_connection_leaves_the_effect_unknown(
    shop: Shop, key: str, when: str
) -> None:
    """The request may have arrived before the connection broke."""
    step = await step_of(shop, key)
    shop.looker.script("faults", kind="reset", operation=OPERATIONS[key], when=when)
    outcome, _ = await sent(shop, step)

    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize(("when", "known"), [("before", False), ("after", True)])
async def test_a_trigger_whose_answer_was_lost_is_found(shop: Shop, when: str, known: bool) -> None:
    """The datagroup itself tells whether it was triggered at that moment or later."""
    step = await step_of(shop, TRIGGER)
    shop.looker.script("faults", kind="reset", operation="update_datagroup", when=when)
    await sent(shop, step)
    found = await shop.target.find(step, lease())

    assert isinstance(found, Done) is known
    assert known or found is None


async def test_a_trigger_makes_stale_what_was_cached_before_the_look(shop: Shop) -> None:
    """Also what was cached seconds before: the moment is Looker's own now, not a minute ago."""
    token = shop.looker.login()
    body = {"query_id": "101", "result_format": "json"}

    async def source() -> str:
        task = shop.looker.call("POST", "/query_tasks", token=token, body=body).json()["id"]
        shop.pass_(2)
        shown: str = shop.looker.call("GET", f"/query_tasks/{task}", token=token).json()[
            "result_source"
        ]
        return shown

    before = [await source(), await source()]
    await sent(shop, (await shop.steps())[TRIGGER])
    after = [await source(), await source()]

    assert before[1] == "cache"
    assert after == ["query", "cache"]


@pytest.mark.parametrize("skew_s", [-600, 600])
async def test_a_trigger_is_never_in_lookers_future(shop: Shop, skew_s: int) -> None:
    """Whatever its clock says, the moment is taken from that clock."""
    shop.looker.script("clock", skew_s=skew_s)
    outcome, _ = await sent(shop, await step_of(shop, TRIGGER))

    assert isinstance(outcome, Done)


async def test_a_clock_that_steps_back_is_waited_for(shop: Shop) -> None:
    """Looker refuses a time in its future: a moment later it is none."""
    step = await step_of(shop, TRIGGER)
    shop.looker.script("clock", skew_s=-2)
    refused, _ = await sent(shop, step)
    shop.pass_(3)
    taken, _ = await sent(shop, step)

    assert isinstance(refused, Unavailable)
    assert "cannot be in the future" in refused.reason
    assert isinstance(taken, Done)


async def test_a_build_without_an_id_is_refused(shop: Shop) -> None:
    """There is nothing to ask for (apache/airflow issue 23025): a person must look."""
    shop.looker.script("builds", outcome="empty")
    outcome, _ = await sent(shop, await step_of(shop, BUILD))

    assert outcome == Rejected("Looker answered no materialization id: is the view persistent?")


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("complete", Done({"status": "complete", "runtime_s": 2.0})),
        ("error", Rejected("the build ended as error: disk full")),
        ("killed", Rejected("the build ended as killed: disk full")),
        ("unknown", Unknown("Looker says of the build only 'unknown'")),
    ],
)
async def test_a_build_ends_as_looker_says(shop: Shop, script: str, found: Outcome) -> None:
    """A failed one is refused with Looker's message; one nobody knows of is asked for again."""
    shop.looker.script("builds", outcome=script, message="disk full")
    _, step = await sent(shop, await step_of(shop, BUILD))
    running = await shop.target.find(step, lease())
    shop.pass_(3)

    assert running == Started(str(step.reference), SECOND)
    assert await shop.target.find(step, lease()) == found


async def test_a_build_that_never_got_its_id_is_not_known(shop: Shop) -> None:
    """Nobody is asked: there is nothing to ask by."""
    step = await step_of(shop, BUILD)

    assert await shop.target.find(step, lease()) is None
    assert shop.looker.journal() == []


async def test_a_build_that_looker_forgot_is_not_known(shop: Shop) -> None:
    """An id that Looker never heard of is no progress."""
    step = await step_of(shop, BUILD)
    lost = answered(
        sending(step, step.not_before, LIMITS), Started("4711", SECOND), step.not_before, LIMITS, 0
    )

    assert await shop.target.find(lost, lease()) is None


async def test_tiles_are_run_past_the_cache(shop: Shop) -> None:
    """Also when the cache holds a result that looks fresh."""
    step = await step_of(shop, SALES)
    await sent(shop, step)
    _, again = await sent(shop, step)
    shop.pass_(1)
    found = await shop.target.find(again, lease())

    assert found == Done({"queries": 2, "from_cache": 0, "runtime_s": 0.2, "runtime_max_s": 0.1})
    assert shop.looker.effects() == {"ran query 101": 2, "ran query 102": 2}


async def test_an_attempt_that_broke_off_is_gone_on_with(shop: Shop) -> None:
    """The first tile was started; the next attempt starts the second only."""
    step = await step_of(shop, SALES)
    # The pool of faults is per operation: the second call of it meets the limit.
    shop.session.begin(step.id)["101"] = "t1"
    shop.looker.script("faults", kind="too_many_requests", operation="create_query_task")
    first, _ = await sent(shop, step)
    second, after = await sent(shop, step)

    assert isinstance(first, Unavailable)
    assert isinstance(second, Started)
    assert str(after.reference).startswith('{"101":"t1","102":"')
    assert shop.looker.effects() == {"ran query 102": 1}
    assert shop.session.begun == {}


async def test_broken_attempts_are_not_remembered_without_end(shop: Shop) -> None:
    """The oldest are forgotten first; that only costs a query."""
    for n in range(BEGUN_MAX + 1):
        shop.session.begin(f"s-{n}")

    assert len(shop.session.begun) == BEGUN_MAX
    assert "s-0" not in shop.session.begun


async def test_tiles_still_running_are_waited_for(shop: Shop) -> None:
    """Until the last has ended; then the failed ones are named, each with Looker's message."""
    shop.looker.script("tasks", run_s=5, outcome="error", message="no such column")
    _, step = await sent(shop, await step_of(shop, SALES))
    running = await shop.target.find(step, lease())
    shop.pass_(5)
    ended = await shop.target.find(step, lease())

    assert isinstance(running, Started)
    assert ended == Rejected(
        "tile Orders by day: 400 no such column; tile Revenue trend: 400 no such column"
    )


async def test_tiles_that_looker_forgot_are_not_known(shop: Shop) -> None:
    """Their results have expired: nobody can tell how they ended, so they are run again."""
    _, step = await sent(shop, await step_of(shop, SALES))
    shop.pass_(2 * 3600)

    assert await shop.target.find(step, lease()) is None


@EACH
async def test_a_question_that_is_refused_says_nothing_of_the_step(shop: Shop, key: str) -> None:
    """A key that lost its rights must not make a running build look failed."""
    _, step = await sent(shop, await step_of(shop, key))
    asks = {BUILD: "check_pdt_build", TRIGGER: "datagroup", SALES: "query_task"}
    shop.looker.script("faults", kind="server_error", operation=asks[key], status=500)

    assert isinstance(await shop.target.find(step, lease()), Unavailable)
