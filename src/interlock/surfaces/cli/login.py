"""`interlock login`: become someone, by the browser."""

import asyncio
from datetime import timedelta

import click

from interlock.app.outside import http_out, system_clock
from interlock.app.settings import environment
from interlock.surfaces.cli.calling import Denied, Failed, note
from interlock.surfaces.cli.device import Device, LoginFailed, Token, discover
from interlock.surfaces.cli.identity import TOKEN_FILE, Login, keep, login_file
from interlock.surfaces.cli.text import iso, span


@click.command()
@click.option("--issuer", required=True, help="The OpenID provider, as its tokens' `iss` says it.")
@click.option("--client-id", required=True, help="A public client that may use the device flow.")
@click.option("--scope", default="", help="What to ask for, separated by spaces.")
@click.option("--audience", default="", help="For whom the token is, where the provider asks it.")
@click.option("--resource", default="", help="For whom the token is, as RFC 8707 asks it.")
def login(issuer: str, client_id: str, scope: str, audience: str, resource: str) -> None:
    """Log in with your browser, here or on another device.

    The token is kept where only you can read it, until it expires.
    """
    wishes = {"scope": scope, "audience": audience, "resource": resource}
    given = {name: value for name, value in wishes.items() if value}
    try:
        token = asyncio.run(_log_in(issuer, client_id, given))
    except LoginFailed as err:
        raise Denied(str(err), "interlock login once more, or ask whoever runs it") from err
    now = system_clock().now()
    ends = now + timedelta(seconds=token.expires_in_s) if token.expires_in_s else None
    kept = Login(issuer=issuer, token=token.value, expires_at=ends.isoformat() if ends else None)
    path = login_file(environment())
    try:
        keep(kept, path)
    except OSError as err:
        raise Failed(f"{path}: {err.strerror}", "set XDG_STATE_HOME to a folder of yours") from err
    note("Logged in" + (f" for {span(ends - now)}, until {iso(ends)}." if ends else "."))
    if environment().get(TOKEN_FILE):
        note(f"{TOKEN_FILE} is set, and goes before this login: unset it to use the login.")


async def _log_in(issuer: str, client_id: str, wishes: dict[str, str]) -> Token:
    async with http_out() as http:
        provider = await discover(http, issuer, client_id, wishes)
        return await provider.log_in(_show, asyncio.sleep)


def _show(device: Device) -> None:
    note(f"Open  {device.complete or device.page}")
    note(f"Code  {device.code}" + ("  (compare it)" if device.complete else "  (type it there)"))
    note(f"Waiting for your approval, {span(timedelta(seconds=device.expires_in_s))} at most ...")
