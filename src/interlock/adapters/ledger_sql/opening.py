"""Opening a ledger: lock it, bring its tables up to date, or refuse with what to do."""

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from interlock.adapters.ledger_sql.ledger import SqlLedger
from interlock.adapters.ledger_sql.reading import ReadEvent
from interlock.adapters.ledger_sql.writing import LAST
from interlock.ports import Clock

BUSY_MS = 5_000  # how long a connection waits for another of this process
OWNER_ONLY = 0o600  # events have payloads; SQLite's -wal and -shm get the mode of the ledger


class LedgerRefusedError(Exception):
    """The ledger cannot be used; the message says which file and what to do."""


def open_ledger(url: str, clock: Clock, read_event: ReadEvent) -> SqlLedger:
    """The ledger at `url` (`sqlite:///path`), its tables up to date and its file locked.

    Raises LedgerRefusedError if another process has it, a newer Interlock made it, or it is none.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise LedgerRefusedError(f"ledger {url!r}: give sqlite:///path/to/interlock.db")
    path = Path(parsed.database)
    let_go = _lock(path)
    try:
        engine = _sqlite(url)
        last = _migrated(engine, path)
    except (DBAPIError, LedgerRefusedError) as err:
        let_go()
        if isinstance(err, LedgerRefusedError):
            raise
        raise LedgerRefusedError(f"ledger {path}: {err.orig}") from err
    return SqlLedger(engine, clock, read_event, last, let_go)


def _lock(path: Path) -> Callable[[], None]:
    """Hold the file's lock while this process lives; the kernel ends it with the process."""
    lock = path.with_name(path.name + ".lock")
    try:
        for file in (lock, path):
            file.touch(OWNER_ONLY)
        held = lock.open("a")
    except OSError as err:
        raise LedgerRefusedError(
            f"ledger {path}: cannot open {err.filename}: {err.strerror}"
        ) from err
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as err:
        held.close()
        raise LedgerRefusedError(
            f"ledger {path} is in use by another process, and a SQLite ledger serves one: "
            f"stop that one (fuser {lock} names it), or give this one a ledger of its own"
        ) from err
    return held.close


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, paramstyle="named")

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own
        connection.isolation_level = None  # we say BEGIN ourselves: the driver says it too late
        for setting in (
            "journal_mode=WAL",
            "synchronous=FULL",  # a commit is on disk when it returns: promise 2
            f"busy_timeout={BUSY_MS}",
        ):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:  # noqa: ANN401 - as above
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _migrated(engine: Engine, path: Path) -> int:
    """Bring the tables up to date; the position of the last entry."""
    config = Config()
    config.set_main_option("script_location", "interlock:adapters/ledger_sql/migrations")
    known = ScriptDirectory.from_config(config)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in {
            each.revision for each in known.walk_revisions()
        }:
            raise LedgerRefusedError(
                f"ledger {path} was made by a newer Interlock (revision {current}): "
                "run that version, or restore the copy made before the upgrade"
            )
        if current != known.get_current_head():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        return connection.scalar(LAST) or 0
