"""The client, against the sandbox and against servers that answer as no sandbox would."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import orjson
import pytest

from interlock.adapters.http_client import AioHttp
from interlock.adapters.secrets import LocalSecrets
from interlock.connectors.kit import Tools
from interlock.connectors.looker import client as looker_client
from interlock.connectors.looker.client import Client
from interlock.connectors.looker.exchange import CallError
from interlock.core.step import Outcome, Rejected, Unavailable, Unknown
from interlock.ports import Answer, Http, NoAnswerError, NotSentError
from tests.connectors.looker.shop import Shop, config
from tests.making import NOON, SECOND, FixedClock
from tests.peers.looker import LookerPeer

pytestmark = pytest.mark.anyio

GRANT = {"access_token": "tok-en", "token_type": "Bearer", "expires_in": 3600}
KEY = {"LOOKER_ID": "the-id", "LOOKER_SECRET": "the-secret"}


@dataclass
class Scripted:
    """An Http that lets everyone log in and then gives one answer, or breaks."""

    answer: Answer | Exception
    asked: list[tuple[str, str, Mapping[str, str], bytes | None]] = field(
        default_factory=list, repr=False
    )

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        within: timedelta = timedelta(0),
        size_max: int = 0,
    ) -> Answer:
        """See Http."""
        self.asked.append((method, url, headers or {}, body))
        if url.endswith("/login"):
            return Answer(status=200, headers={}, body=orjson.dumps(GRANT))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def answer(status: int, body: object = b"", **headers: str) -> Answer:
    """An answer; what is not bytes is sent as JSON."""
    sent = body if isinstance(body, bytes) else orjson.dumps(body)
    return Answer(
        status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}, body=sent
    )


def client(http: Http, clock: FixedClock | None = None) -> Client:
    """A client of whatever answers."""
    tools = Tools(
        http=http,
        secrets=LocalSecrets(KEY),
        clock=clock or FixedClock(),
        minter=None,
        subject="interlock:acme:looker",
    )
    return Client(config(), tools)


async def outcomes(said: Answer | Exception) -> tuple[Outcome, Outcome]:
    """What an answer means to a call that reads, and to a GET that starts a build."""
    found = []
    looker = client(Scripted(said))
    for call in (looker.build("1"), looker.start_build("shop", "daily_sales", "airflow:x")):
        with pytest.raises(CallError) as caught:
            await call
        found.append(caught.value.outcome)
    return found[0], found[1]


LOOKERS = {"message": "Not found", "documentation_url": "https://cloud.google.com/looker/docs/"}
INVALID = {"message": "Validation Failed", "errors": [{"field": "x", "message": "is wrong"}]}
PAGE = b"<!DOCTYPE html><html><title>502</title></html>"
WAIT = 7 * SECOND


@pytest.mark.parametrize(
    ("said", "reads", "effect"),
    [
        (NotSentError("refused"), Unavailable("refused"), Unavailable("refused")),
        (NoAnswerError("it broke"), Unavailable("it broke"), Unknown("it broke")),
        (answer(404, LOOKERS), Rejected("404 Not found"), Rejected("404 Not found")),
        (
            answer(422, INVALID),
            Rejected("422 Validation Failed: is wrong"),
            Rejected("422 Validation Failed: is wrong"),
        ),
        (
            answer(429, LOOKERS, retry_after="7"),
            Unavailable("429 Not found", WAIT),
            Unavailable("429 Not found", WAIT),
        ),
        (
            answer(503, LOOKERS, retry_after="7"),
            Unavailable("503 Not found", WAIT),
            Unavailable("503 Not found", WAIT),
        ),
        (answer(503, LOOKERS), Unavailable("503 Not found"), Unknown("503 Not found")),
        (
            answer(502, PAGE),
            Unavailable("502 (not an answer of Looker itself)"),
            Unknown("502 (not an answer of Looker itself)"),
        ),
        (
            answer(404, PAGE),
            Unavailable("404 (not an answer of Looker itself)"),
            Unknown("404 (not an answer of Looker itself)"),
        ),
        (
            answer(200, b'{"materialization_'),
            Unavailable("200 with a body that breaks off or is not Looker's"),
            Unknown("200 with a body that breaks off or is not Looker's"),
        ),
        (
            answer(200, PAGE),
            Unavailable("200 with a body that breaks off or is not Looker's"),
            Unknown("200 with a body that breaks off or is not Looker's"),
        ),
        (
            answer(401, LOOKERS),
            Unavailable("Looker refuses a token that it has just given"),
            Unavailable("Looker refuses a token that it has just given"),
        ),
        (
            answer(302, b"", location="https://elsewhere.example"),
            Rejected("302: redirects are not followed; set base_url to where it moved"),
            Rejected("302: redirects are not followed; set base_url to where it moved"),
        ),
    ],
)
async def test_a_failure_means_what_the_call_may_have_done(
    said: Answer | Exception, reads: Outcome, effect: Outcome
) -> None:
    """To start a build is a GET, and yet what broke off may have started one."""
    assert await outcomes(said) == (reads, effect)


async def test_new_fields_are_passed_over_and_numbers_are_ids_too() -> None:
    """An instance is upgraded without asking us."""
    said = answer(200, {"materialization_id": 7, "resp_text": None, "brand_new": [1]})
    build = await client(Scripted(said)).build("7")

    assert build.materialization_id == "7"


async def test_every_part_of_an_address_is_quoted() -> None:
    """A name from LookML or from an event cannot lead elsewhere."""
    http = Scripted(answer(200, {"materialization_id": "1"}))
    await client(http).start_build("a/../b", "v?x=1", "airflow:d/r&force_rebuild=true")

    assert http.asked[-1][1] == (
        "http://looker.example/api/4.0/derived_table/a%2F..%2Fb/v%3Fx%3D1/start"
        "?source=airflow%3Ad%2Fr%26force_rebuild%3Dtrue"
    )


async def test_the_key_is_only_in_the_body_of_a_login() -> None:
    """Neither key nor token is in an address, a message or a repr."""
    http = Scripted(answer(404, LOOKERS))
    looker = client(http)
    with pytest.raises(CallError) as caught:
        await looker.build("1")

    seen = [str(caught.value), repr(looker), *(url for _, url, _, _ in http.asked)]
    assert not any(secret in text for secret in (*KEY.values(), "tok-en") for text in seen)
    assert http.asked[0][3] == b"client_id=the-id&client_secret=the-secret"


async def test_a_token_is_renewed_before_it_ends() -> None:
    """At four fifths of its life; until then one login serves all."""
    clock, http = FixedClock(), Scripted(answer(200, []))
    looker = client(http, clock)
    for wait_s in (0, 2879, 1, 0):
        clock.pass_(wait_s * SECOND)
        await looker.datagroups()

    logins = [n for n, (_, url, _, _) in enumerate(http.asked) if url.endswith("/login")]
    assert logins == [0, 3]


async def test_callers_at_once_share_one_login(looker: LookerPeer, http: AioHttp) -> None:
    """Also after all their tokens were revoked."""
    shop = Shop(looker, http)
    await asyncio.gather(*(shop.session.client.datagroups() for _ in range(8)))
    looker.script("tokens", revoke_all=True)
    await asyncio.gather(*(shop.session.client.datagroups() for _ in range(8)))

    assert len(looker.journal("login")) == 2


async def test_a_call_with_an_effect_survives_a_revoked_token(shop: Shop) -> None:
    """What was not let in has changed nothing, so it is sent again, once."""
    await shop.session.client.datagroups()
    shop.looker.script("tokens", revoke_all=True)
    await shop.session.client.start_build("shop", "daily_sales", "airflow:x")

    assert shop.looker.effects() == {"started a build of shop::daily_sales": 1}


async def test_a_token_that_ended_early_is_replaced(shop: Shop) -> None:
    """Looker's clock and ours need not agree on how long a token lives."""
    await shop.session.client.datagroups()
    shop.looker.script("advance", seconds=4000)

    assert len(await shop.session.client.datagroups()) == 2


@pytest.mark.parametrize("missing", ["LOOKER_ID", "LOOKER_SECRET"])
async def test_a_secret_that_is_not_there_is_worth_another_try(missing: str) -> None:
    """It may be on its way; the message names the reference."""
    looker = client(Scripted(answer(200, [])))
    looker.tokens.tools.secrets._environment = {**KEY, missing: ""}  # type: ignore[attr-defined]
    with pytest.raises(CallError) as caught:
        await looker.datagroups()

    assert caught.value.outcome == Unavailable(f"the secret env://{missing} is not set or empty")


async def test_a_refused_key_is_worth_another_try(looker: LookerPeer, http: AioHttp) -> None:
    """Keys are rotated; Looker says of a bad one only that it is not found."""
    shop = Shop(LookerPeer(looker.base_url, looker.client_id, "wrong"), http)
    with pytest.raises(CallError) as caught:
        await shop.session.client.datagroups()

    told = "cannot log in with env://LOOKER_ID: 404 Not found"
    assert caught.value.outcome == Unavailable(told)


async def test_a_rate_limit_on_the_login_is_honoured(shop: Shop) -> None:
    """Whoever waits for a token waits as long as Looker asks."""
    shop.looker.script("faults", kind="too_many_requests", operation="login", retry_after_s=9)
    with pytest.raises(CallError) as caught:
        await shop.session.client.datagroups()

    assert isinstance(caught.value.outcome, Unavailable)
    assert caught.value.outcome.retry_after == 9 * SECOND


@dataclass
class Pages(Scripted):
    """An instance with some dashboards, that shows one at a time."""

    dashboards: int = 2

    async def request(self, method: str, url: str, **how: object) -> Answer:
        """See Http."""
        offset = url.partition("offset=")[2]
        is_one = offset.isdecimal() and int(offset) < self.dashboards
        self.answer = answer(200, [{"id": offset}] if is_one else [])
        return await super().request(method, url)


async def test_a_search_goes_on_through_short_pages() -> None:
    """A server may give fewer than asked for; only an empty page is the last."""
    found = await client(Pages(answer(200, []))).dashboards()

    assert [each.id for each in found] == ["0", "1"]


async def test_a_search_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """To pass over some dashboards silently would be worse."""
    monkeypatch.setattr(looker_client, "DASHBOARDS_MAX", 3)
    with pytest.raises(CallError, match="over 3 dashboards"):
        await client(Pages(answer(200, []), dashboards=9)).dashboards()


async def test_the_clock_of_looker_is_heard(shop: Shop) -> None:
    """Its `Date` header tells what it believes the time to be; without one nobody knows."""
    await shop.session.client.datagroups()
    now = shop.session.client.clock
    shop.looker.script("clock", skew_s=-3600)
    await shop.session.client.datagroups()
    behind = shop.session.client.clock

    silent = client(Scripted(answer(200, [])))
    await silent.datagroups()

    assert now
    assert behind
    assert NOON < behind < now
    assert silent.clock is None
