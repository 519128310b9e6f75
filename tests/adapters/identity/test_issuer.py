"""A profile with nothing to hold a token against is refused when it is made."""

from datetime import timedelta
from typing import Any

import pytest

from interlock.adapters.identity_oidc import OidcVerifier
from tests.adapters.identity.provider import Provider, SetClock, issuer

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": ""}, "name is empty"),
    "a name with a slash": ({"name": "okta/x"}, "name may hold only"),
    "no url": ({"url": ""}, "url is empty"),
    "no audience": ({"audience": ""}, "audience is empty"),
    "no algorithms": ({"algorithms": []}, "algorithms is empty"),
    "a shared-secret algorithm": ({"algorithms": ["RS256", "HS256"]}, "HS256"),
    "the algorithm none": ({"algorithms": ["none"]}, "none"),
    "a required claim of no value": ({"required_claims": {"sub": []}}, "sub is empty"),
    "a required claim of empty text": ({"required_claims": {"sub": ""}}, "sub is empty"),
    "scopes as one text": ({"required_scopes": "submit"}, "required_scopes"),
    "too much leeway": ({"leeway": timedelta(minutes=5)}, "leeway"),
    "no lifetime": ({"max_lifetime": timedelta()}, "max_lifetime"),
    "plain http": ({"url": "http://login.example"}, "https"),
    "plain http for keys": ({"jwks_url": "http://keys.example"}, "https"),
    "a file for keys": ({"jwks_url": "file:///etc/keys"}, "https"),
    "a url that is none": ({"url": "https://[oops"}, "https"),
}


@pytest.mark.parametrize("row", WRONG)
def test_a_profile_names_the_field_that_is_wrong(row: str) -> None:
    """Empty means no: the mistake is told at start-up, not at the first caller."""
    changes, named = WRONG[row]

    with pytest.raises(ValueError, match=named):
        issuer(**changes)


def test_without_issuers_nobody_is_let_in() -> None:
    """A verifier of no issuers does not start."""
    with pytest.raises(ValueError, match="issuers is empty"):
        OidcVerifier([], Provider(), SetClock())


@pytest.mark.parametrize(("same", "other"), [("name", "url"), ("url", "name")])
def test_two_issuers_share_neither_name_nor_url(same: str, other: str) -> None:
    """With one name for two issuers, one could speak for the other's people."""
    second = issuer(**{other: "https://b.example" if other == "url" else "b"})

    with pytest.raises(ValueError, match=f"same {same}"):
        OidcVerifier([issuer(), second], Provider(), SetClock())


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "http://localhost", "http://[::1]:9"])
def test_loopback_needs_no_tls(url: str) -> None:
    """A provider on this machine may be plain http; its document is found below its url."""
    profile = issuer(url=url)

    assert profile.on_loopback
    assert profile.discovery_url == f"{url.rstrip('/')}/.well-known/openid-configuration"
