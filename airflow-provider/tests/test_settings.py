"""The `[interlock]` section, and connections, say one thing or are refused by name."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from airflow.sdk import Connection

from airflow_provider_interlock._credentials import ClientCredentials, TokenFile
from airflow_provider_interlock._events import TYPES, CloudEvent
from airflow_provider_interlock._settings import instance, settings
from airflow_provider_interlock.hooks.interlock import InterlockHook, credential_of
from tests.receiver import Receiver, Said

Section = Callable[..., None]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def section(monkeypatch: pytest.MonkeyPatch) -> Section:
    """Sets options of the section."""

    def put(**options: str) -> None:
        for name, value in options.items():
            monkeypatch.setenv(f"AIRFLOW__INTERLOCK__{name.upper()}", value)

    return put


def test_a_url_and_a_token_file_are_enough(section: Section) -> None:
    """All four types, and a spool in Airflow's home."""
    section(url="https://gateway.example", token_file="/token")
    read = settings()

    assert read is not None
    assert (read.instance, read.types) == ("prod", TYPES)
    assert read.spool_dir.name == "interlock-spool"
    assert read.connect().credential == TokenFile(Path("/token"))


def test_types_can_be_chosen(section: Section) -> None:
    """A comma or a space between them."""
    section(conn_id="c", types="airflow.task.failed, airflow.dag_run.failed")
    read = settings()

    assert read is not None
    assert read.types == {"airflow.task.failed", "airflow.dag_run.failed"}


@pytest.mark.parametrize("options", [{}, {"instance": "", "conn_id": "c"}])
def test_an_incomplete_section_is_off(section: Section, options: dict[str, str]) -> None:
    """Without a name, or without a gateway, the listener stays silent."""
    section(**options)

    assert settings() is None


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"conn_id": "c", "url": "https://h", "token_file": "f"}, "conn_id"),
        ({"url": "https://h"}, "token_file"),
        ({"conn_id": "c", "types": "airflow.task.finished"}, "types"),
        ({"conn_id": "c", "instance": "prod/eu"}, "instance"),
    ],
)
def test_a_contradiction_names_the_option(
    section: Section, options: dict[str, str], named: str
) -> None:
    """Each error says which option, and what to do."""
    section(**options)

    with pytest.raises(ValueError, match=rf"\[interlock\] {named}: "):
        settings()


def test_an_operator_needs_a_name_too(section: Section) -> None:
    """The instance is part of every event's id."""
    section(instance="")

    with pytest.raises(ValueError, match="instance"):
        instance()


TOKEN_URL = "https://idp.example/token"


@pytest.mark.parametrize(
    ("extra", "login", "password", "kind"),
    [
        ({"token_file": "/t"}, None, None, TokenFile),
        ({"token_url": TOKEN_URL, "key_file": "/k"}, "id", None, ClientCredentials),
        ({"token_url": TOKEN_URL}, "id", "secret", ClientCredentials),
    ],
)
def test_a_connection_names_one_credential(
    extra: dict[str, str], login: str | None, password: str | None, kind: type
) -> None:
    """A token file, a key, or the connection's password."""
    conn = Connection(
        conn_id="c", conn_type="interlock", login=login, password=password, extra=json.dumps(extra)
    )

    assert isinstance(credential_of(conn), kind)


@pytest.mark.parametrize(
    ("extra", "login", "password", "named"),
    [
        ({}, None, None, "token_file, key_file and password"),
        ({"token_file": "/t", "key_file": "/k"}, "id", None, "token_file, key_file and password"),
        ({"token_file": "/t"}, None, "secret", "token_file, key_file and password"),
        ({"key_file": "/k"}, "id", None, "key_file: .* token_url"),
        ({"token_url": TOKEN_URL}, None, "secret", "password: .* login"),
        ({"token_url": "http://idp.example", "key_file": "/k"}, "id", None, "token_url"),
    ],
)
def test_an_unclear_connection_names_its_fields(
    extra: dict[str, str], login: str | None, password: str | None, named: str
) -> None:
    """No credential, two, or half of one."""
    conn = Connection(
        conn_id="c", conn_type="interlock", login=login, password=password, extra=json.dumps(extra)
    )

    with pytest.raises(ValueError, match=named):
        credential_of(conn)


@pytest.fixture
def hook(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InterlockHook:
    """A hook on the receiver."""
    (tmp_path / "token").write_text("t")
    conn = Connection(
        conn_id="gate",
        conn_type="interlock",
        host=receiver.url,
        extra=json.dumps({"token_file": str(tmp_path / "token")}),
    )
    monkeypatch.setenv("AIRFLOW_CONN_GATE", conn.as_json())
    return InterlockHook("gate")


def test_the_hook_reads_its_connection(hook: InterlockHook, receiver: Receiver) -> None:
    """From wherever Airflow keeps connections; the button in the UI says that it works."""
    assert hook.test_connection() == (True, "The gateway knows this Airflow.")
    assert hook.get_conn().base_url == receiver.url


def test_a_bad_connection_is_told_by_its_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the field."""
    conn = Connection(conn_id="bad", conn_type="interlock", host="http://gateway.example")
    monkeypatch.setenv("AIRFLOW_CONN_BAD", conn.as_json())

    good, sentence = InterlockHook("bad").test_connection()

    assert not good
    assert sentence.startswith("host: ")


@pytest.mark.parametrize(("failures", "waits"), [(2, [1, 2]), (9, [1, 2, 4, 8, 16])])
def test_the_hook_waits_for_a_gateway_that_restarts(
    hook: InterlockHook, receiver: Receiver, failures: int, waits: list[float]
) -> None:
    """It sends again with growing waits, a minute of them at most; then the task's retries take over."""
    receiver.next_answers = [Said(503)] * failures
    event = CloudEvent(source="s", id="1", type="t", subject="s", data={}, time=NOON)
    waited: list[float] = []

    hook.submit(event, waited.append)

    assert waited == waits
    assert len({heard.body for heard in receiver.heard}) == 1
