"""The verbs over HTTP, for programs that are not the gateway."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, TypeAlias, TypedDict, Unpack
from urllib.parse import quote, urlencode, urlsplit

from interlock.ports import Answer, Http, NoAnswerError, NotSentError

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
WITHIN = timedelta(seconds=15)  # a gateway answers in milliseconds; a busy disk takes seconds
PLAN_WITHIN = timedelta(seconds=60)  # a plan reads each of its targets, for 20 s at most
ANSWER_BYTES_MAX = 16_777_216  # a trace names all that a delivery touched and left alone

Result: TypeAlias = dict[str, Any]
"""What the gateway answers; app/views.py says what is in it."""


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """The gateway's "no", as problem+json says it.

    Attributes:
        code: stable and dotted: core/errors.py has them.
        title: the same few words for every refusal of this code.
        fields: the answer's further members.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", ""))
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", ""))
        known = {"type", "status", "code", "title", "detail"}
        self.fields = {name: value for name, value in problem.items() if name not in known}
        super().__init__(f"{self.title}: {self.detail}")


class Unreachable(Exception):  # noqa: N818 - it says what the gateway is
    """No gateway answered; what was sent may have arrived all the same."""


class HandoffsWanted(TypedDict, total=False):
    """Which hand-offs to list: every part given must fit. `since` is RFC 3339."""

    source: str
    type: str
    subject: str
    event: str
    since: str | None
    after: str
    limit: int


class DeliveriesWanted(TypedDict, total=False):
    """Which deliveries to list: every part given must fit. `since` is RFC 3339."""

    handoff: str
    route: str
    target: str
    state: str | None
    since: str | None
    after: str
    limit: int


@dataclass(frozen=True, slots=True)
class Client:
    """One gateway, as one caller. Every verb raises Problem or Unreachable.

    Attributes:
        base_url: https, or http on loopback; anything else raises ValueError when this is made.
        token: asked at each request, so that a token that was renewed is used.
    """

    http: Http
    base_url: str
    token: Callable[[], str]

    def __post_init__(self) -> None:
        check_address(self.base_url)

    async def submit(
        self, body: bytes, content_type: str = STRUCTURED, wait_s: float = 0
    ) -> Result:
        """Hand over the event, or the batch, in `body`: the receipt or receipts.

        With `wait_s` the answer comes when all has settled, or after that time. In a batch each
        event stands alone: the answer's `events` have a `status` each, and none raises.
        """
        headers = {"content-type": content_type}
        if wait_s:
            headers["prefer"] = f"wait={wait_s:.0f}"
        within = WITHIN + timedelta(seconds=wait_s)
        return await self._ask("POST", "/v1/events", body=body, headers=headers, within=within)

    async def plan(self, body: bytes) -> Result:
        """What submitting the event in `body` would come to."""
        headers = {"content-type": STRUCTURED}
        return await self._ask("POST", "/v1/plan", body=body, headers=headers, within=PLAN_WITHIN)

    async def handoffs(self, **wanted: Unpack[HandoffsWanted]) -> Result:
        """One page of the hand-offs wanted, newest first; `next` is `after` for the next page."""
        return await self._ask("GET", "/v1/handoffs" + _query(wanted))

    async def trace(self, handoff: str) -> Result:
        """One hand-off whole."""
        return await self._ask("GET", f"/v1/handoffs/{quote(handoff, safe='')}")

    async def deliveries(self, **wanted: Unpack[DeliveriesWanted]) -> Result:
        """One page of the deliveries wanted, as `handoffs`."""
        return await self._ask("GET", "/v1/deliveries" + _query(wanted))

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        within: timedelta = WITHIN,
    ) -> Result:
        try:
            answer = await self.http.request(
                method,
                self.base_url.rstrip("/") + path,
                headers={"authorization": f"Bearer {self.token()}", **(headers or {})},
                body=body,
                within=within,
                size_max=ANSWER_BYTES_MAX,
            )
        except (NotSentError, NoAnswerError) as err:
            raise Unreachable(f"{self.base_url}: {err}") from err
        return self._result(answer)

    def _result(self, answer: Answer) -> Result:
        """The answer's JSON; what is not of the gateway's making never passes for it."""
        kind = answer.headers.get("content-type", "").partition(";")[0]
        try:
            found = json.loads(answer.body)
        except ValueError:
            found = None
        if isinstance(found, dict) and kind == "application/problem+json" and "code" in found:
            raise Problem(answer.status, found)
        # A batch may have a 4xx of its own, when all its events are refused alike.
        if isinstance(found, dict) and (answer.status in {200, 202} or "events" in found):
            return found
        raise Unreachable(
            f"{self.base_url}: {answer.status} from something that is not an Interlock gateway"
        )


def check_address(url: str) -> None:
    """Raise ValueError unless a credential may go to `url`: https, or http on this machine."""
    parts = urlsplit(url)
    if not parts.hostname or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{url!r}: give scheme, host and path only: https://interlock.example")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError(f"{url!r}: a token needs https:// (http:// is for loopback only)")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _query(wanted: Mapping[str, object]) -> str:
    given = {name: value for name, value in wanted.items() if value}
    return "?" + urlencode(given) if given else ""
