"""HTTP out, through aiohttp.

A tenth of httpx's CPU per request (encode/httpx issue 3215), with pools and TLS that others keep.
Redirects are never followed: a target that moved is a change to the configuration, and a redirect
would carry our credential to a place that policy did not judge.
"""

from collections.abc import Mapping
from datetime import timedelta

import aiohttp

from interlock.ports import Answer, NoAnswerError, NotSentError

CONNECTIONS_MAX = 256  # in all; a target's own limit is its `concurrency`
KEEPALIVE_S = 30.0
SENT_AGAIN = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""Methods that aiohttp sends again by itself when the connection broke."""


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending it again when the connection broke: some GETs have effects."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as err:
        raise aiohttp.ClientPayloadError(type(err).__name__) from err


class AioHttp:
    """See Http. Make it inside a running loop; `close` it before the loop ends."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX, keepalive_timeout=KEEPALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
        )

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
        try:
            async with self._session.request(
                method,
                url,
                headers=headers,
                data=body,
                allow_redirects=False,
                middlewares=(_once,) if method in SENT_AGAIN else (),
                timeout=aiohttp.ClientTimeout(
                    total=within.total_seconds(),
                    connect=within.total_seconds() / 2,  # a place in the pool, and a connection
                ),
            ) as response:
                answer = await response.content.read(size_max + 1)
                while len(answer) <= size_max and not response.content.at_eof():
                    answer += await response.content.read(size_max + 1 - len(answer))
                if len(answer) > size_max:
                    raise NoAnswerError(f"the answer is over {size_max} bytes")
                found = {name.lower(): value for name, value in response.headers.items()}
                return Answer(status=response.status, headers=found, body=answer)
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.InvalidURL,
            ValueError,
        ) as err:
            raise NotSentError(f"cannot connect: {type(err).__name__}") from err
        except TimeoutError as err:
            raise NoAnswerError(f"no answer within {within.total_seconds():g} s") from err
        except (aiohttp.ClientError, OSError) as err:
            raise NoAnswerError(f"the connection broke: {type(err).__name__}") from err

    async def close(self) -> None:
        """Let go of every connection."""
        await self._session.close()
