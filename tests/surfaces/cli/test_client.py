"""The client takes a gateway's word and nobody else's."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from interlock.client import Client, Problem, Unreachable, check_address
from interlock.ports import Answer, NoAnswerError, NotSentError

pytestmark = pytest.mark.anyio

URL = "https://interlock.example"
PROBLEM = {"code": "queue.full", "title": "Too many", "detail": "later", "retry_after_s": 3}


class Server:
    """Http whose server gives one answer, or fails."""

    def __init__(self, answer: Answer | Exception) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        within: timedelta = timedelta(seconds=10),
        size_max: int = 1_048_576,
    ) -> Answer:
        """See Http."""
        self.asked.append({"method": method, "url": url, "headers": headers, "within": within})
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def answer(status: int, body: object, kind: str = "application/json") -> Answer:
    """An answer with JSON in it."""
    return Answer(status=status, headers={"content-type": kind}, body=json.dumps(body).encode())


def client(server: Server) -> Client:
    """A client of that server."""
    return Client(server, URL, lambda: "the.token")


async def test_a_problem_is_raised_whole() -> None:
    """Code, title, detail and the further members arrive as the gateway wrote them."""
    server = Server(answer(429, PROBLEM, "application/problem+json"))

    with pytest.raises(Problem) as refused:
        await client(server).trace("h-1")

    problem = refused.value
    assert (problem.status, problem.code, problem.detail) == (429, "queue.full", "later")
    assert problem.fields == {"retry_after_s": 3}


@pytest.mark.parametrize(
    "strange",
    [
        Answer(status=200, headers={"content-type": "text/html"}, body=b"<html>Sign in</html>"),
        Answer(status=502, headers={}, body=b""),
        Answer(status=200, headers={"content-type": "application/json"}, body=b"[]"),
        answer(404, {"detail": "Not Found"}),
        answer(302, {}),
    ],
)
async def test_a_stranger_is_not_the_gateway(strange: Answer) -> None:
    """A sign-in page, a proxy's error, another service: none passes for a receipt."""
    with pytest.raises(Unreachable, match="not an Interlock gateway"):
        await client(Server(strange)).submit(b"{}")


@pytest.mark.parametrize("failure", [NotSentError("refused"), NoAnswerError("timeout")])
async def test_no_answer_is_unreachable(failure: Exception) -> None:
    """Neither a refused connection nor a lost answer is anything but that."""
    with pytest.raises(Unreachable, match=URL):
        await client(Server(failure)).plan(b"{}")


async def test_a_refused_batch_is_an_answer() -> None:
    """In a batch each event has its own status; all refused alike is still the answer."""
    events = {"events": [{"status": 403, "code": "policy.not_allowed"}]}

    assert await client(Server(answer(403, events))).submit(b"[]") == events


async def test_the_token_is_asked_for_each_time() -> None:
    """A token renewed between two requests is used for the second."""
    tokens = iter(["first", "second"])
    server = Server(answer(200, {}))
    caller = Client(server, URL, lambda: next(tokens))

    await caller.handoffs()
    await caller.handoffs()

    assert [each["headers"]["authorization"] for each in server.asked] == [
        "Bearer first",
        "Bearer second",
    ]


async def test_a_wait_is_waited_for() -> None:
    """Whoever asks the gateway to wait allows it that time, and a little more."""
    server = Server(answer(202, {}))

    await client(server).submit(b"{}", wait_s=30)

    [asked] = server.asked
    assert asked["headers"]["prefer"] == "wait=30"
    assert asked["within"] > timedelta(seconds=30)


async def test_a_filter_is_a_query() -> None:
    """What is given is encoded, and what is empty is left out."""
    server = Server(answer(200, {}))

    await client(server).handoffs(
        source="", event="a/b c", since="2026-01-01T00:00:00+00:00", limit=5
    )

    [asked] = server.asked
    assert asked["url"] == (
        f"{URL}/v1/handoffs?event=a%2Fb+c&since=2026-01-01T00%3A00%3A00%2B00%3A00&limit=5"
    )


async def test_an_id_stays_in_its_place() -> None:
    """No id can become another path."""
    server = Server(answer(200, {}))

    await client(server).trace("../events?x")

    assert server.asked[0]["url"] == f"{URL}/v1/handoffs/..%2Fevents%3Fx"


@pytest.mark.parametrize(
    "url", ["https://interlock.example/base", "http://127.0.0.1:8470", "http://[::1]:1"]
)
def test_a_token_may_go_over_tls_or_stay_here(url: str) -> None:
    """TLS anywhere; without it on loopback."""
    check_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://interlock.example",
        "http://127.0.0.1.example",
        "ftp://127.0.0.1",
        "127.0.0.1:8470",
        "https://user:word@interlock.example",
        "https://interlock.example?x=1",
        "https://",
        "",
    ],
)
def test_a_token_goes_nowhere_else(url: str) -> None:
    """In the clear, or to an address that says more than an address, it is not sent."""
    with pytest.raises(ValueError, match="https://"):
        Client(Server(answer(200, {})), url, lambda: "the.token")
