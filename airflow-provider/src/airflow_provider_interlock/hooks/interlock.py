"""From an Airflow connection of type `interlock` to a client of the gateway."""

from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Any

from airflow.sdk import BaseHook, Connection

from airflow_provider_interlock._client import Client, Receipt, Refused, Unavailable, wait_after
from airflow_provider_interlock._credentials import (
    ClientCredentials,
    ClientSecret,
    Credential,
    PrivateKey,
    TokenFile,
)
from airflow_provider_interlock._events import CloudEvent
from airflow_provider_interlock._http import checked_url

PATIENCE = timedelta(minutes=1)  # a gateway's restart; for longer ones the task has its own retries


class InterlockHook(BaseHook):
    """Speaks to the gateway that a connection names.

    The connection's host is the gateway's URL. Its credential is one of: `token_file`; `token_url`
    with login and `key_file`; `token_url` with login and password.
    """

    conn_name_attr = "interlock_conn_id"
    default_conn_name = "interlock_default"
    conn_type = "interlock"
    hook_name = "Interlock"

    def __init__(self, interlock_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.interlock_conn_id = interlock_conn_id

    @cached_property
    def client(self) -> Client:
        """The client, made once.

        Raises:
            ValueError: the connection names no usable URL, or not exactly one credential.
        """
        conn = self.get_connection(self.interlock_conn_id)
        return Client(checked_url(conn.host or "", "host"), credential_of(conn))

    def get_conn(self) -> Client:
        """Return the client."""
        return self.client

    def submit(
        self, event: CloudEvent, wait: Callable[[float], object] | None = None
    ) -> Receipt | Refused | Unavailable:
        """Send an event until it is answered, for `PATIENCE` of waiting at most.

        `wait` takes seconds; by default it sleeps.
        """
        wait = wait or Event().wait
        body, waited, failures = event.encoded(), timedelta(), 0
        while True:
            answer = self.client.submit(body)
            if not isinstance(answer, Unavailable):
                return answer
            failures += 1
            pause = wait_after(failures, answer.retry_after_s)
            waited += pause
            if waited > PATIENCE:
                return answer
            wait(pause.total_seconds())

    def test_connection(self) -> tuple[bool, str]:
        """Say whether the gateway answers and knows us, and if not, what to look at."""
        try:
            return self.client.check()
        except ValueError as err:
            return False, str(err)


def credential_of(conn: Connection) -> Credential:
    """Return the one credential that a connection names.

    Raises:
        ValueError: it names none, two, or half of one. The text names the fields.
    """
    extra: dict[str, Any] = conn.extra_dejson
    ways = [way for way in ("token_file", "key_file") if extra.get(way)]
    ways += ["password"] if conn.password else []
    if len(ways) != 1:
        raise ValueError(f"set one of token_file, key_file and password; got {ways or 'none'}")
    if ways == ["token_file"]:
        return TokenFile(Path(extra["token_file"]))
    if not conn.login or not extra.get("token_url"):
        raise ValueError(f"{ways[0]}: it also needs login (the client id) and token_url")
    client: PrivateKey | ClientSecret
    if ways == ["key_file"]:
        key_file, key_id = Path(extra["key_file"]), extra.get("key_id")
        client = PrivateKey(client_id=conn.login, key_file=key_file, key_id=key_id)
    else:
        assert conn.password
        client = ClientSecret(client_id=conn.login, secret=conn.password)
    return ClientCredentials(
        token_url=checked_url(extra["token_url"], "token_url"),
        client=client,
        scope=extra.get("scope"),
        resource=extra.get("resource"),
    )
