"""Events on this host's disk that the gateway has not acknowledged yet.

append -> pending -> (sent: gone) or (refused: rejected, with the reason)
Rule 1: what `append` took survives a crash of the process and of the machine.
Rule 2: pending events leave in the order they came, and only when the gateway has answered.
Rule 3: a full spool refuses the newest; it never drops the oldest.
Rule 4: one process sends at a time (`exclusive`), and all of them keep a pause.

No connection outlives a call: SQLite forbids taking one across a fork, and Airflow forks.
"""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from airflow_provider_interlock._events import EVENT_BYTES_MAX, CloudEvent

EVENTS_MAX = 10_000  # with the events' own limit at most 640 MiB; a day of 400 tasks an hour
REJECTED_MAX = 1_000  # refusals kept for people to read; the oldest of these do go
LOCK_WAIT_S_MAX = 1.0  # the scheduler may be waiting; transactions here take milliseconds

SCHEMA = """
CREATE TABLE IF NOT EXISTS pending (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL,
    UNIQUE (source, id));
CREATE TABLE IF NOT EXISTS rejected (
    position INTEGER PRIMARY KEY,
    source TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pause (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    until TEXT NOT NULL, failures INTEGER NOT NULL);
"""


class NotSpooled(Exception):  # noqa: N818 - it says what happened
    """The event was not taken. The text names the limit and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One pending event, as it will be sent."""

    position: int
    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Pause:
    """When sending may go on, after how many failures in a row."""

    until: datetime
    failures: int


GO = Pause(datetime.min.replace(tzinfo=UTC), 0)


@dataclass(frozen=True, slots=True)
class Spool:
    """The spool in one folder, made at first use. All processes of this host may share it."""

    folder: Path

    def append(self, event: CloudEvent) -> None:
        """Take an event; on disk when this returns. One that is pending already is not taken twice.

        Raises:
            NotSpooled: the spool is full (rule 3), or the event is larger than the gateway takes.
        """
        body = event.encoded()
        if len(body) > EVENT_BYTES_MAX:
            raise NotSpooled(
                f"event {event.id} has {len(body)} bytes (limit {EVENT_BYTES_MAX}); "
                "keep large values out of params and the run's conf"
            )
        with self._transaction() as db:
            (pending,) = db.execute("SELECT count(*) FROM pending").fetchone()
            if pending >= EVENTS_MAX:
                raise NotSpooled(
                    f"event {event.id} is not kept and must be sent again: {self.folder} holds "
                    f"{pending} unsent events (limit {EVENTS_MAX}); see why nothing is sent"
                )
            db.execute(
                "INSERT OR IGNORE INTO pending (source, id, body) VALUES (?, ?, ?)",
                (event.source, event.id, body),
            )

    def head(self) -> Row | None:
        """Return the oldest pending event."""
        with self._transaction() as db:
            row = db.execute(
                "SELECT position, id, body FROM pending ORDER BY position LIMIT 1"
            ).fetchone()
        return row and Row(*row)

    def sent(self, row: Row) -> None:
        """Forget an event that the gateway has."""
        with self._transaction() as db:
            db.execute("DELETE FROM pending WHERE position = ?", (row.position,))

    def reject(self, row: Row, reason: str) -> None:
        """Set aside an event that the gateway will never take, so that it holds up no other."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO rejected "
                "SELECT position, source, id, body, ? FROM pending WHERE position = ?",
                (reason, row.position),
            )
            db.execute("DELETE FROM pending WHERE position = ?", (row.position,))
            db.execute(
                "DELETE FROM rejected WHERE position NOT IN "
                "(SELECT position FROM rejected ORDER BY position DESC LIMIT ?)",
                (REJECTED_MAX,),
            )

    def pause(self) -> Pause:
        """Return the pause that every sender of this spool keeps."""
        with self._transaction() as db:
            row = db.execute("SELECT until, failures FROM pause").fetchone()
        return Pause(datetime.fromisoformat(row[0]), row[1]) if row else GO

    def set_pause(self, pause: Pause) -> None:
        """Set the pause; `GO` ends it."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO pause VALUES (1, ?, ?)",
                (pause.until.isoformat(), pause.failures),
            )

    @contextmanager
    def exclusive(self) -> Iterator[bool]:
        """Say whether this process alone may send until the block ends. Never waits.

        A record lock: the kernel frees it with the process, and a fork does not inherit it. It does
        not tell threads apart, so a process needs to have one sender only.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "sending.lock").open("wb") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):
                yield False
            else:
                yield True

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / "events.db"
        with closing(sqlite3.connect(path, LOCK_WAIT_S_MAX, isolation_level=None)) as db:
            db.execute("PRAGMA synchronous = EXTRA")  # a commit also outlives the machine's power
            db.execute("BEGIN IMMEDIATE")
            try:
                for statement in SCHEMA.split(";"):
                    db.execute(statement)
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")
