"""Asking the gateway: where it is, who asks, and what its "no" means to the shell."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

import click

from interlock.app.outside import http_out, system_clock
from interlock.app.settings import environment
from interlock.client import Client, Problem, Result, Unreachable, check_address
from interlock.surfaces.cli.identity import NotLoggedIn, token
from interlock.surfaces.cli.options import DEFAULT_URL
from interlock.surfaces.cli.text import Look, clean, look

FORBIDDEN = 403
DENIED = frozenset({401, FORBIDDEN})

CHOOSE_ID = (
    "Choose an id that names the fact: a run id, an order number with its version, a digest of "
    "the file. Sent again under the same id it is still one event; a random id would make it two."
)
_TRY = {
    "identity.not_identified": "interlock login, or put a fresh token into INTERLOCK_TOKEN_FILE. "
    "Why the token is not believed stands in the gateway's record.",
    "identity.not_ready": "send it again in a moment; if it lasts, the gateway cannot reach your "
    "identity provider.",
    "request.not_found": "interlock handoffs lists what you may read.",
    "queue.full": "send the same event again a little later.",
    "ledger.not_ready": "send it again in a moment: nothing was recorded, nothing is lost.",
    "event.conflict": "read what is on record: interlock handoffs --event ID.",
}

Render = Callable[[Result, Look, datetime], Iterable[str]]


class Failed(click.ClickException):
    """It did not work; the last line says what to try."""

    exit_code = 1

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(clean(message) + (f"\nTry: {clean(advice)}" if advice else ""))


class Denied(Failed):
    """Nobody knows the caller, or policy says no."""

    exit_code = 3


class NotReached(Failed):
    """There is no gateway there."""

    exit_code = 5


def ask(url: str | None, question: Callable[[Client], Awaitable[Result]]) -> Result:
    """The gateway's answer. Raises Failed, Denied or NotReached; UsageError for a bad address."""
    address = url or environment().get("INTERLOCK_URL") or DEFAULT_URL
    try:
        check_address(address)
    except ValueError as err:
        raise click.UsageError(f"--url: {err}") from err
    try:
        return asyncio.run(_answer(address, question))
    except NotLoggedIn as err:
        raise Denied(str(err), err.advice) from err
    except Problem as err:
        raise _failure(err) from err
    except Unreachable as err:
        advice = "is it running, and is this its address (--url, INTERLOCK_URL)? "
        again = "To send the same event again is safe: it is recorded once."
        raise NotReached(f"the gateway cannot be reached: {err}", advice + again) from err


async def _answer(address: str, question: Callable[[Client], Awaitable[Result]]) -> Result:
    now = system_clock().now()
    async with http_out() as http:
        client = Client(http, address, lambda: token(environment(), now))
        return await question(client)


def _failure(problem: Problem) -> Failed:
    fields = problem.fields
    advice = _TRY.get(problem.code, "")
    if fields.get("field") == "id":
        advice = CHOOSE_ID
    if problem.status == FORBIDDEN:
        owner = fields.get("owner") or f"whoever owns {fields.get('resource')}"
        advice = f"ask {owner} for a rule that permits it."
    kind = Denied if problem.status in DENIED else Failed
    return kind(f"{problem.title}: {problem.detail} [{problem.code}]", advice)


def show(answer: Result, render: Render, *, as_json: bool) -> None:
    """Print the answer: as it came, or as people read it."""
    if as_json:
        click.echo(json.dumps(answer, indent=2))
        return
    for line in render(clean(answer), look(environment()), system_clock().now()):
        click.echo(line)


def note(text: str) -> None:
    """Say something beside the data."""
    click.echo(clean(text), err=True)
