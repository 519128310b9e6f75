"""What the spool took is there until the gateway has answered."""

import sqlite3
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from airflow_provider_interlock import _spool
from airflow_provider_interlock._events import EVENT_BYTES_MAX, CloudEvent
from airflow_provider_interlock._spool import GO, NotSpooled, Pause, Spool

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EVENT = CloudEvent(source="airflow://prod", id="1", type="t", subject="s", data={}, time=NOON)


def pending(spool: Spool) -> list[str]:
    """Take everything out of the spool, oldest first."""
    ids = []
    while row := spool.head():
        ids.append(row.id)
        spool.sent(row)
    return ids


def test_events_leave_in_the_order_they_came(tmp_path: Path) -> None:
    """First in, first out, whatever their ids."""
    spool = Spool(tmp_path / "made" / "at" / "first" / "use")
    for name in ("3", "1", "2"):
        spool.append(replace(EVENT, id=name))

    assert pending(spool) == ["3", "1", "2"]


def test_an_event_is_pending_once(tmp_path: Path) -> None:
    """Airflow may call a listener twice for one event."""
    spool = Spool(tmp_path)
    spool.append(EVENT)
    spool.append(EVENT)

    assert pending(spool) == ["1"]


def test_a_full_spool_refuses_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is said, the oldest stay, and there is room again when one has left."""
    monkeypatch.setattr(_spool, "EVENTS_MAX", 2)
    spool = Spool(tmp_path)
    for name in ("1", "2"):
        spool.append(replace(EVENT, id=name))

    with pytest.raises(NotSpooled, match=r"event 3 .* 2 unsent events \(limit 2\)"):
        spool.append(replace(EVENT, id="3"))
    head = spool.head()
    assert head is not None
    spool.sent(head)
    spool.append(replace(EVENT, id="4"))
    assert pending(spool) == ["2", "4"]


def test_an_event_the_gateway_would_not_take_is_refused_here(tmp_path: Path) -> None:
    """The size limit is named, with the way out."""
    with pytest.raises(NotSpooled, match=rf"limit {EVENT_BYTES_MAX}.*params"):
        Spool(tmp_path).append(replace(EVENT, data={"params": "x" * EVENT_BYTES_MAX}))


def test_a_rejected_event_is_kept_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds up no other, people can read it, and the newest refusals stay."""
    monkeypatch.setattr(_spool, "REJECTED_MAX", 1)
    spool = Spool(tmp_path)
    for name in ("1", "2", "3"):
        spool.append(replace(EVENT, id=name))
    for _ in range(2):
        head = spool.head()
        assert head is not None
        spool.reject(head, "policy.not_allowed: no")

    with spool._transaction() as db:
        assert db.execute("SELECT id, reason FROM rejected").fetchall() == [
            ("2", "policy.not_allowed: no")
        ]
    assert pending(spool) == ["3"]


def test_a_pause_holds_for_every_process(tmp_path: Path) -> None:
    """One process is told to wait; the next one to open the spool knows."""
    pause = Pause(NOON, 3)
    assert Spool(tmp_path).pause() == GO

    Spool(tmp_path).set_pause(pause)

    assert Spool(tmp_path).pause() == pause


PROCESS = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from airflow_provider_interlock._events import CloudEvent
from airflow_provider_interlock._spool import Spool

spool = Spool(Path(sys.argv[1]))
noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
spool.append(CloudEvent(source="s", id="from a crash", type="t", subject="s", data={}, time=noon))
with spool.exclusive() as alone:
    print(alone, flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), 9)
"""


def test_one_process_sends_at_a_time_and_a_crash_frees_it(tmp_path: Path) -> None:
    """While another process sends, we do not; when it is killed we may, and its event is there."""
    spool = Spool(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", PROCESS, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with spool.exclusive() as meanwhile:
            pass
        other.communicate("die\n")

    with spool.exclusive() as afterwards:
        assert (meanwhile, afterwards) == (False, True)
    assert pending(spool) == ["from a crash"]


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    """An error in a transaction undoes all of it."""
    spool = Spool(tmp_path)
    halfway = iter(["INSERT INTO pending (source, id, body) VALUES ('s', '1', 'x')", "nonsense"])

    with pytest.raises(sqlite3.OperationalError), spool._transaction() as db:
        deque(map(db.execute, halfway))
    assert spool.head() is None


def spoil_all(path: Path) -> None:
    """Make the file something else than a database."""
    path.write_bytes(b"not a database, but long enough to have had a header" * 100)


def spoil_pages(path: Path) -> None:
    """Leave header and schema, and break what the tables hold."""
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


@pytest.mark.parametrize("spoil", [spoil_all, spoil_pages])
def test_a_corrupt_file_is_set_aside_once(
    tmp_path: Path, spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    """The new event is taken all the same, the old file stays to be looked at, and it is said once."""
    spool = Spool(tmp_path)
    spool.append(EVENT)
    spoil(tmp_path / "events.db")
    spoilt = (tmp_path / "events.db").read_bytes()
    spool.append(replace(EVENT, id="2"))

    assert pending(spool) == ["2"]
    assert (tmp_path / "events.db.corrupt").read_bytes() == spoilt
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "events.db.corrupt" in caplog.text


def test_a_file_that_took_the_corrupt_ones_place_stays(tmp_path: Path) -> None:
    """Two processes find the corruption; the slower one does not set the new file aside."""
    spool = Spool(tmp_path)
    spool.append(EVENT)
    spoil_all(tmp_path / "events.db")
    found = (tmp_path / "events.db").stat().st_ino
    spool.append(replace(EVENT, id="2"))

    spool._set_aside(found)

    assert pending(spool) == ["2"]


def test_what_was_sent_from_a_corrupt_file_takes_nothing_from_the_new_one(tmp_path: Path) -> None:
    """Positions begin again in a new file, so a position alone names no event."""
    spool = Spool(tmp_path)
    spool.append(EVENT)
    old = spool.head()
    assert old is not None
    spoil_all(tmp_path / "events.db")
    spool.append(replace(EVENT, id="2"))

    spool.sent(old)
    spool.reject(old, "late")

    assert pending(spool) == ["2"]


def test_a_busy_file_is_not_a_corrupt_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that passes leaves the file where it is."""
    monkeypatch.setattr(_spool, "LOCK_WAIT_S_MAX", 0.0)
    spool = Spool(tmp_path)
    spool.append(EVENT)

    with (
        spool._transaction(),
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        spool.append(replace(EVENT, id="2"))
    assert pending(spool) == ["1"]
