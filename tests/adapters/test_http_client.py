"""HTTP out, against servers that answer, break, hang and lie: an answer, or which way there is none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from socket import socket

import aiohttp
import pytest

from interlock.adapters.http_client import AioHttp
from interlock.ports import NoAnswerError, NotSentError
from tests.making import SECOND

pytestmark = pytest.mark.anyio
Talk = Callable[[bytes], list[bytes] | None]
"""What the server writes when it has read this request; nothing: it closes; None: it hangs."""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
SOON = timedelta(milliseconds=50)


class Server:
    """A peer that does as its script says: no HTTP library between it and the bytes."""

    def __init__(self, talk: Talk, *, keep: int = 0) -> None:
        self.talk = talk
        self.keep = keep
        self.requests: list[bytes] = []
        self.url = ""
        self._over = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and `keep` more, then close."""
        for _ in range(self.keep + 1):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self.requests.append(head + await reader.readexactly(int(length or 0)))
            answer = self.talk(head)
            if answer is None:
                await self._over.wait()
            if not answer:
                break
            writer.writelines(answer)
        writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Server"]:
        """Serve on a free port until the block ends."""
        listener = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            self._over.set()
            listener.close()


@pytest.fixture
async def http() -> AsyncIterator[AioHttp]:
    """The client."""
    opened = AioHttp()
    yield opened
    await opened.close()


async def test_an_answer_comes_back_whole(http: AioHttp) -> None:
    """Status, headers by lower-case name, and body; what was sent is what was asked, no more."""
    answer = [b"HTTP/1.1 418 T\r\nX-One: 1\r\nContent-Length: 2\r\n\r\nhi"]
    async with Server(lambda _: answer).listening() as server:
        found = await http.request(
            "POST", f"{server.url}/a?b=c", headers={"x-two": "2"}, body=b"body"
        )

    assert (found.status, found.headers["x-one"], found.body) == (418, "1", b"hi")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    names = {line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]}
    assert head.startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert body == b"body"
    assert names == {b"host", b"accept", b"x-two", b"content-length", b"content-type"}


async def test_a_refused_connection_is_not_sent(http: AioHttp) -> None:
    """Where nobody listens nothing happened: safe to send again."""
    with socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with pytest.raises(NotSentError):
            await http.request("POST", f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("url", ["http://", "no url", "http://127.0.0.1:99999/", "http://a b/"])
async def test_what_is_no_url_is_not_sent(http: AioHttp, url: str) -> None:
    """Nothing can have happened at an address that is none."""
    with pytest.raises(NotSentError):
        await http.request("POST", url)


async def test_a_header_that_cannot_be_sent_is_not_sent_and_not_told(http: AioHttp) -> None:
    """A line end in a token sends nothing, and the token is not in the message."""
    async with Server(lambda _: [OK]).listening() as server:
        with pytest.raises(NotSentError) as caught:
            await http.request(
                "GET", server.url, headers={"authorization": "Bearer s3cret\r\nx: y"}
            )

    assert "s3cret" not in str(caught.value)
    assert server.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        [],
        [b"HTTP/1.1 200"],
        [b"HTTP/1.1 200 OK\r\nContent-Le"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nhi"],
        [b"HTTP/1.1 OK\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 40_000 + b"\r\n"],
        [b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1_000_000 + b"\r\n\r\n"],
        [b"\x00\xff" * 100],
        [b"220 smtp.example ESMTP\r\n"],
    ],
    ids=range(12),
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_broken_answer_is_no_answer(
    http: AioHttp, answer: list[bytes], method: str
) -> None:
    """The request arrived, once, and no whole answer came: it may have been acted on."""
    async with Server(lambda _: answer).listening() as server:
        with pytest.raises(NoAnswerError):
            await http.request(method, server.url)

    assert len(server.requests) == 1


def once_then_break() -> Iterator[list[bytes]]:
    """A server that breaks the second talk on a connection."""
    yield [OK]
    while True:
        yield []


def breaks_when_reused() -> Server:
    """It answers the first request of a connection and closes on the second, having read it."""
    script = once_then_break()
    return Server(lambda _: next(script), keep=1)


async def test_a_get_on_a_broken_connection_is_sent_once(http: AioHttp) -> None:
    """Some GETs have effects: a connection that breaks is told, not tried again in secret."""
    async with breaks_when_reused().listening() as server:
        await http.request("GET", server.url)
        with pytest.raises(NoAnswerError):
            await http.request("GET", server.url)

    assert len(server.requests) == 2


async def test_aiohttp_by_itself_would_send_it_again() -> None:
    """The guard against secret repeats is needed: without it the server hears a GET more often."""
    async with breaks_when_reused().listening() as server, aiohttp.ClientSession() as bare:
        await (await bare.get(server.url)).read()
        with pytest.raises(aiohttp.ClientError):
            await bare.get(server.url)

    assert len(server.requests) > 2


@pytest.mark.parametrize("size", [10, 11])
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_an_answer_over_the_limit_is_no_answer(
    http: AioHttp, size: int, framing: str
) -> None:
    """At the limit it is read, beyond it dropped, however the server frames it; the limit is told."""
    body = b"x" * size
    answer = {
        "length": b"Content-Length: %d\r\n\r\n%s" % (size, body),
        "chunked": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (size, body),
        "close": b"\r\n" + body,
    }[framing]
    async with Server(lambda _: [b"HTTP/1.1 200 OK\r\n", answer]).listening() as server:
        asked = http.request("GET", server.url, size_max=10)
        if size == 10:
            assert (await asked).body == body
            return

        with pytest.raises(NoAnswerError, match="over 10 bytes"):
            await asked


async def test_an_endless_answer_is_cut(http: AioHttp) -> None:
    """A server that never stops cannot fill the memory."""
    chunks = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] + [b"400\r\n" + b"x" * 1024 + b"\r\n"] * 50  # fmt: skip
    async with Server(lambda _: chunks).listening() as server:
        with pytest.raises(NoAnswerError, match="over 2000 bytes"):
            await http.request("GET", server.url, size_max=2_000)


@pytest.mark.parametrize("begun", [None, [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"]])
async def test_a_hang_is_no_answer_in_time(http: AioHttp, begun: list[bytes] | None) -> None:
    """A server that never answers, or stops halfway, is left when the time is over."""
    async with Server(lambda _: begun, keep=5).listening() as server:
        with pytest.raises(NoAnswerError, match=r"within 0\.05 s"):
            await http.request("POST", server.url, within=SOON)

    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer(http: AioHttp, status: int) -> None:
    """Our credential never goes where the server points: the redirect itself is the answer."""
    async with Server(lambda _: [OK]).listening() as elsewhere:
        moved = b"HTTP/1.1 %d X\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (
            status,
            elsewhere.url.encode(),
        )
        async with Server(lambda _: [moved]).listening() as server:
            found = await http.request("GET", server.url, headers={"authorization": "Bearer x"})

    assert (found.status, found.headers["location"]) == (status, elsewhere.url)
    assert elsewhere.requests == []


async def test_nothing_is_carried_over(http: AioHttp) -> None:
    """A cookie of one answer is not sent with the next request."""
    cookie = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
    async with Server(lambda _: [cookie], keep=1).listening() as server:
        named = server.url.replace("127.0.0.1", "localhost")  # no client keeps those of addresses
        for _ in range(2):
            await http.request("GET", named)

    assert b"cookie" not in server.requests[1].lower()


async def test_a_compressed_answer_stays_as_it_is(http: AioHttp) -> None:
    """Nothing is unpacked, so a small answer cannot become a large one."""
    squeezed = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi"
    async with Server(lambda _: [squeezed]).listening() as server:
        assert (await http.request("GET", server.url)).body == b"hi"


def every_exception() -> Iterator[type[Exception]]:
    """All that aiohttp, the loop and the system may raise."""
    yield from (TimeoutError, ConnectionResetError, BrokenPipeError, OSError)
    found = [aiohttp.ClientError]
    while found:
        one = found.pop()
        yield one
        found += one.__subclasses__()


NOT_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)


@pytest.mark.parametrize("foreign", sorted(set(every_exception()), key=repr))
async def test_every_foreign_exception_is_translated(
    http: AioHttp, foreign: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever aiohttp raises is one of our two, "not sent" only where that is certain."""

    def break_(*_: object, **__: object) -> Awaitable[None]:
        raise foreign.__new__(foreign)

    monkeypatch.setattr(aiohttp.ClientSession, "_request", break_)

    with pytest.raises(NotSentError if issubclass(foreign, NOT_SENT) else NoAnswerError):
        await http.request("GET", "http://127.0.0.1/", within=SECOND)


def test_the_list_of_exceptions_is_not_empty() -> None:
    """The walk over aiohttp's exceptions finds the well-known ones."""
    assert {aiohttp.ServerDisconnectedError, aiohttp.TooManyRedirects} < set(every_exception())
