"""POST to an endpoint: where, as whom, under which key, and what its answers mean."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from interlock.adapters.secrets import LocalSecrets
from interlock.connectors.http import CONNECTOR, HttpConfig, HttpSession
from interlock.connectors.kit import SAID_MAX, Configured, Minter, Tools
from interlock.core.delivery import Lease, with_plan
from interlock.core.event import Json
from interlock.core.plan import Plan
from interlock.core.step import SAID, Done, Outcome, Rejected, Repeat, Step, Unavailable, Unknown
from interlock.ports import Answer, NoAnswerError, NotSentError
from tests.connectors.endpoint import Endpoint
from tests.making import NOON, SECOND, FixedClock, delivery, event, handoff

pytestmark = pytest.mark.anyio


class Mint:
    """A minter whose tokens say what they are for."""

    def __init__(self) -> None:
        self.minted = 0

    def mint(
        self, audience: str, subject: str, claims: Mapping[str, Json], lifetime: timedelta
    ) -> str:
        """See Minter."""
        self.minted += 1
        return f"{audience}.{subject}.{lifetime.total_seconds():g}.{self.minted}"


def target(
    endpoint: Endpoint, *, minter: Minter | None = None, **parts: Any
) -> Configured[HttpConfig, HttpSession]:
    """A configured endpoint."""
    config = HttpConfig.model_validate(
        {"connector": "http", "owner": "ml", "base_url": "https://x.example/api/", **parts}
    )
    tools = Tools(
        http=endpoint,
        secrets=LocalSecrets({"TOKEN": "s3cret"}),
        clock=FixedClock(),
        minter=minter,
        subject="interlock:acme:x",
    )
    return Configured(name="x", connector=CONNECTOR, config=config, tools=tools)


def lease(**params: Json) -> Lease:
    """A delivery that posts with these parameters."""
    news = event()
    accepted = handoff(news)
    owed = replace(delivery(accepted, target="x", params=params), action="post")
    return Lease(event=news, handoff=accepted, delivery=owed, fence=1)


def step_of(to: Configured[HttpConfig, HttpSession], owed: Lease) -> Step:
    """The one step that the delivery comes to."""
    plan = to.plan(owed, {})
    assert isinstance(plan, Plan)
    [step] = with_plan(owed.delivery, plan, NOON)[1]
    return step


async def sent(endpoint: Endpoint, owed: Lease | None = None, **parts: Any) -> Outcome:
    """What becomes of one attempt."""
    to, owed = target(endpoint, **parts), owed or lease()
    return await to.send(step_of(to, owed), owed)


def test_the_plan_is_one_post_to_a_named_endpoint() -> None:
    """Policy is asked about the endpoint, which is part of the target, path and all."""
    step = step_of(target(Endpoint(), repeat="refused"), lease(path="/models/retrain"))

    assert (step.key, step.action, step.repeat) == ("post", "post", Repeat.REFUSED)
    assert str(step.resource) == 'Endpoint::"x/models/retrain"'
    assert step.resource.parent == target(Endpoint()).resource
    assert step.call == {
        "url": "https://x.example/api/models/retrain",
        "content_type": "application/cloudevents+json",
    }


def test_repeats_do_harm_unless_the_target_says_otherwise() -> None:
    """The careful reading is the default."""
    assert step_of(target(Endpoint()), lease()).repeat is Repeat.HARMFUL


@pytest.mark.parametrize("path", ["", "/", "/a", "/a/"])
def test_policy_is_asked_about_the_path_that_is_sent(path: str) -> None:
    """An endpoint with a slash at its end is another one: in the request and in the question."""
    step = step_of(target(Endpoint()), lease(path=path))

    assert step.resource.id == f"x{path}"
    assert step.call["url"] == f"https://x.example/api{path}"


def test_planning_is_pure() -> None:
    """The same delivery, the same plan, and no request is made for it."""
    endpoint = Endpoint()
    to, owed = target(endpoint, auth={"bearer": "env://TOKEN"}), lease(path="/a")

    assert to.plan(owed, {}) == to.plan(owed, {})
    assert endpoint.heard == []


@pytest.mark.parametrize("path", ["/..", "/../admin", "/a/../../b", "/a/.", "/./a", "/a/.."])
def test_a_path_cannot_leave_the_base(path: str) -> None:
    """Policy was asked about what is below the base URL; nothing else can be reached."""
    found = target(Endpoint()).plan(lease(path=path), {})

    assert found == Rejected("with: path: '.' and '..' are not allowed")


@pytest.mark.parametrize(
    "path",
    [
        *("a", "//evil.example", "/a//b", "/%2e%2e/b", "/a?b=c", "/a#b", "/a\\b", "/a b", "/a\n"),
        *("/..;/admin", "/a;b=c", "/;"),  # some servers take what follows ; for no part of the path
        *("@evil.example", ".evil.example", ":80", "/ä", "/" + "a" * 1_000),
    ],
)
def test_a_path_of_other_characters_is_rejected(path: str) -> None:
    """What could be read as another host, a query or an encoded dot is not a path here."""
    found = target(Endpoint()).plan(lease(path=path), {})

    assert isinstance(found, Rejected)
    assert found.reason.startswith("with: path: ")


@given(st.text("ab./-@:~%\\?#", max_size=12))
def test_every_planned_url_is_below_the_base(path: str) -> None:
    """Whatever the path, a plan posts below the base URL or there is none."""
    found = target(Endpoint()).plan(lease(path=path), {})

    if isinstance(found, Plan):
        url = str(found.steps[0].call["url"])
        assert urljoin(url, url) == urlsplit(url).geturl() == url
        assert url.startswith("https://x.example/api")
        assert ".." not in url.split("/")


async def test_the_event_itself_is_posted() -> None:
    """Without a body of its own the endpoint gets the event as CloudEvents JSON, byte for byte."""
    endpoint, owed = Endpoint(), lease()

    outcome = await sent(endpoint, owed, timeout_s=3)

    [heard] = endpoint.heard
    assert outcome == Done({"status": 200, "said": ""})
    assert (heard.method, heard.url, heard.body) == (
        "POST",
        "https://x.example/api",
        owed.event.body,
    )
    assert heard.headers["content-type"] == "application/cloudevents+json"
    assert heard.within == 3 * SECOND
    assert "authorization" not in heard.headers


async def test_a_body_of_its_own_is_posted_as_json() -> None:
    """What the route makes of the event is sent as plain JSON."""
    endpoint = Endpoint()

    await sent(endpoint, lease(body={"run": "1", "n": [1.5, None]}))

    assert endpoint.heard[0].headers["content-type"] == "application/json"
    assert orjson.loads(endpoint.heard[0].body or b"") == {"run": "1", "n": [1.5, None]}


async def test_the_idempotency_key_is_the_same_at_each_attempt() -> None:
    """The endpoint can know a repeat: one key per step, another for another step."""
    endpoint = Endpoint()
    to, owed = target(endpoint), lease()
    step = step_of(to, owed)
    for attempt in (1, 2, 3):
        await to.send(replace(step, attempts=attempt), owed)

    keys = {heard.headers["idempotency-key"] for heard in endpoint.heard}
    assert keys == {f'"{step.id}"'}


async def test_a_minted_token_is_new_for_each_attempt() -> None:
    """A short token of our own issuer, for this audience, about this target."""
    endpoint, mint = Endpoint(), Mint()
    to, owed = target(endpoint, minter=mint, auth={"mint": "https://x.example"}), lease()
    for _ in range(2):
        await to.send(step_of(to, owed), owed)

    assert [heard.headers["authorization"] for heard in endpoint.heard] == [
        "Bearer https://x.example.interlock:acme:x.300.1",
        "Bearer https://x.example.interlock:acme:x.300.2",
    ]


async def test_a_standing_token_is_sent_and_never_stored() -> None:
    """The reference is resolved at the attempt; the step on record has no trace of the value."""
    endpoint, owed = Endpoint(), lease()
    to = target(endpoint, auth={"bearer": "env://TOKEN"})
    step = step_of(to, owed)
    await to.send(step, owed)

    assert endpoint.heard[0].headers["authorization"] == "Bearer s3cret"
    assert "s3cret" not in repr(step) + repr(to.config)


@pytest.mark.parametrize(
    ("auth", "why"),
    [
        ({"bearer": "env://GONE"}, "the secret env://GONE is not set or empty"),
        ({"mint": "aud"}, "auth.mint needs `issuer` in the configuration"),
    ],
)
async def test_without_its_credential_nothing_is_sent(auth: dict[str, str], why: str) -> None:
    """A credential that cannot be made is no attempt: safe to try again once it is there."""
    endpoint = Endpoint()

    assert await sent(endpoint, auth=auth) == Unavailable(why)
    assert endpoint.heard == []


@pytest.mark.parametrize(
    "parts",
    [
        {"auth": {}},
        {"auth": {"mint": "a", "bearer": "env://T"}},
        {"auth": {"mint": ""}},
        {"auth": {"bearer": "s3cret"}},
        {"timeout_s": 0},
        {"timeout_s": 31},
        {"repeat": "maybe"},
        {"base_url": "x.example"},
        {"base_url": "https://u:p@x.example"},
        {"headers": {}},
    ],
)
def test_a_bad_configuration_is_refused(parts: dict[str, Any]) -> None:
    """Two credentials or none where one is due, times out of range, unknown words and keys."""
    with pytest.raises(ValidationError):
        target(Endpoint(), **parts)


ANSWERS: dict[type[Outcome], list[int]] = {
    Done: [200, 201, 202, 204, 299],
    Rejected: [300, 301, 302, 304, 307, 308, 400, 402, 403, 404, 405, 410, 413, 422, 499],
    Unavailable: [401, 408, 409, 425, 429],
    Unknown: [500, 501, 502, 503, 504, 507, 599, 199, 600],
}


@pytest.mark.parametrize(
    ("status", "expected"), [(s, outcome) for outcome, found in ANSWERS.items() for s in found]
)
async def test_what_a_status_means(status: int, expected: type[Outcome]) -> None:
    """Done, never, not now, or nobody knows: a status that promises nothing is in doubt."""
    outcome = await sent(Endpoint(Answer(status=status, headers={}, body=b"said")))

    assert type(outcome) is expected
    assert str(status) in repr(outcome)


async def test_a_credential_that_is_repeated_is_not_kept() -> None:
    """Some endpoints quote what they were sent; the ledger must not."""
    echo = Answer(status=422, headers={}, body=b"invalid token s3cret for you")

    outcome = await sent(Endpoint(echo), auth={"bearer": "env://TOKEN"})

    assert outcome == Rejected(f"422{SAID}invalid token (credential) for you")


async def test_a_503_that_says_when_is_the_servers_own_word() -> None:
    """With Retry-After nothing was done; a bare 503 may be a proxy's that lost the answer."""
    when = Answer(status=503, headers={"retry-after": "7"}, body=b"")
    bare = Answer(status=503, headers={}, body=b"")

    assert await sent(Endpoint(when)) == Unavailable("503", 7 * SECOND)
    assert await sent(Endpoint(bare)) == Unknown("503")


@pytest.mark.parametrize("status", [408, 425, 429])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7 * SECOND),
        ("Thu, 01 Jan 2026 12:00:09 GMT", 9 * SECOND),
        ("nonsense", None),
        (None, None),
    ],
)
async def test_retry_after_is_passed_on(
    status: int, text: str | None, expected: timedelta | None
) -> None:
    """Seconds or a date, where the status means "later"."""
    headers = {"retry-after": text} if text else {}

    outcome = await sent(Endpoint(Answer(status=status, headers=headers, body=b"")))

    assert outcome == Unavailable(str(status), expected)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (NotSentError("cannot connect"), Unavailable("cannot connect")),
        (NoAnswerError("no answer within 10 s"), Unknown("no answer within 10 s")),
    ],
)
async def test_no_answer_is_not_no_effect(raised: Exception, expected: Outcome) -> None:
    """Not sent: safe to send again. Sent and not answered: nobody knows."""
    assert await sent(Endpoint(raised)) == expected


async def test_a_long_answer_is_cut() -> None:
    """What is kept of an answer is bounded, and bytes that are no text do no harm."""
    outcome = await sent(Endpoint(Answer(status=200, headers={}, body=b"\xff" + b"x" * 10_000)))

    assert isinstance(outcome, Done)
    assert outcome.result["said"] == "\ufffd" + "x" * (SAID_MAX - 1)


async def test_plain_http_cannot_be_asked() -> None:
    """Whether it happened stays open: `find` never makes up an answer."""
    endpoint, owed = Endpoint(), lease()
    to = target(endpoint)

    assert await to.find(step_of(to, owed), owed) is None
    assert endpoint.heard == []
