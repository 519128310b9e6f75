"""Events on this host's disk that the gateway has not acknowledged yet.

append -> pending -> (sent: gone) or (refused: rejected, with the reason)
Rule 1: what `append` took survives a crash of the process and of the machine.
Rule 2: pending events leave in the order they came, and only when the gateway has answered.
Rule 3: a full spool refuses the newest; it never drops the oldest.
Rule 4: one process sends at a time (`exclusive`), and all of them keep a pause.
Rule 5: a corrupt file is set aside for people to look at, and a new one takes its place.

No connection outlives a call: SQLite forbids taking one across a fork, and Airflow forks.
"""

import fcntl
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

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

# Both: positions begin again in a new file (rule 5), where one may name another event.
DELETE = "DELETE FROM pending WHERE position = ? AND id = ?"
CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger(__name__)


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


class _Corrupt(Exception):  # noqa: N818 - it says what was found
    """The file that has the inode number `args[0]` is no sound database."""


Method = Callable[Concatenate["Spool", P], R]


def _mended(method: Method[P, R]) -> Method[P, R]:
    """Do it again in a new file where the old one turns out to be corrupt (rule 5)."""

    @wraps(method)
    def again(spool: "Spool", /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(spool, *args, **kwargs)
        except _Corrupt as found:
            spool._set_aside(found.args[0])  # noqa: SLF001 - of the same class
            return method(spool, *args, **kwargs)

    return again


@dataclass(frozen=True, slots=True)
class Spool:
    """The spool in one folder, made at first use. All processes of this host may share it."""

    folder: Path

    @_mended
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

    @_mended
    def head(self) -> Row | None:
        """Return the oldest pending event."""
        with self._transaction() as db:
            row = db.execute(
                "SELECT position, id, body FROM pending ORDER BY position LIMIT 1"
            ).fetchone()
        return row and Row(*row)

    @_mended
    def sent(self, row: Row) -> None:
        """Forget an event that the gateway has."""
        with self._transaction() as db:
            db.execute(DELETE, (row.position, row.id))

    @_mended
    def reject(self, row: Row, reason: str) -> None:
        """Set aside an event that the gateway will never take, so that it holds up no other."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO rejected "
                "SELECT position, source, id, body, ? FROM pending "
                "WHERE position = ? AND id = ?",
                (reason, row.position, row.id),
            )
            db.execute(DELETE, (row.position, row.id))
            db.execute(
                "DELETE FROM rejected WHERE position NOT IN "
                "(SELECT position FROM rejected ORDER BY position DESC LIMIT ?)",
                (REJECTED_MAX,),
            )

    @_mended
    def pause(self) -> Pause:
        """Return the pause that every sender of this spool keeps."""
        with self._transaction() as db:
            row = db.execute("SELECT until, failures FROM pause").fetchone()
        return Pause(datetime.fromisoformat(row[0]), row[1]) if row else GO

    @_mended
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
        with self._file_lock(fcntl.LOCK_SH):
            try:
                with closing(self._connection()) as db, _all_or_nothing(db):
                    yield db
            except sqlite3.DatabaseError as err:
                if getattr(err, "sqlite_errorcode", 0) & 0xFF not in CORRUPT:
                    raise
                raise _Corrupt(self._path.stat().st_ino) from err

    def _connection(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, LOCK_WAIT_S_MAX, isolation_level=None)

    def _set_aside(self, inode: int) -> None:
        """Rename the corrupt file, unless another process has done so already."""
        aside = self._path.with_name(f"{self._path.name}.corrupt")
        with self._file_lock(fcntl.LOCK_EX):
            if not self._path.exists() or self._path.stat().st_ino != inode:
                return
            self._path.replace(aside)
        log.error("Interlock: the spool was corrupt; what it held unsent is in %s", aside)

    @contextmanager
    def _file_lock(self, kind: int) -> Iterator[None]:
        """Let many use the file, or one rename it. Threads of one process count as several."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "file.lock").open("wb") as file:
            fcntl.flock(file, kind)
            try:
                yield
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)  # closing is not enough: a fork may hold a copy

    @property
    def _path(self) -> Path:
        return self.folder / "events.db"


@contextmanager
def _all_or_nothing(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("PRAGMA synchronous = EXTRA")  # a commit also outlives the machine's power
    db.execute("BEGIN IMMEDIATE")
    try:
        for statement in SCHEMA.split(";"):
            db.execute(statement)
        yield
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
