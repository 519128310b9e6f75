"""A peer that is missing is skipped on a laptop and fails where peers are promised."""

import pytest

from tests.peers.required import missing


def test_a_missing_peer_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the switch the test is skipped, with the command that installs the peer."""
    monkeypatch.delenv("INTERLOCK_PEERS", raising=False)

    with pytest.raises(pytest.skip.Exception, match=r"nats-server .*make setup-peers"):
        missing("nats-server")


def test_a_promised_peer_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """With INTERLOCK_PEERS=required nothing is skipped in silence."""
    monkeypatch.setenv("INTERLOCK_PEERS", "required")

    with pytest.raises(pytest.fail.Exception, match="make setup-peers"):
        missing("nats-server")
