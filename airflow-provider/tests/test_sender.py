"""The sender carries a spool to the gateway: in order, until answered, by one process at a time."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from airflow_provider_interlock._client import Client
from airflow_provider_interlock._credentials import TokenFile
from airflow_provider_interlock._events import CloudEvent
from airflow_provider_interlock._sender import Sender
from airflow_provider_interlock._spool import GO, Spool
from tests.receiver import Receiver, Said, receiving

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EVENT = CloudEvent(source="airflow://prod", id="0", type="t", subject="s", data={}, time=NOON)


class Clock:
    """Stands still until it is moved."""

    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Noon."""
    return Clock()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """Three events."""
    spool = Spool(tmp_path / "spool")
    for name in ("1", "2", "3"):
        spool.append(replace(EVENT, id=name))
    return spool


@pytest.fixture
def sender(receiver: Receiver, spool: Spool, tmp_path: Path, clock: Clock) -> Sender:
    """A sender of the spool to the receiver."""
    (tmp_path / "token").write_text("t")
    client = Client(receiver.url, TokenFile(tmp_path / "token"))
    return Sender(spool, lambda: client, clock)


def ids(receiver: Receiver) -> list[str]:
    """The ids of the events heard, in the order they were heard."""
    return [heard.event["id"] for heard in receiver.heard]


def test_all_is_sent_in_order_and_once(sender: Sender, receiver: Receiver) -> None:
    """A second look finds nothing to send."""
    sender.send_all()
    sender.send_all()

    assert ids(receiver) == ["1", "2", "3"]


def test_a_refused_event_holds_up_no_other(sender: Sender, receiver: Receiver) -> None:
    """It is set aside with the gateway's reason, and not sent again."""
    receiver.next_answers = [Said(409, {"code": "event.conflict", "detail": "another fact"})]
    sender.send_all()
    sender.send_all()

    with sender.spool._transaction() as db:
        kept = db.execute("SELECT id, reason FROM rejected").fetchall()
    assert kept == [("1", "event.conflict: another fact")]
    assert ids(receiver) == ["1", "2", "3"]


def test_an_unavailable_gateway_is_left_alone(
    sender: Sender, receiver: Receiver, clock: Clock
) -> None:
    """Nothing is sent until the wait that the gateway asked for is over; then all is, in order."""
    receiver.next_answers = [Said(429, {}, {"Retry-After": "30"})]
    sender.send_all()
    clock.now += timedelta(seconds=29)
    sender.send_all()
    before = ids(receiver)
    clock.now += timedelta(seconds=1)
    sender.send_all()

    assert before == ["1"]
    assert ids(receiver) == ["1", "1", "2", "3"]
    assert sender.spool.pause() == GO


def test_a_full_queue_holds_events_up_for_five_minutes_at_most(
    sender: Sender, receiver: Receiver, clock: Clock
) -> None:
    """Order is kept, so the others wait too; however long a 429 asks for, there is an end."""
    receiver.next_answers = [Said(429, {"code": "queue.full"}, {"Retry-After": "86400"})]
    sender.send_all()
    wait = sender.spool.pause().until - clock.now
    clock.now += wait
    sender.send_all()

    assert wait == timedelta(minutes=5)
    assert ids(receiver) == ["1", "1", "2", "3"]


def test_a_broken_token_pauses_like_an_outage(
    sender: Sender,
    receiver: Receiver,
    tmp_path: Path,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Said once and without the token; when the file is mended, all is sent."""
    (tmp_path / "token").write_text("sec\nret")
    sender.send_all()
    paused = sender.spool.pause()
    (tmp_path / "token").write_text("mended")
    clock.now = paused.until
    sender.send_all()

    assert (paused.until - NOON, paused.failures) == (timedelta(seconds=1), 1)
    assert "sec\nret" not in caplog.text
    assert ids(receiver) == ["1", "2", "3"]


def test_waits_grow_with_failures_in_a_row(
    sender: Sender, receiver: Receiver, clock: Clock
) -> None:
    """1 s, then 2 s, then 4 s."""
    receiver.next_answers = [Said(503), Said(503), Said(503)]
    waits = []
    for _ in range(3):
        sender.send_all()
        waits.append((sender.spool.pause().until - clock.now).total_seconds())
        clock.now = sender.spool.pause().until

    assert waits == [1, 2, 4]


def test_a_connection_that_cannot_be_read_keeps_the_events(spool: Spool, clock: Clock) -> None:
    """A secrets backend that is down is an outage like another."""

    def broken() -> Client:
        raise RuntimeError("vault is sealed")

    Sender(spool, broken, clock).send_all()

    head = spool.head()
    assert head is not None
    assert head.id == "1"
    assert spool.pause().failures == 1


def test_two_senders_send_each_event_once(sender: Sender, receiver: Receiver) -> None:
    """While one waits for an answer the other, in a process of its own, leaves the spool alone."""
    receiver.may_answer.clear()
    looked = sender.wake()
    receiver.wait_for(1)
    if (child := os.fork()) == 0:
        try:
            sender.send_all()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    receiver.may_answer.set()
    looked.wait(20)

    assert ids(receiver) == ["1", "2", "3"]


def test_the_caller_never_waits_for_the_gateway(sender: Sender, receiver: Receiver) -> None:
    """`wake` has returned although the gateway never answers; the event is still on disk."""
    receiver.may_answer.clear()
    looked = sender.wake()
    receiver.wait_for(1)

    assert not looked.is_set()
    assert sender.spool.head() is not None


@pytest.fixture
def down(sender: Sender, spool: Spool, tmp_path: Path) -> int:
    """A port where nobody listens, and a sender that has found out."""
    with receiving() as gone:
        port = gone.server_port
    client = Client(f"http://127.0.0.1:{port}", TokenFile(tmp_path / "token"))
    Sender(spool, lambda: client, sender.clock).send_all()
    assert spool.pause().failures == 1
    return port


def test_a_restart_sends_what_was_spooled(
    down: int, spool: Spool, tmp_path: Path, clock: Clock
) -> None:
    """The receiver was down and comes up: a new process finds the events, in order, once each."""
    clock.now += timedelta(seconds=1)
    with receiving(down) as up:
        client = Client(up.url, TokenFile(tmp_path / "token"))
        Sender(Spool(spool.folder), lambda: client, clock).wake().wait(20)

        assert ids(up) == ["1", "2", "3"]
    assert spool.head() is None


def test_an_error_does_not_end_the_thread(sender: Sender, receiver: Receiver) -> None:
    """A spool that cannot be read now is looked at again."""
    folder = sender.spool.folder
    aside = folder.rename(folder.with_name("aside"))
    folder.write_text("a file is in the way")
    sender.wake().wait(20)
    folder.unlink()
    aside.rename(folder)
    sender.wake().wait(20)

    assert ids(receiver) == ["1", "2", "3"]


def test_a_process_that_ends_gives_a_last_look(sender: Sender, receiver: Receiver) -> None:
    """What was spooled just before the end still goes out; where no thread runs, nothing is awaited."""
    sender.finish()
    idle = ids(receiver)
    sender.wake().wait(20)
    sender.spool.append(replace(EVENT, id="4"))
    sender.finish()

    assert idle == []
    assert ids(receiver) == ["1", "2", "3", "4"]
