"""An answer is remembered under all that it depends on, and under nothing less."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.policy_cedar.reads import EVERYTHING, reads
from tests.adapters.policy.site import NOON, asked, site


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("permit (principal, action, resource);", set()),
        ("when { context.hop < 8 }", {"hop"}),
        (
            "when { context has runId && context . runId == context.workflow }",
            {"runId", "workflow"},
        ),
        ("unless { contextual == principal.context_ }", set()),
        ('when { context["now"] < x }', EVERYTHING),
        ("when { context has hop.x && [context].contains(context) }", EVERYTHING),
        ("when { resource.seen == context }", EVERYTHING),
        ("when { context\n  .approval\n.by == context.hop }", {"approval", "hop"}),
    ],
)
def test_reads_are_told_from_the_text(text: str, found: set[str]) -> None:
    """Every member that a policy can see is named; where that is unsure, all of them are."""
    assert reads([text]) == frozenset(found)


def test_a_member_that_is_read_changes_the_answer(tmp_path: Path) -> None:
    """Remembering does not blur what a policy tells apart."""
    authorizer = site(
        tmp_path,
        "permit (principal, action, resource) when { context has eventSubject"
        ' && context.eventSubject like "load_*" };',
    )

    answers = [
        authorizer.decide(asked(eventSubject=subject)).allowed
        for subject in ("load_a", "drop_a", "load_a", "drop_a")
    ]

    assert answers == [True, False, True, False]
    assert not authorizer.decide(asked()).allowed


def test_a_permit_that_ends_ends(tmp_path: Path) -> None:
    """A rule that reads the clock is asked each time."""
    authorizer = site(
        tmp_path,
        "permit (principal, action, resource) when"
        ' { context.now < datetime("2025-06-01T12:00:01Z") };',
    )

    assert authorizer.decide(asked(now=NOON)).allowed
    assert not authorizer.decide(asked(now=NOON + timedelta(seconds=1))).allowed
    assert authorizer.decide(asked(now=NOON)).allowed


@given(
    hops=st.lists(st.integers(0, 12), min_size=2, max_size=8),
    runs=st.lists(st.sampled_from(["a", "b"]), min_size=2, max_size=8),
)
def test_remembering_changes_no_answer(
    tmp_path_factory: pytest.TempPathFactory, hops: list[int], runs: list[str]
) -> None:
    """One that has answered much before says what a new one says."""
    text = """
        permit (principal, action, resource) when { context has hop && context.hop < 8 };
        forbid (principal, action, resource) when { context has runId && context.runId == "b" };
    """
    old = site(tmp_path_factory.mktemp("old"), text)
    for hop, run in zip(hops, runs, strict=False):
        question = asked(hop=hop, runId=run, eventType="x", authorityAge=timedelta(seconds=hop))
        new = site(tmp_path_factory.mktemp("new"), text)

        assert old.decide(question) == new.decide(question)
