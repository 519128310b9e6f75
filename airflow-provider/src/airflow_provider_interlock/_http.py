"""One HTTP exchange: bounded, never redirected, and never a token in the clear."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from ipaddress import ip_address
from typing import Any, cast
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener
from urllib.response import addinfourl

ANSWER_BYTES_MAX = 262_144  # receipts, tokens and problems are a few KiB; more is not our peer
PROBLEM = "application/problem+json"  # RFC 9457; what stands in front of a gateway says text/html
SILENCE_S_MAX = 10.0  # a peer silent for so long is treated as down; the event stays ours


class NotSent(Exception):  # noqa: N818 - it says what happened: nothing was acknowledged
    """The exchange gave no answer to rely on. The text says why; it never holds a credential."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the peer said. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def members(self) -> dict[str, Any]:
        """Return the members of the JSON object in the body; none where it holds no such thing."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def problem(self) -> dict[str, Any]:
        """Return the members of a gateway's problem (RFC 9457 with a `code`); none of any other."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        said = self.members() if kind == PROBLEM else {}
        return said if isinstance(said.get("code"), str) else {}


class _NoRedirects(HTTPRedirectHandler):
    """Lets a redirect be an answer: following it would carry the bearer token to another host."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


_opener = build_opener(_NoRedirects)


def checked_url(url: str, name: str) -> str:
    """Return `url` without its trailing slash.

    Raises:
        ValueError: it is not https (http is for loopback alone), or has more than these parts.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and _loopback(parts.hostname))
    if not secure or not parts.hostname:
        raise ValueError(f"{name}: {url!r} must start with https:// (http:// is for loopback only)")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"{name}: give scheme, host and path only")
    return url.rstrip("/")


def _loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def exchange(url: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
    """POST `body`, or GET where there is none, and return the answer, whatever its status.

    Raises:
        NotSent: no connection, no answer in time, or more than `ANSWER_BYTES_MAX` of it; or a
            header that HTTP cannot carry.
    """
    request = Request(url, data=body, headers=dict(headers))  # noqa: S310 - `checked_url` was here
    try:
        with _open(request) as response:
            content = response.read(ANSWER_BYTES_MAX + 1)
    except (OSError, HTTPException) as err:
        raise NotSent(f"{urlsplit(url).netloc}: {err}") from err
    except ValueError:
        # http.client quotes the header that it cannot send, and that may hold the token.
        raise NotSent(f"{urlsplit(url).netloc}: the request cannot be sent as HTTP") from None
    if len(content) > ANSWER_BYTES_MAX:
        raise NotSent(
            f"an answer of more than {ANSWER_BYTES_MAX} bytes; is this the right address?"
        )
    named = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.code or 0, named, content)


def _open(request: Request) -> addinfourl:
    try:
        return cast(addinfourl, _opener.open(request, timeout=SILENCE_S_MAX))
    except HTTPError as err:
        return err  # urllib raises every status from 300 on; it is an answer all the same
