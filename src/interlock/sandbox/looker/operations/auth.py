"""Login, logout, the version, and who I am."""

import secrets

from interlock.sandbox.looker.answers import Answer, Call, Refused, not_found
from interlock.sandbox.looker.instance import Looker

__all__ = ["login", "logout", "me", "versions"]


def login(looker: Looker, call: Call) -> Answer:
    """A token for an API key. A wrong key is a 404, as the specification declares, not a 401."""
    client_id, secret = call.body.get("client_id"), call.body.get("client_secret")
    if not (isinstance(client_id, str) and isinstance(secret, str)):
        raise Refused(400, "client_id and client_secret are required, as a form in the body")
    for client in looker.content.api_clients:
        known = f"{client.client_id}:{client.client_secret.get_secret_value()}"
        if secrets.compare_digest(known.encode(), f"{client_id}:{secret}".encode()):
            token = looker.tokens.issue(client.user, looker.clock.monotonic())
            return Answer(
                {
                    "access_token": token,
                    "token_type": "Bearer",
                    "expires_in": int(looker.tokens.ttl_s),
                    "refresh_token": None,
                }
            )
    raise not_found()


def logout(looker: Looker, call: Call) -> Answer:
    """The token of this call ends."""
    looker.tokens.revoke(call.token)
    return Answer(status=204)


def versions(looker: Looker, _call: Call) -> Answer:
    """The release, and 4.0 as the only version of the API."""
    release = looker.content.release
    current = {"version": "4.0", "full_version": f"4.0.{release}", "status": "current"}
    return Answer(
        {
            "looker_release_version": release,
            "current_version": current,
            "supported_versions": [current],
        }
    )


def me(looker: Looker, call: Call) -> Answer:
    """The user of this call's token."""
    user = looker.content.user(call.user_id)
    if user is None:
        raise not_found()
    return Answer(
        {
            "id": user.id,
            "display_name": user.display_name,
            "email": user.email,
            "is_disabled": False,
        }
    )
