"""The gateway's door for events, `POST /v1/events`, and what it may answer."""

from dataclasses import asdict, dataclass
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Any

from airflow_provider_interlock._clock import now
from airflow_provider_interlock._credentials import Credential
from airflow_provider_interlock._http import Answer, NotSent, exchange

CONTENT_TYPE = "application/cloudevents+json"  # CloudEvents 1.0 HTTP binding, structured mode
RETRY_FIRST, RETRY_MAX = timedelta(seconds=1), timedelta(minutes=1)  # doubling in between
RETRY_AFTER_S_MAX = 300.0  # 5 minutes; all events of a host wait, and asking again is cheap
NOT_FINAL = frozenset({401, 408, 425, 429})  # of the 4xx, those that another try may cure
UNAUTHORIZED = 401
CHECK = "/v1/handoffs?limit=1"  # the cheapest question that needs a token


@dataclass(frozen=True, slots=True)
class Receipt:
    """The event is captured, durably; `duplicate` says that it already was."""

    handoff: str
    event: str
    duplicate: bool
    deliveries: list[Any]

    def as_json(self) -> dict[str, Any]:
        """Return the receipt as JSON values, for XCom."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Refused:
    """The gateway's own final no, never a proxy's. `code` is stable, `detail` is not."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nothing was acknowledged: send the same event again, after `retry_after_s` if given."""

    reason: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A gateway's address and the credential that it knows this Airflow by."""

    base_url: str
    credential: Credential

    def submit(self, event: bytes) -> Receipt | Refused | Unavailable:
        """Send one CloudEvent in structured JSON. Again is harmless: its id is its identity."""
        try:
            answer = self._ask("/v1/events", event)
        except NotSent as err:
            return Unavailable(str(err))
        return _read(answer)

    def check(self) -> tuple[bool, str]:
        """Say whether the gateway answers and knows us, and if not, what to look at."""
        try:
            answer = self._ask(CHECK)
        except NotSent as err:
            return False, str(err)
        match answer.status, answer.members():
            case 200, {"handoffs": _}:
                return True, "The gateway knows this Airflow."
            case ((403 | 404), _) if answer.problem():
                return True, "The gateway knows this Airflow, which may not read its hand-offs."
            case 401, _:
                return False, "The gateway does not accept the token: compare issuer and audience."
            case other, _:
                return False, f"HTTP {other}: is {self.base_url} the gateway's address?"

    def _ask(self, path: str, body: bytes | None = None) -> Answer:
        """Ask once, and once more with a fresh token if the first was not accepted."""
        answer = self._once(path, body, fresh=False)
        return self._once(path, body, fresh=True) if answer.status == UNAUTHORIZED else answer

    def _once(self, path: str, body: bytes | None, *, fresh: bool) -> Answer:
        headers = {"Authorization": f"Bearer {self.credential.token(fresh=fresh)}"}
        if body is not None:
            headers["Content-Type"] = CONTENT_TYPE
        return exchange(self.base_url + path, headers, body)


def wait_after(failures: int, retry_after_s: float | None) -> timedelta:
    """Return the wait after so many failures in a row: 1, 2, 4 ... 60 s, or longer if asked to."""
    backoff = RETRY_FIRST * (1 << min(failures - 1, 6))
    return max(min(backoff, RETRY_MAX), timedelta(seconds=retry_after_s or 0))


def _read(answer: Answer) -> Receipt | Refused | Unavailable:
    said = answer.members()
    match answer.status, said:
        case 202, {"handoff": str(handoff), "event": str(event), "duplicate": bool(duplicate)}:
            deliveries = said.get("deliveries")
            return Receipt(
                handoff, event, duplicate, deliveries if isinstance(deliveries, list) else []
            )
        case status, _ if _final(status) and (problem := answer.problem()):
            return Refused(problem["code"], _sentence(problem))
        case status, _:
            # A redirect, a 200 or a 404 from what is no gateway says nothing of the event.
            return Unavailable(f"HTTP {status} {_sentence(said)}".rstrip(), _retry_after_s(answer))


def _final(status: int) -> bool:
    return 400 <= status < 500 and status not in NOT_FINAL  # noqa: PLR2004 - the class of refusals


def _sentence(problem: dict[str, Any]) -> str:
    """Return what an RFC 9457 problem says to people."""
    return str(problem.get("detail") or problem.get("title") or "")


def _retry_after_s(answer: Answer) -> float | None:
    """Read Retry-After: seconds or a date (RFC 9110 10.2.3)."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        wait = float(text)
    else:
        try:
            date = parsedate_to_datetime(text)
        except ValueError:
            return None
        # Rounded up: early is rude, late is only slow.
        wait = ceil((date.replace(tzinfo=date.tzinfo or UTC) - now()).total_seconds())
    return min(max(wait, 0.0), RETRY_AFTER_S_MAX)
