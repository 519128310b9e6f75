"""The device flow (RFC 8628): a person approves in a browser, anywhere, what runs here."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from interlock.client import check_address
from interlock.ports import Http, NoAnswerError, NotSentError

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
INTERVAL_S = 5.0  # RFC 8628 3.2, where the provider says nothing
SLOWER_S = 5.0  # RFC 8628 3.5: `slow_down` adds this for good
INTERVAL_S_MAX = 60.0  # a provider that asks for more has lost count
ANSWERS_BYTES_MAX = 65_536
OK = 200

_SAID = {
    "access_denied": "the request was denied in the browser",
    "expired_token": "nobody approved the code in time",
    "invalid_client": "the provider does not know this --client-id",
    "unauthorized_client": "the provider does not let this client use the device flow",
    "invalid_scope": "the provider does not know a --scope",
    "invalid_target": "the provider does not know the --resource",
}

Pause = Callable[[float], Awaitable[None]]


class LoginFailed(Exception):  # noqa: N818 - it says what happened
    """There is no token; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What the person needs to know.

    Attributes:
        complete: the page with the code filled in, where the provider has one.
        expires_in_s: how long the code is good for.
    """

    page: str
    code: str
    complete: str = ""
    expires_in_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What the provider gave. `expires_in_s` is None where it does not say."""

    value: str = field(repr=False)
    expires_in_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An OpenID provider that offers the device flow to one client.

    Attributes:
        wishes: further parameters: scope, audience (some providers), resource (RFC 8707).
    """

    http: Http
    client_id: str
    device_url: str
    token_url: str
    wishes: Mapping[str, str]

    async def log_in(self, show: Callable[[Device], None], pause: Pause) -> Token:
        """The token, once a person has approved what `show` shows. Raises LoginFailed."""
        status, begun = await self._post(self.device_url, self.wishes)
        if status != OK or not {"device_code", "user_code", "verification_uri"} <= begun.keys():
            raise LoginFailed(_reason(begun, status))
        device = Device(
            page=str(begun["verification_uri"]),
            code=str(begun["user_code"]),
            complete=str(begun.get("verification_uri_complete", "")),
            expires_in_s=_seconds(begun.get("expires_in")) or 0,
        )
        show(device)
        asked = {"grant_type": GRANT, "device_code": str(begun["device_code"])}
        interval_s = _seconds(begun.get("interval")) or INTERVAL_S
        waited_s = 0.0
        while waited_s < device.expires_in_s:
            await pause(interval_s)
            waited_s += interval_s
            status, answer = await self._poll(asked)
            if status == OK and isinstance(answer.get("access_token"), str):
                expires_in_s = _seconds(answer.get("expires_in"))
                return Token(value=answer["access_token"], expires_in_s=expires_in_s)
            interval_s = min(_next(interval_s, answer, status), INTERVAL_S_MAX)
        raise LoginFailed(_SAID["expired_token"])

    async def _poll(self, asked: Mapping[str, str]) -> tuple[int, Mapping[str, Any]]:
        """RFC 8628 3.5: a lost answer is no end, but a reason to ask less often."""
        try:
            return await self._post(self.token_url, asked)
        except LoginFailed:
            return 0, {"error": "slow_down"}

    async def _post(self, url: str, form: Mapping[str, str]) -> tuple[int, Mapping[str, Any]]:
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "accept": "application/json",
        }
        body = urlencode({"client_id": self.client_id, **form}).encode()
        return await _exchange(self.http, "POST", url, headers, body)


async def discover(http: Http, issuer: str, client_id: str, wishes: Mapping[str, str]) -> Provider:
    """The provider at `issuer`, by its own metadata. Raises LoginFailed."""
    url = issuer.rstrip("/") + "/.well-known/openid-configuration"
    _check(issuer, "--issuer")
    status, found = await _exchange(http, "GET", url, {"accept": "application/json"})
    if status != OK:
        raise LoginFailed(f"{url} answers {status}: is this the provider's issuer?")
    if found.get("issuer") != issuer:
        # OpenID Discovery 4.3: exactly; anything else may be another provider's document.
        raise LoginFailed(f"{url} is of another issuer: {found.get('issuer')}; is it that one?")
    if "device_authorization_endpoint" not in found or "token_endpoint" not in found:
        raise LoginFailed(f"{issuer} does not offer the device flow (RFC 8628)")
    endpoints = [str(found["device_authorization_endpoint"]), str(found["token_endpoint"])]
    for endpoint in endpoints:
        _check(endpoint, url)
    return Provider(
        http=http,
        client_id=client_id,
        device_url=endpoints[0],
        token_url=endpoints[1],
        wishes=wishes,
    )


def _next(interval_s: float, answer: Mapping[str, Any], status: int) -> float:
    """How long to wait now. Raises LoginFailed if it is over."""
    match answer.get("error"):
        case "authorization_pending":
            return interval_s
        case "slow_down":
            return interval_s + SLOWER_S
        case _:
            raise LoginFailed(_reason(answer, status))


def _reason(answer: Mapping[str, Any], status: int) -> str:
    code = str(answer.get("error", f"status {status}"))
    more = answer.get("error_description")
    return f"{_SAID.get(code, 'the provider says no')} [{code}]" + (f": {more}" if more else "")


async def _exchange(
    http: Http, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
) -> tuple[int, Mapping[str, Any]]:
    try:
        answer = await http.request(
            method, url, headers=headers, body=body, size_max=ANSWERS_BYTES_MAX
        )
    except (NotSentError, NoAnswerError) as err:
        raise LoginFailed(f"{url}: {err}") from err
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    return answer.status, found if isinstance(found, dict) else {}


def _check(url: str, where: str) -> None:
    try:
        check_address(url)
    except ValueError as err:
        raise LoginFailed(f"{where}: {err}") from err


def _seconds(value: object) -> float | None:
    """A positive number of seconds; some providers write it as text."""
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if 0 < found < float("inf") else None
