"""What every connector leans on: strict shapes, references, a target that never surprises."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from interlock.adapters.secrets import LocalSecrets
from interlock.connectors import kit
from interlock.connectors.kit import (
    FOLDER,
    RETRY_AFTER_MAX,
    Action,
    BaseUrl,
    Configured,
    Connector,
    LocalPath,
    Model,
    SecretReference,
    TargetConfig,
    Tools,
    complaints,
    retry_after,
)
from interlock.core.delivery import Lease
from interlock.core.event import Json
from interlock.core.plan import Facts, Plan
from interlock.core.step import Done, Outcome, Rejected, Step, Unavailable
from interlock.ports import Answer
from tests.connectors.endpoint import Endpoint
from tests.making import NOON, FixedClock, delivery, event, handoff

pytestmark = pytest.mark.anyio


class Shape(Model):
    """A shape with one of each special field."""

    key: SecretReference = "env://KEY"
    base: BaseUrl | None = None
    where: LocalPath | None = None


class Params(Model):
    """What the toy is told."""

    n: Annotated[int, Field(ge=1)] = 1


class ToyConfig(TargetConfig):
    """A toy's configuration."""

    connector: Literal["toy"]


async def look(_session: object, params: Params, _lease: Lease) -> Facts:
    """The toy says what it was told."""
    return {"n": params.n}


def plan(_config: ToyConfig, params: Params, _lease: Lease, facts: Facts) -> Plan | Rejected:
    """The toy only compares."""
    return Plan() if facts in ({}, {"n": params.n}) else Rejected("odd")


async def send(_session: object, _step: Step, _lease: Lease) -> Outcome:
    """The toy does it."""
    return Done()


async def find(_session: object, _step: Step, _lease: Lease) -> Outcome | None:
    """The toy forgets."""
    return None


def toy(looking: Any = look) -> Configured[ToyConfig, object]:
    """A configured toy that looks this way."""
    action = Action(params=Params, plan=plan, send=send, find=find, look=looking)
    connector = Connector(
        name="toy",
        summary="a toy",
        config=ToyConfig,
        open=lambda _config, _tools: object(),
        resources={},
        actions={"refresh": action},
    )
    tools = Tools(
        http=Endpoint(), secrets=LocalSecrets({}), clock=FixedClock(), minter=None, subject=""
    )
    config = ToyConfig(connector="toy", owner="team", concurrency=3)
    return Configured(name="t", connector=connector, config=config, tools=tools)


def lease(action: str = "refresh", **params: Json) -> Lease:
    """A delivery to the toy."""
    news = event()
    accepted = handoff(news)
    owed = replace(delivery(accepted, target="t", params=params), action=action)
    return Lease(event=news, handoff=accepted, delivery=owed, fence=1)


def test_a_target_is_known_to_policy_by_name_and_owner() -> None:
    """What rules about a target can name."""
    assert str(toy().resource) == 'Target::"t"'
    assert toy().resource.attributes == {"owner": "team"}
    assert toy().concurrency == 3


async def test_a_target_reads_then_plans() -> None:
    """Facts come from `look`; the plan is made of them and of the checked parameters."""
    target, owed = toy(), lease(n=2)

    facts = await target.look(owed)

    assert facts == {"n": 2}
    assert target.plan(owed, {"n": 2}) == Plan()


async def test_without_a_look_there_are_no_facts() -> None:
    """Where the event tells all, nothing is read."""
    assert await toy(None).look(lease()) == {}


@pytest.mark.parametrize(
    ("owed", "why"),
    [
        (lease("nosuch"), "toy has no action 'nosuch': refresh"),
        (lease(n=0), "with: n: Input should be greater than or equal to 1"),
        (lease(m=1), "with: m: Extra inputs are not permitted"),
        (lease(n="s3cret"), "with: n: Input should be a valid integer"),
    ],
)
async def test_bad_parameters_are_rejected_with_the_field(owed: Lease, why: str) -> None:
    """No attempt is made with what cannot be meant; the reason names the field, not the value."""
    for found in (await toy().look(owed), toy().plan(owed, {})):
        assert isinstance(found, Rejected)
        assert found.reason.startswith(why)
        assert "s3cret" not in found.reason


async def test_a_look_that_hangs_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target that cannot be read in time is unavailable: planning is tried again."""

    async def hang(*_: object) -> Facts:
        await asyncio.Event().wait()
        return {}

    monkeypatch.setattr(kit, "LOOK_S", 0.01)

    assert await toy(hang).look(lease()) == Unavailable(
        "the target could not be read within 0.01 s"
    )


@pytest.mark.parametrize(
    "written",
    [
        {"key": "s3cret"},
        {"key": "env://"},
        {"key": "file://"},
        {"key": "vault://s3cret"},
        {"key": "ENV://s3cret"},
        {"base": "https://u:s3cret@x.example"},
        {"base": "https://s3cret@x.example"},
        {"base": "https://x.example/?key=s3cret"},
        {"base": "https://x.example/#s3cret"},
        {"base": "https://x.example/?"},
        {"base": "ftp://x.example/s3cret"},
        {"more": "s3cret"},
    ],
)
def test_a_secret_in_the_open_is_refused_and_not_repeated(written: Mapping[str, str]) -> None:
    """A literal secret is refused wherever it could be put, and the complaint does not show it."""
    with pytest.raises(ValidationError) as caught:
        Shape.model_validate(written)

    found = complaints(caught.value)
    assert next(iter(written)) in found
    assert "s3cret" not in found


@pytest.mark.parametrize(
    "written",
    [{"key": "env://A"}, {"key": "file:///run/a"}, {"base": "https://x.example:1/a/b/"}],
)
def test_references_and_plain_urls_are_taken(written: Mapping[str, str]) -> None:
    """What points to a secret, and a URL that holds none."""
    found = Shape.model_validate(written)

    assert found.model_dump(mode="json", exclude_unset=True) == written


def test_shapes_never_change() -> None:
    """A configuration is replaced whole, never edited in place."""
    with pytest.raises(ValidationError):
        Shape().key = "env://OTHER"


def test_paths_start_at_the_configuration() -> None:
    """A relative path is below the file's folder; an absolute one is as it is."""
    context = {FOLDER: Path("/etc/interlock")}

    relative = Shape.model_validate({"where": "lookml"}, context=context)
    absolute = Shape.model_validate({"where": "/srv/lookml"}, context=context)

    assert (relative.where, absolute.where) == (Path("/etc/interlock/lookml"), Path("/srv/lookml"))


def wait(text: str) -> timedelta | None:
    """The wait that this Retry-After asks for at noon."""
    return retry_after(Answer(status=503, headers={"retry-after": text}, body=b""), NOON)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("86400", 86_400),
        ("86401", 86_400),
        ("9" * 5_000, 86_400),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30),
        ("Thu, 01 Jan 2026 13:00:30 +0100", 30),
        ("Thu, 01 Jan 2026 12:00:30 -0000", 30),
        ("Thursday, 01-Jan-26 12:00:30 GMT", 30),
        ("Thu Jan  1 12:00:30 2026", 30),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: int) -> None:
    """RFC 9110 10.2.3, in its three forms of date; the past is now, and a day is the most."""
    assert wait(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "-1", "1.5", "1e3", "²", "Thu, 99 Jan 2026 12:00:30 GMT"),
        "Thu, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Thu, 01 Jan 2026 12:00:00 +9999999999999",
    ],
)
def test_a_retry_after_that_says_nothing_is_none(text: str) -> None:
    """What is neither is as good as absent."""
    assert wait(text) is None


@given(st.text() | st.text("0123456789 :,-+JanGMTFri"))
def test_any_retry_after_is_a_bounded_wait_or_none(text: str) -> None:
    """Whatever a server writes there, the wait is within a day and nothing is raised."""
    found = wait(text)

    assert found is None or timedelta(0) <= found <= RETRY_AFTER_MAX


def test_no_header_is_no_wait() -> None:
    """An answer without the header asks for nothing."""
    assert retry_after(Answer(status=503, headers={}, body=b""), NOON) is None
