"""The device flow: a script of answers for each way it can go, and a real provider."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from interlock.adapters.http_client import AioHttp
from interlock.ports import Answer, NoAnswerError
from interlock.surfaces.cli.device import Device, LoginFailed, Token, discover
from tests.peers.idp import PUBLIC_CLIENT, Idp

pytestmark = pytest.mark.anyio

ISSUER = "https://idp.example"
METADATA = {
    "issuer": ISSUER,
    "device_authorization_endpoint": f"{ISSUER}/device",
    "token_endpoint": f"{ISSUER}/token",
}
BEGUN = {
    "device_code": "secret-code",
    "user_code": "BCDF-GHJK",
    "verification_uri": f"{ISSUER}/activate",
    "expires_in": 60,
    "interval": 2,
}
GRANTED = {"access_token": "a.b.c", "token_type": "Bearer", "expires_in": 300}
PENDING = {"error": "authorization_pending"}
SLOW_DOWN = {"error": "slow_down"}
LOST = None


class Script:
    """Http that answers as told, one answer for each request, and keeps what was asked."""

    def __init__(self, *answers: Mapping[str, Any] | None) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, list[str]]]] = []

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
        self.asked.append((url, parse_qs((body or b"").decode())))
        answer = self.answers.pop(0)
        if answer is LOST:
            raise NoAnswerError("no answer within 10 s")
        status = 400 if "error" in answer else 200
        return Answer(status=status, headers={}, body=json.dumps(answer).encode())


class Person:
    """Whom the code is shown to, and how long the device waits between questions."""

    def __init__(self) -> None:
        self.shown: list[Device] = []
        self.waits: list[float] = []

    async def wait(self, seconds: float) -> None:
        """No time passes in a script."""
        self.waits.append(seconds)


async def log_in(script: Script, person: Person, **wishes: str) -> Token:
    """Discover and log in."""
    provider = await discover(script, ISSUER, "cli", wishes)
    return await provider.log_in(person.shown.append, person.wait)


async def test_it_polls_until_the_person_approves() -> None:
    """The person sees page and code; the device asks at the interval, and gets the token."""
    script, person = Script(METADATA, BEGUN, PENDING, PENDING, GRANTED), Person()

    token = await log_in(script, person, scope="submit read")

    assert token == Token(value="a.b.c", expires_in_s=300)
    assert person.shown == [Device(page=f"{ISSUER}/activate", code="BCDF-GHJK", expires_in_s=60)]
    assert person.waits == [2, 2, 2]
    assert script.asked[1][1] == {"client_id": ["cli"], "scope": ["submit read"]}
    assert script.asked[2][1]["device_code"] == ["secret-code"]


async def test_slow_down_is_for_good() -> None:
    """RFC 8628 3.5: five seconds more, now and from then on."""
    script, person = Script(METADATA, BEGUN, SLOW_DOWN, PENDING, GRANTED), Person()

    await log_in(script, person)

    assert person.waits == [2, 7, 7]


async def test_without_an_interval_it_is_five_seconds() -> None:
    """RFC 8628 3.2."""
    begun = {name: value for name, value in BEGUN.items() if name != "interval"}
    person = Person()

    await log_in(Script(METADATA, begun, GRANTED), person)

    assert person.waits == [5]


async def test_a_lost_answer_is_no_end() -> None:
    """RFC 8628 3.5: after a timeout it asks again, less often."""
    script, person = Script(METADATA, BEGUN, LOST, GRANTED), Person()

    token = await log_in(script, person)

    assert token.value == "a.b.c"
    assert person.waits == [2, 7]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"error": "access_denied"}, "denied in the browser"),
        ({"error": "expired_token"}, "nobody approved"),
        ({"error": "server_error", "error_description": "on fire"}, "on fire"),
        ({}, "status 200"),
    ],
)
async def test_every_other_answer_ends_it(answer: dict[str, str], said: str) -> None:
    """An error that is not a wait says what it means, and nothing is asked any more."""
    script = Script(METADATA, BEGUN, answer)

    with pytest.raises(LoginFailed, match=said):
        await log_in(script, Person())
    assert not script.answers


async def test_it_ends_with_the_code() -> None:
    """A provider that says `pending` for ever is not asked past the code's life."""
    script, person = Script(METADATA, BEGUN, *[PENDING] * 100), Person()

    with pytest.raises(LoginFailed, match="nobody approved"):
        await log_in(script, person)
    assert sum(person.waits) == BEGUN["expires_in"]


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({**METADATA, "issuer": "https://other.example"}, "another issuer"),
        ({"issuer": ISSUER, "token_endpoint": f"{ISSUER}/token"}, "device flow"),
        ({**METADATA, "token_endpoint": "http://idp.example/token"}, "https"),
        ({"error": "not_found"}, "answers 400"),
        (LOST, "no answer"),
    ],
)
async def test_a_provider_that_cannot_do_it_is_refused(
    metadata: dict[str, str] | None, said: str
) -> None:
    """Another issuer's document, a missing endpoint, or one in the clear: no code is asked for."""
    script = Script(metadata)

    with pytest.raises(LoginFailed, match=said):
        await log_in(script, Person())


async def test_a_provider_in_the_clear_is_not_asked() -> None:
    """A token that came over plain http would be anyone's."""
    script = Script()

    with pytest.raises(LoginFailed, match=r"--issuer: .*https"):
        await discover(script, "http://idp.example", "cli", {})
    assert not script.asked


async def test_a_refused_client_is_explained() -> None:
    """What the provider says of the client is said in words that name the option."""
    with pytest.raises(LoginFailed, match="--client-id"):
        await log_in(Script(METADATA, {"error": "invalid_client"}), Person())


def test_a_token_is_not_printed() -> None:
    """Not in a traceback either."""
    assert "a.b.c" not in repr(Token(value="a.b.c", expires_in_s=1))


@pytest.mark.peer
async def test_a_real_provider_approves(idp: Idp) -> None:
    """A certified provider gives a person's token to whoever waits with the approved code."""
    shown: list[Device] = []

    async def approve(_: float) -> None:
        idp.approve_device(shown[-1].code, "alice")

    http = AioHttp()
    try:
        provider = await discover(http, idp.url, PUBLIC_CLIENT, {"scope": "submit"})
        token = await provider.log_in(shown.append, approve)
    finally:
        await http.close()

    assert token.value.count(".") == 2
    assert token.expires_in_s


@pytest.mark.peer
async def test_a_real_provider_denies(idp: Idp) -> None:
    """A person's no arrives as one."""
    shown: list[Device] = []

    async def deny(_: float) -> None:
        idp.deny_device(shown[-1].code)

    http = AioHttp()
    try:
        provider = await discover(http, idp.url, PUBLIC_CLIENT, {"scope": "submit"})
        with pytest.raises(LoginFailed, match="denied in the browser"):
            await provider.log_in(shown.append, deny)
    finally:
        await http.close()
