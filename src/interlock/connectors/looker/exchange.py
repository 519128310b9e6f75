"""One call of Looker's API 4.0, and what it comes to when it fails.

Rule 1: nothing here repeats a call.
Rule 2: what a call may change decides what a broken answer means: the start of a build is a GET,
        yet after a broken answer its effect is unknown.
Rule 3: neither key nor token is ever in a message.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import quote, urlencode

import orjson
from pydantic import TypeAdapter, ValidationError

from interlock.connectors.kit import GOOD, MOVED, REFUSED, SAID_MAX, nothing_done
from interlock.core.step import Rejected, Unavailable, Unknown
from interlock.ports import Answer, Http, NoAnswerError, NotSentError

CALL_TIME = timedelta(seconds=20)  # within an attempt's 30 s; Looker compiles SQL before it answers
ANSWER_BYTES_MAX = 16 * 2**20  # a page of 500 dashboards has about 100 kB
JSON = "application/json"

UNAUTHORIZED, NOT_FOUND = 401, 404

Body = TypeVar("Body")


class CallError(Exception):
    """A call that failed, as the outcome it comes to. `status` is 0 if no answer came."""

    def __init__(self, outcome: Rejected | Unavailable | Unknown, status: int = 0) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome
        self.status = status

    @property
    def of_reading(self) -> Rejected | Unavailable:
        """The outcome where nothing was to be changed: then all doubt is harmless."""
        if isinstance(self.outcome, Unknown):
            return Unavailable(self.outcome.reason)
        return self.outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. `effect`: it may change something at Looker."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = field(default=None, repr=False)
    content_type: str = JSON
    effect: bool = False


def path(*parts: str) -> str:
    """A path of these parts, whatever characters are in them."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


async def send(http: Http, base_url: str, call: Call, token: str | None = None) -> Answer:
    """Whatever answer comes. Raises CallError if none does."""
    url = f"{base_url}/api/4.0{call.path}"
    if call.query:
        url += f"?{urlencode(call.query)}"
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    if call.body is not None:
        headers["content-type"] = call.content_type
    try:
        return await http.request(
            call.method,
            url,
            headers=headers,
            body=call.body,
            within=CALL_TIME,
            size_max=ANSWER_BYTES_MAX,
        )
    except NotSentError as err:
        raise CallError(Unavailable(str(err))) from err
    except NoAnswerError as err:
        raise _broken(call, str(err)) from err


def read(call: Call, answer: Answer, shape: TypeAdapter[Body], now: datetime) -> Body:
    """The body of a good answer. Raises CallError for any other, and for one that breaks off."""
    if answer.status not in GOOD:
        raise _failure(call, answer, now)
    try:
        return shape.validate_python(orjson.loads(answer.body))
    except (orjson.JSONDecodeError, ValidationError) as err:
        said = f"{answer.status} with a body that breaks off or is not Looker's"
        raise _broken(call, said) from err


def _failure(call: Call, answer: Answer, now: datetime) -> CallError:
    status, message = answer.status, _message(answer)
    told = f"{status} {message or '(not an answer of Looker itself)'}"
    if waiting := nothing_done(answer, told, now):
        return CallError(waiting, status)
    if status == UNAUTHORIZED:
        return CallError(Unavailable("Looker refuses a token that it has just given"), status)
    if status in MOVED:
        moved = f"{status}: redirects are not followed; set base_url to where it moved"
        return CallError(Rejected(moved), status)
    if status in REFUSED and message:
        return CallError(Rejected(told), status)
    return _broken(call, told)


def _broken(call: Call, reason: str) -> CallError:
    """Nobody can tell what the server did, which matters only if it may have done something."""
    return CallError(Unknown(reason) if call.effect else Unavailable(reason))


def _message(answer: Answer) -> str | None:
    """What Looker says is wrong (`message`, and `errors` of a 422); None: it is not Looker."""
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(body, dict) or not isinstance(body.get("message"), str):
        return None
    found = body.get("errors")
    errors = found if isinstance(found, list) else []
    details = [
        str(each["message"]) for each in errors if isinstance(each, dict) and "message" in each
    ]
    return ": ".join([body["message"], *details])[:SAID_MAX]
