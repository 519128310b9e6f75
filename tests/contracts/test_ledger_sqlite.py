"""The SQL ledger on SQLite keeps the ledger contract, and survives what a process can do to a file."""

import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

from interlock.adapters.cloudevents import read_event
from interlock.adapters.ledger_sql import LedgerRefusedError, SqlLedger, open_ledger
from interlock.adapters.ledger_sql.schema import METADATA
from interlock.adapters.ledger_sql.writing import Statements
from interlock.core.errors import NotReady
from interlock.ports import Filter
from tests.contracts.ledger import TERM, LedgerContract
from tests.making import FixedClock, admission, event


@pytest.fixture
def clock() -> FixedClock:
    """Noon."""
    return FixedClock()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A file that is not there yet."""
    return f"sqlite:///{tmp_path}/interlock.db"


@pytest.fixture
async def ledger(url: str, clock: FixedClock) -> AsyncIterator[SqlLedger]:
    """An empty one."""
    made = open_ledger(url, clock, read_event)
    yield made
    await made.close()


def modes(folder: Path) -> dict[str, int]:
    """Who may do what with the files there."""
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


class TestSqliteLedger(LedgerContract):
    """Nothing but the contract."""


async def test_what_was_admitted_is_there_after_a_restart(url: str, clock: FixedClock) -> None:
    """A receipt outlives the process that gave it."""
    first = open_ledger(url, clock, read_event)
    receipt = await first.admit(admission(event(), "looker"), TERM)
    await first.close()

    second = open_ledger(url, clock, read_event)
    found = await second.trace(receipt.handoff)
    position = await second.last()
    await second.close()

    assert found is not None
    assert found.event == event()
    assert position == 1


async def test_a_second_process_is_refused(url: str, clock: FixedClock, ledger: SqlLedger) -> None:
    """SQLite is never shared; the refusal says what to do."""
    with pytest.raises(LedgerRefusedError, match=r"in use by another process.*fuser"):
        open_ledger(url, clock, read_event)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
async def test_only_its_owner_reads_it(
    tmp_path: Path, url: str, clock: FixedClock, umask: int
) -> None:
    """Whatever the umask: the ledger, its lock, and what SQLite puts beside it."""
    before = os.umask(umask)
    try:
        ledger = open_ledger(url, clock, read_event)
        await ledger.admit(admission(event(), "looker"), TERM)
        found = modes(tmp_path)
        await ledger.close()
    finally:
        os.umask(before)

    files = {f"interlock.db{end}" for end in ("", ".lock", "-wal", "-shm")}
    assert found == dict.fromkeys(files, 0o600)


async def test_a_place_that_is_none_is_refused(tmp_path: Path, clock: FixedClock) -> None:
    """The refusal names the file that cannot be made."""
    with pytest.raises(
        LedgerRefusedError, match=r"cannot open .*/none/interlock\.db\.lock: No such"
    ):
        open_ledger(f"sqlite:///{tmp_path}/none/interlock.db", clock, read_event)


async def test_a_newer_ledger_is_refused(url: str, clock: FixedClock) -> None:
    """An older program does not touch what a newer one made."""
    await open_ledger(url, clock, read_event).close()
    with create_engine(url).begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))

    with pytest.raises(LedgerRefusedError, match="made by a newer Interlock"):
        open_ledger(url, clock, read_event)


async def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path, clock: FixedClock) -> None:
    """Whatever it is, it is left as it was."""
    path = tmp_path / "interlock.db"
    path.write_bytes(b"not a database, but long enough to be looked at" * 40)

    with pytest.raises(LedgerRefusedError, match="not a database"):
        open_ledger(f"sqlite:///{path}", clock, read_event)

    assert path.read_bytes().startswith(b"not a database")


async def test_migrations_make_the_schema(url: str, clock: FixedClock) -> None:
    """What the migrations build is what the statements expect."""
    await open_ledger(url, clock, read_event).close()

    with create_engine(url).connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)

    assert not differences


async def test_a_database_that_fails_is_not_ready_and_recovers(
    url: str, clock: FixedClock, ledger: SqlLedger
) -> None:
    """While the database refuses writes nothing is acknowledged; afterwards the same call works."""
    await ledger.admit(admission(event("0"), "looker"), TERM)
    with create_engine(url).begin() as connection:
        connection.execute(
            text(
                "create trigger full before insert on events begin select raise(abort, 'disk'); end"
            )
        )

    with pytest.raises(NotReady) as refusal:
        await ledger.admit(admission(event("1"), "looker"), TERM)

    with create_engine(url).begin() as connection:
        connection.execute(text("drop trigger full"))
    assert refusal.value.fields["retry_after_s"]
    assert len(await ledger.handoffs(Filter())) == 1
    assert not (await ledger.admit(admission(event("1"), "looker"), TERM)).duplicate


async def test_settled_deliveries_cost_the_queue_nothing(url: str, ledger: SqlLedger) -> None:
    """What is due is found by an index that holds open deliveries only."""
    engine = create_engine(url, paramstyle="named")
    statements = Statements(engine.dialect)
    given = {"of": "a", "now": 1, "most": 1}
    with engine.connect() as connection:
        plans = [
            str(
                connection.exec_driver_sql(
                    f"explain query plan {spelt.text}", {**given, **spelt.given}
                ).fetchall()
            )
            for spelt in (statements.due, statements.open)
        ]

    assert all("deliveries_due" in plan for plan in plans), plans
