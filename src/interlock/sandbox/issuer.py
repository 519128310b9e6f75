"""A throw-away OpenID provider on loopback, for the demo and for rehearsals without a real one.

    python -m interlock.sandbox.issuer --clients FILE [--port PORT] [--approve PERSON]

prints `issuer ready http://127.0.0.1:PORT` and ends on SIGTERM. Its key is made at the start and
gone at the end. FILE is JSON:

    {"audience": "https://interlock.example",
     "clients": {"airflow-prod": {"secret": "...", "groups": ["data-eng"]}, "cli": {}},
     "people": {"alice": {"groups": ["analytics"]}}}

A client with a secret gets tokens by client credentials (RFC 6749 section 4.4); one without may
start a device flow (RFC 8628), which a person approves at /device - or which `approve` answers.
Whatever scope is asked for is granted.
"""

import argparse
import hmac
import json
import secrets
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl, unquote_plus

from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from interlock.sandbox.server import run

__all__ = ["Directory", "create_app", "main"]

LIFETIME_S = 600
POLL_S = 1  # RFC 8628 says 5 when unsaid; a demo should not wait
DEVICES_MAX = 100  # flows begun and not yet ended
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 section 6.1: no vowels, so no words


@dataclass(frozen=True, kw_only=True)
class Directory:
    """Who may get tokens, as FILE lists them."""

    audience: str
    clients: Mapping[str, Mapping[str, object]]
    people: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(kw_only=True)
class _Device:
    """A device that waits for a person."""

    client: str
    scope: str
    user_code: str
    ends: float
    person: str | None = None


class _OAuthError(Exception):
    """An error of RFC 6749 section 5.2, by its code."""


def create_app(
    directory: Directory, now: Callable[[], float], *, approve: str | None = None
) -> Starlette:
    """The provider as an ASGI application; its issuer is the address it is served at.

    Args:
        directory: who may get tokens.
        now: seconds since 1970.
        approve: the person who approves every device at once; None to wait for one at /device.

    Raises:
        ValueError: `approve` is nobody in the directory.
    """
    if approve is not None and approve not in directory.people:
        raise ValueError(f"approve: {approve} is not among the people")
    issuer = _Issuer(directory, now, approve)
    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", issuer.discovery),
            Route("/jwks", issuer.jwks),
            Route("/token", issuer.token, methods=["POST"]),
            Route("/device/code", issuer.begin_device, methods=["POST"]),
            Route("/device", issuer.show_device),
            Route("/device", issuer.approve_device, methods=["POST"]),
        ],
        exception_handlers={_OAuthError: _oauth_error},
    )


class _Issuer:
    def __init__(self, directory: Directory, now: Callable[[], float], approve: str | None) -> None:
        self._directory = directory
        self._now = now
        self._approve = approve
        self._key = RSAKey.generate_key(2_048, auto_kid=True)
        self._devices: dict[str, _Device] = {}

    async def discovery(self, request: Request) -> Response:
        """OpenID Discovery 1.0 and RFC 8628 section 4."""
        url = _url(request)
        return JSONResponse(
            {
                "issuer": url,
                "jwks_uri": f"{url}/jwks",
                "token_endpoint": f"{url}/token",
                "device_authorization_endpoint": f"{url}/device/code",
                "response_types_supported": [],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "grant_types_supported": ["client_credentials", DEVICE_CODE],
            }
        )

    async def jwks(self, _: Request) -> Response:
        """The public key."""
        return JSONResponse({"keys": [self._key.as_dict(private=False, use="sig", alg="RS256")]})

    async def token(self, request: Request) -> Response:
        """The token endpoint."""
        form = await _form(request)
        client = self._client(request, form)
        match form.get("grant_type"):
            case "client_credentials" if "secret" in self._directory.clients[client]:
                groups = self._directory.clients[client].get("groups", [])
                return self._grant(request, client, client, groups, form.get("scope", ""))
            case value if value == DEVICE_CODE:
                device = self._approved(client, form.get("device_code", ""))
                groups = self._directory.people[str(device.person)].get("groups", [])
                return self._grant(request, client, str(device.person), groups, device.scope)
            case _:
                raise _OAuthError("unsupported_grant_type")

    async def begin_device(self, request: Request) -> Response:
        """The device authorization endpoint."""
        form = await _form(request)
        client = self._client(request, form)
        self._forget_ended()
        if len(self._devices) >= DEVICES_MAX:
            raise _OAuthError("slow_down")
        letters = "".join(secrets.choice(USER_CODE_LETTERS) for _ in range(8))
        device = _Device(
            client=client,
            scope=form.get("scope", ""),
            user_code=f"{letters[:4]}-{letters[4:]}",
            ends=self._now() + LIFETIME_S,
            person=self._approve,
        )
        device_code = secrets.token_urlsafe(24)
        self._devices[device_code] = device
        page = f"{_url(request)}/device"
        return JSONResponse(
            {
                "device_code": device_code,
                "user_code": device.user_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?user_code={device.user_code}",
                "expires_in": LIFETIME_S,
                "interval": POLL_S,
            }
        )

    async def show_device(self, request: Request) -> Response:
        """The page where a person types the code and says who they are."""
        code = escape(request.query_params.get("user_code", ""))
        people = "".join(f"<option>{escape(name)}</option>" for name in self._directory.people)
        return HTMLResponse(
            "<!doctype html><html lang=en><title>Approve a device</title><form method=post>"
            f"<p><label>Code <input name=user_code required value='{code}'></label>"
            f"<p><label>You are <select name=person>{people}</select></label>"
            "<p><button>Approve</button></form></html>"
        )

    async def approve_device(self, request: Request) -> Response:
        """A person has answered."""
        form = await _form(request)
        waiting = {device.user_code: device for device in self._devices.values()}
        device, person = waiting.get(form.get("user_code", "")), form.get("person", "")
        if device is None or self._now() >= device.ends or person not in self._directory.people:
            return HTMLResponse("<p>No device waits with this code.", status_code=404)
        device.person = person
        return HTMLResponse("<p>Approved. You can close this page.")

    def _client(self, request: Request, form: Mapping[str, str]) -> str:
        """The client that proves itself by its secret, or needs none."""
        name, secret = _basic(request) or (form.get("client_id", ""), form.get("client_secret", ""))
        known = self._directory.clients.get(name)
        if known is None:
            raise _OAuthError("invalid_client")
        expected = str(known.get("secret", ""))
        if not hmac.compare_digest(secret.encode(), expected.encode()):
            raise _OAuthError("invalid_client")
        return name

    def _approved(self, client: str, device_code: str) -> _Device:
        """The device, once a person has approved it; it answers once."""
        self._forget_ended()
        device = self._devices.get(device_code)
        if device is None or device.client != client:
            raise _OAuthError("expired_token")
        if device.person is None:
            raise _OAuthError("authorization_pending")
        return self._devices.pop(device_code)

    def _forget_ended(self) -> None:
        now = self._now()
        self._devices = {
            code: device for code, device in self._devices.items() if now < device.ends
        }

    def _grant(
        self, request: Request, client: str, subject: str, groups: object, scope: str
    ) -> Response:
        """An access token of RFC 9068."""
        issued = int(self._now())
        says = {
            "iss": _url(request),
            "aud": self._directory.audience,
            "sub": subject,
            "client_id": client,
            "groups": groups,
            "scope": scope,
            "iat": issued,
            "exp": issued + LIFETIME_S,
            "jti": secrets.token_urlsafe(16),
        }
        header = {"alg": "RS256", "kid": self._key.kid, "typ": "at+jwt"}
        answer = {
            "access_token": jwt.encode(header, says, self._key, algorithms=["RS256"]),
            "token_type": "Bearer",
            "expires_in": LIFETIME_S,
            "scope": scope,
        }
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})


def _url(request: Request) -> str:
    """Where this runs: of the socket, not of the Host header, which anyone can write."""
    host, port = request.scope["server"]
    return f"http://{host}:{port}"


async def _form(request: Request) -> Mapping[str, str]:
    return dict(parse_qsl((await request.body()).decode("ascii", "replace")))


def _basic(request: Request) -> tuple[str, str] | None:
    """Client and secret from HTTP Basic, each form-encoded (RFC 6749 section 2.3.1)."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        raise _OAuthError("invalid_client") from None
    return unquote_plus(name), unquote_plus(secret)


async def _oauth_error(_: Request, error: Exception) -> Response:
    code = str(error)
    return JSONResponse({"error": code}, status_code=401 if code == "invalid_client" else 400)


def main() -> None:
    """Run it as a program."""
    parser = argparse.ArgumentParser(prog="python -m interlock.sandbox.issuer")
    parser.add_argument("--clients", type=Path, required=True, help="who may get tokens, JSON")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--approve", metavar="PERSON", help="approve every device as this person")
    options = parser.parse_args()
    try:
        directory = Directory(**json.loads(options.clients.read_bytes()))
        app = create_app(directory, time.time, approve=options.approve)  # noqa: TID251 - a program
    except (OSError, TypeError, ValueError) as err:
        parser.error(f"{options.clients}: {err}")
    run(app, name="issuer", port=options.port)


if __name__ == "__main__":
    main()
