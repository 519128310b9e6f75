"""Key drills: rotation, outage, slowness and floods, with the issuer's documents in our hand."""

import asyncio

import anyio
import pytest
from anyio import create_task_group, wait_all_tasks_blocked

from interlock.adapters.identity_oidc import OidcVerifier
from interlock.adapters.identity_oidc.keyring import (
    ABSENT_FOR,
    ABSENT_MAX,
    DOCUMENT_BYTES_MAX,
    FETCH_INTERVAL,
    FETCHES_AT_ONCE,
    KEYS_FRESH,
    KEYS_STALE,
)
from interlock.core.errors import CannotIdentify, NotIdentified
from tests.adapters.identity.forge import EC, ED, NOW, RSA, SigningKey, claims, token
from tests.adapters.identity.provider import JWKS_URL, Provider, SetClock, verifier

pytestmark = [pytest.mark.anyio, pytest.mark.drill]


@pytest.fixture
def clock() -> SetClock:
    """A clock at NOW."""
    return SetClock()


@pytest.fixture
def provider() -> Provider:
    """A provider that publishes one key."""
    return Provider(RSA)


@pytest.fixture
def verifying(provider: Provider, clock: SetClock) -> OidcVerifier:
    """A verifier that has asked for nothing yet."""
    return verifier(provider, clock)


def fresh(clock: SetClock, key: SigningKey = RSA, **header: object) -> str:
    """A token of this moment, unlike any before."""
    at = int(clock.at.timestamp())
    return token(claims(iat=at, nbf=at, exp=at + 300), key, **header)  # type: ignore[arg-type]


async def refused(verifying: OidcVerifier, credential: str) -> bool:
    """Whether the token is refused."""
    try:
        await verifying.verify(credential)
    except NotIdentified:
        return True
    return False


async def test_many_first_callers_share_one_fetch(
    provider: Provider, verifying: OidcVerifier
) -> None:
    """Fifty tokens at once need the two documents once."""
    async with create_task_group() as tasks:
        for number in range(50):
            tasks.start_soon(verifying.verify, token(claims(sub=f"s{number}")))

    assert provider.asked == [
        "https://login.example/oauth2/.well-known/openid-configuration",
        JWKS_URL,
    ]


async def test_a_caller_that_leaves_does_not_stop_the_fetch(
    provider: Provider, verifying: OidcVerifier
) -> None:
    """Of two callers that wait for the keys one is cancelled; the other is answered."""
    provider.gate = anyio.Event()
    found: list[str] = []

    async def stay() -> None:
        found.append((await verifying.verify(token())).id)

    async with create_task_group() as tasks:
        with anyio.CancelScope() as leaves:
            async with create_task_group() as impatient:
                impatient.start_soon(verifying.verify, token())
                await wait_all_tasks_blocked()
                tasks.start_soon(stay)
                await wait_all_tasks_blocked()
                leaves.cancel()
        provider.gate.set()

    assert found == ["okta/airflow-prod"]
    assert provider.fetches == 1


async def test_a_key_added_works_at_once(
    provider: Provider, verifying: OidcVerifier, clock: SetClock
) -> None:
    """Overlapping rotation: the first token of the new key is believed, and the old one's still."""
    await verifying.verify(fresh(clock))
    provider.keys.append(EC.jwk())

    found = [await verifying.verify(fresh(clock, key)) for key in (EC, RSA)]

    assert len(found) == 2
    assert provider.fetches == 2


async def test_a_key_replaced_is_gone_at_once(
    provider: Provider, verifying: OidcVerifier, clock: SetClock
) -> None:
    """Hard rotation: the new key's first token also ends what the old key's tokens had proven."""
    old = fresh(clock)
    await verifying.verify(old)
    provider.keys = [EC.jwk()]
    await verifying.verify(fresh(clock, EC))

    assert await refused(verifying, old)


async def test_another_key_under_the_same_name_counts(
    provider: Provider, verifying: OidcVerifier, clock: SetClock
) -> None:
    """A key replaced without a new name is noticed when the keys are next fetched."""
    await verifying.verify(fresh(clock))
    provider.keys = [EC.jwk(kid="rsa-1")]
    clock.at += KEYS_FRESH * 1.01

    assert await refused(verifying, fresh(clock))


async def test_a_withdrawn_key_counts_for_no_longer_than_promised(
    provider: Provider, verifying: OidcVerifier, clock: SetClock
) -> None:
    """Without any new key to draw attention, a withdrawn one ends with KEYS_FRESH."""
    await verifying.verify(fresh(clock))
    provider.keys = []
    clock.at += KEYS_FRESH * 1.01

    assert await refused(verifying, fresh(clock))


OUTAGES = {
    "500": {"status": 500},
    "a redirect": {"status": 302},
    "no connection": {"lost": True},
    "a shared secret among the keys": {"keys": [{"kty": "oct", "k": "AA"}]},
    "more than 256 KiB": {"keys": [RSA.jwk(pad="x" * DOCUMENT_BYTES_MAX)]},
    "no discovery": {"discovery": {}},
    "another issuer's discovery": {"discovery": {"issuer": "https://evil.example", "jwks_uri": JWKS_URL}},
    "a discovery without jwks_uri": {"discovery": {"issuer": "https://login.example/oauth2"}},
    "keys over plain http": {"discovery": {"issuer": "https://login.example/oauth2", "jwks_uri": "http://127.0.0.1/jwks"}, "elsewhere": {"http://127.0.0.1/jwks": {"keys": [RSA.jwk()]}}},
}  # fmt: skip


def break_down(provider: Provider, outage: str) -> None:
    """Let the provider fail in this way."""
    for name, value in OUTAGES[outage].items():  # type: ignore[attr-defined]
        setattr(provider, name, value)


@pytest.mark.parametrize("outage", OUTAGES)
async def test_without_keys_nobody_is_let_in(
    outage: str, provider: Provider, verifying: OidcVerifier
) -> None:
    """Keys that never came are our trouble, not the caller's: 503, try again, and never yes."""
    break_down(provider, outage)

    with pytest.raises(CannotIdentify, match="keys of issuer okta cannot be fetched") as refusal:
        await verifying.verify(token())

    assert refusal.value.status == 503
    assert refusal.value.fields == {"retry_after_s": 10}


@pytest.mark.parametrize("outage", OUTAGES)
async def test_old_keys_bridge_an_outage(
    outage: str, provider: Provider, verifying: OidcVerifier, clock: SetClock
) -> None:
    """While the issuer fails the keys we hold still serve, up to KEYS_STALE and not beyond."""
    await verifying.verify(fresh(clock))
    break_down(provider, outage)
    clock.at = NOW + KEYS_STALE

    bridged = await verifying.verify(fresh(clock))

    assert bridged.id == "okta/airflow-prod"
    clock.at = NOW + KEYS_STALE * 1.01
    with pytest.raises(CannotIdentify):
        await verifying.verify(fresh(clock))


async def test_an_outage_that_ends_is_forgotten(provider: Provider, clock: SetClock) -> None:
    """The next caller after the issuer is back is let in, without a restart."""
    verifying = verifier(provider, clock)
    provider.lost = True
    with pytest.raises(CannotIdentify):
        await verifying.verify(fresh(clock))
    provider.lost = False

    assert (await verifying.verify(fresh(clock))).id == "okta/airflow-prod"


async def test_a_slow_issuer_holds_up_nobody_twice(
    provider: Provider, verifying: OidcVerifier, clock: SetClock
) -> None:
    """After one failed fetch, callers whose key we hold are answered while tries go on behind."""
    await verifying.verify(fresh(clock))
    provider.status = 500
    clock.at += KEYS_FRESH * 2
    await verifying.verify(fresh(clock))
    provider.gate = anyio.Event()
    clock.at += FETCH_INTERVAL

    answered = asyncio.ensure_future(verifying.verify(fresh(clock)))
    await wait_all_tasks_blocked()
    waited = not answered.done()
    provider.gate.set()
    await answered

    assert not waited
    assert provider.fetches == 3


async def test_after_an_outage_old_keys_are_refreshed_before_use(
    provider: Provider, verifying: OidcVerifier, clock: SetClock
) -> None:
    """Once the issuer is back, a withdrawn key again counts for no longer than KEYS_FRESH."""
    await verifying.verify(fresh(clock))
    provider.status = 500
    clock.at += KEYS_FRESH * 1.01
    await verifying.verify(fresh(clock))
    provider.status = 200
    assert await refused(verifying, token(kid="another"))
    provider.keys = []
    clock.at += KEYS_FRESH * 1.01

    assert await refused(verifying, fresh(clock))


async def test_a_flood_of_unknown_keys_is_not_passed_on(
    provider: Provider, verifying: OidcVerifier, clock: SetClock
) -> None:
    """A thousand made-up key names cost the issuer FETCHES_AT_ONCE fetches, then one a while."""
    flood = [await refused(verifying, token(kid=f"made-up-{number}")) for number in range(1_000)]

    assert all(flood)
    assert provider.fetches == FETCHES_AT_ONCE
    clock.at += FETCH_INTERVAL
    assert await refused(verifying, token(kid="made-up"))
    assert await refused(verifying, token(kid="made-up-too"))
    assert provider.fetches == FETCHES_AT_ONCE + 1


async def test_a_quiet_day_does_not_pay_for_a_flood(
    provider: Provider, verifying: OidcVerifier, clock: SetClock
) -> None:
    """However long nothing happened, FETCHES_AT_ONCE is all that a flood gets."""
    await verifying.verify(fresh(clock))
    clock.at += KEYS_STALE
    for number in range(20):
        await refused(verifying, token(kid=f"made-up-{number}"))

    assert provider.fetches == 1 + FETCHES_AT_ONCE


async def test_a_flood_does_not_shut_out_the_good(
    provider: Provider, verifying: OidcVerifier, clock: SetClock
) -> None:
    """Amid a flood known keys serve as ever, and a new key works after one FETCH_INTERVAL."""
    for number in range(20):
        await refused(verifying, token(kid=f"made-up-{number}"))
    provider.keys.append(EC.jwk())

    known = await verifying.verify(fresh(clock))
    clock.at += FETCH_INTERVAL
    rotated = await verifying.verify(fresh(clock, EC))

    assert known.id == rotated.id


async def test_an_absent_key_is_not_looked_for_again_and_again(
    provider: Provider, verifying: OidcVerifier, clock: SetClock
) -> None:
    """A client with a wrong key costs one fetch per ABSENT_FOR, however often it calls."""
    for _ in range(50):
        await refused(verifying, token(kid="wrong"))
    once = provider.fetches
    clock.at += ABSENT_FOR
    await refused(verifying, token(kid="wrong"))

    assert (once, provider.fetches) == (1, 2)


async def test_a_key_that_was_not_looked_for_is_not_noted_as_absent(
    provider: Provider, verifying: OidcVerifier, clock: SetClock
) -> None:
    """A new key met while no fetch was allowed is looked for as soon as one is."""
    for number in range(FETCHES_AT_ONCE):
        await refused(verifying, token(kid=f"made-up-{number}"))
    provider.keys.append(ED.jwk())
    clock.at += FETCH_INTERVAL / 2
    assert await refused(verifying, fresh(clock, ED))
    clock.at += FETCH_INTERVAL / 2

    assert (await verifying.verify(fresh(clock, ED))).id == "okta/airflow-prod"


async def test_a_key_published_late_is_found_by_any_fetch(
    provider: Provider, verifying: OidcVerifier, clock: SetClock
) -> None:
    """A name noted as absent works as soon as some fetch brought its key."""
    await refused(verifying, fresh(clock, ED))
    provider.keys.append(ED.jwk())
    await refused(verifying, token(kid="another"))

    assert (await verifying.verify(fresh(clock, ED))).id == "okta/airflow-prod"


async def test_made_up_names_are_not_all_remembered(
    verifying: OidcVerifier, clock: SetClock
) -> None:
    """The list of absent names has an end, so that a patient attacker cannot fill the memory."""
    for number in range(ABSENT_MAX + 10):
        clock.at += FETCH_INTERVAL
        await refused(verifying, token(kid=f"made-up-{number}"))
    (_, keyring), *_ = verifying._trusted.values()

    assert len(keyring._absent) == ABSENT_MAX


async def test_a_clock_that_steps_back_opens_nothing(
    provider: Provider, verifying: OidcVerifier, clock: SetClock
) -> None:
    """When time is set back, the issuer is not flooded."""
    for number in range(100):
        clock.at -= FETCH_INTERVAL
        await refused(verifying, token(kid=f"made-up-{number}"))

    assert provider.fetches == FETCHES_AT_ONCE
