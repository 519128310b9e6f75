"""A token seen a moment ago is answered from memory, and not a moment too long."""

from datetime import timedelta

import pytest

from interlock.adapters.identity_oidc import verified
from interlock.adapters.identity_oidc.verified import VERIFIED_FOR, VERIFIED_MAX, VerifiedTokens
from interlock.core.errors import NotIdentified
from interlock.core.principal import Kind, Principal
from tests.adapters.identity.forge import NOW, claims, token
from tests.adapters.identity.provider import SetClock, verifier

ALICE = Principal(kind=Kind.USER, id="okta/alice", verified_at=NOW)


@pytest.mark.anyio
async def test_a_second_look_finds_the_same_principal() -> None:
    """The same token gives the very same principal, with the time it was really checked."""
    clock = SetClock()
    verifying = verifier(clock=clock)
    credential = token()
    first = await verifying.verify(credential)
    clock.at += VERIFIED_FOR / 2

    assert await verifying.verify(credential) is first


@pytest.mark.anyio
async def test_a_hit_waits_for_nothing() -> None:
    """A remembered token is answered in the first step of the coroutine."""
    verifying = verifier()
    credential = token()
    await verifying.verify(credential)

    with pytest.raises(StopIteration) as answer:
        verifying.verify(credential).send(None)

    assert isinstance(answer.value.value, Principal)


@pytest.mark.anyio
async def test_after_a_while_the_token_must_prove_itself_again() -> None:
    """Past VERIFIED_FOR it is checked anew."""
    clock = SetClock()
    verifying = verifier(clock=clock)
    credential = token()
    first = await verifying.verify(credential)
    clock.at += VERIFIED_FOR

    again = await verifying.verify(credential)

    assert again.verified_at == first.verified_at + VERIFIED_FOR


@pytest.mark.anyio
async def test_an_expired_token_is_not_remembered() -> None:
    """Memory does not outlast the token: after `exp` and the leeway it proves nobody."""
    clock = SetClock()
    verifying = verifier(clock=clock)
    credential = token(claims(exp=int(NOW.timestamp()) + 10))
    await verifying.verify(credential)
    clock.at += timedelta(seconds=40)

    with pytest.raises(NotIdentified, match="expired"):
        await verifying.verify(credential)


@pytest.mark.anyio
async def test_refusals_are_not_remembered() -> None:
    """Only proofs are kept; rubbish takes no memory."""
    verifying = verifier()
    for number in range(10):
        with pytest.raises(NotIdentified):
            await verifying.verify(f"{token()}{number}")

    assert verifying._verified._entries == {}


def test_memory_ends_with_the_token() -> None:
    """A principal that expires sooner than VERIFIED_FOR is forgotten then."""
    tokens = VerifiedTokens()
    end = NOW + timedelta(seconds=5)
    short = Principal(kind=Kind.USER, id="okta/bob", verified_at=NOW, expires_at=end)
    tokens.remember("bob", short, NOW)

    assert tokens.find("bob", end - timedelta(seconds=1)) is short
    assert tokens.find("bob", end) is None


def test_memory_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit the oldest makes room; a token remembered again is young again."""
    monkeypatch.setattr(verified, "VERIFIED_MAX", 3)
    tokens = VerifiedTokens()
    for name in ("a", "b", "a", "c", "d"):
        tokens.remember(name, ALICE, NOW)

    assert [name for name in "abcd" if tokens.find(name, NOW)] == ["a", "c", "d"]


def test_the_limit_is_worth_a_few_megabytes() -> None:
    """At about 1 KiB each, a full memory is under 16 MiB."""
    assert VERIFIED_MAX * 1_024 <= 16 * 1_048_576


def test_a_withdrawn_key_empties_the_memory() -> None:
    """After `forget_all` nothing is found."""
    tokens = VerifiedTokens()
    tokens.remember("alice", ALICE, NOW)
    tokens.forget_all()

    assert tokens.find("alice", NOW) is None
