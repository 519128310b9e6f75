"""The ledger over SQL: requests of many callers share a transaction; a lone one is not delayed."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from interlock.adapters.ledger_sql import rows
from interlock.adapters.ledger_sql.reading import Reader, ReadEvent
from interlock.adapters.ledger_sql.writing import (
    Admitting,
    Batch,
    Claiming,
    Moving,
    Request,
    Saving,
    StaleError,
    Statements,
    Voiding,
)
from interlock.core.delivery import Delivery, Lease
from interlock.core.entry import Entry
from interlock.core.errors import NotReady
from interlock.core.event import Event
from interlock.core.handoff import Handoff, Receipt
from interlock.ports import Admission, Change, Clock, Filter, Record

BATCH_MAX = 512  # requests in one transaction: some 5 ms of work, about what a commit costs
ALONE = 2  # requests in this batch and the last: an admission and the end of a delivery
GATHER_S = 0.001  # between two commits of a crowd; a delivery takes longer anyway
READERS = 2  # connections for reading; one busy with a long list leaves another
RETRY_AFTER_S = 2  # told to callers while the database cannot be reached

Answer = TypeVar("Answer")


class SqlLedger:
    """See Ledger. Make it with `open_ledger`; `close` it before the loop ends."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        read_event: ReadEvent,
        last: int,
        let_go: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._read_event = read_event
        self._let_go = let_go
        self._writer = ThreadPoolExecutor(1, "ledger-writer")
        self._readers = ThreadPoolExecutor(READERS, "ledger-reader")
        self._queue: list[tuple[Request, asyncio.Future[Any]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._last = last
        self._news = asyncio.Event()
        self._connection: Connection | None = None
        self._ended, self._wrote = 0.0, 0  # the last batch: when, and how many requests
        self._statements = Statements(engine.dialect)

    # --- the port ------------------------------------------------------------------------------

    async def admit(self, admission: Admission, term: timedelta) -> Receipt:
        """See Ledger."""
        return cast("Receipt", await self._write(Admitting(admission, term)))

    async def record(self, entry: Entry) -> None:
        """See Ledger."""
        await self._write(entry)

    async def claim(self, permits: Mapping[str, int], term: timedelta) -> Sequence[Lease]:
        """See Ledger."""
        ids: list[str] = await self._write(Claiming(permits, term))
        return await self._read(lambda reader: reader.leases(ids)) if ids else []

    async def save(self, change: Change, term: timedelta) -> bool:
        """See Ledger."""
        return cast("bool", await self._write(Saving(change, term)))

    async def void(self) -> int:
        """See Ledger."""
        return cast("int", await self._write(Voiding()))

    async def move(self, follower: str, position: int) -> None:
        """See Ledger."""
        await self._write(Moving(follower, position))

    async def entries(self, after: int, limit: int) -> Sequence[Entry]:
        """See Ledger."""
        return await self._read(lambda reader: reader.entries(after, limit))

    async def news(self, after: int) -> None:
        """See Ledger."""
        while await self.last() <= after:
            await self._news.wait()

    async def last(self) -> int:
        """See Ledger."""
        return self._last

    async def cursor(self, follower: str) -> int:
        """See Ledger."""
        return await self._read(lambda reader: reader.cursor(follower))

    async def trace(self, handoff: str) -> Record | None:
        """See Ledger."""
        return await self._read(lambda reader: reader.trace(handoff))

    async def history(self, handoff: str) -> Sequence[Entry]:
        """See Ledger."""
        return await self._read(lambda reader: reader.history(handoff))

    async def handoffs(self, wanted: Filter) -> Sequence[Record]:
        """See Ledger."""
        return await self._read(lambda reader: reader.handoffs(wanted))

    async def deliveries(self, wanted: Filter) -> Sequence[tuple[Event, Handoff, Delivery]]:
        """See Ledger."""
        return await self._read(lambda reader: reader.deliveries(wanted))

    async def close(self) -> None:
        """End what is being written, then let go of the database and its lock."""
        while self._writing:
            await self._writing
        for pool in (self._writer, self._readers):
            pool.shutdown()
        if self._connection:
            self._connection.close()
        self._engine.dispose()
        self._let_go()

    # --- how ------------------------------------------------------------------------------------

    async def _read(self, ask: Callable[[Reader], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._asked, ask)

    def _asked(self, ask: Callable[[Reader], Answer]) -> Answer:
        try:
            with self._engine.connect() as connection:
                return ask(Reader(connection, self._read_event))
        except DBAPIError as err:
            raise _not_ready(err) from err

    async def _write(self, request: Request) -> Any:  # noqa: ANN401 - each caller knows its answer
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append((request, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._drain())
        return await done

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._queue:
                await self._gather(loop)
                batch, self._queue = self._queue[:BATCH_MAX], self._queue[BATCH_MAX:]
                requests = [request for request, _ in batch]
                last, answers = await loop.run_in_executor(self._writer, self._commit, requests)
                for (_, done), answer in zip(batch, answers, strict=True):
                    if done.done():  # its caller went away
                        continue
                    if isinstance(answer, Exception):
                        done.set_exception(answer)
                    else:
                        done.set_result(answer)
                self._tell(last)
                self._ended, self._wrote = loop.time(), len(batch)
        finally:
            self._writing = None

    async def _gather(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let requests gather if they come from several callers in quick succession.

        A commit costs as much as writing ten requests, whatever it holds. One caller alone, asking
        and waiting for the answer, never waits here.
        """
        crowd = len(self._queue) + self._wrote > ALONE
        await asyncio.sleep(max(0, self._ended + GATHER_S - loop.time()) if crowd else 0)

    def _tell(self, last: int) -> None:
        if last > self._last:
            self._last = last
            self._news.set()
            self._news = asyncio.Event()

    def _commit(self, requests: Sequence[Request]) -> tuple[int, list[Any]]:
        """Write the requests together or, if that fails, each alone; an answer for each."""
        try:
            return self._transaction(requests)
        except Exception as err:  # noqa: BLE001 - whatever it was, it belongs to one of them
            if len(requests) == 1:
                return 0, [_answer(err)]
        alone = [self._commit([request]) for request in requests]
        return max(last for last, _ in alone), [answers[0] for _, answers in alone]

    def _transaction(self, requests: Sequence[Request]) -> tuple[int, list[Any]]:
        if self._connection is None or self._connection.invalidated:
            self._connection = self._engine.connect().execution_options(writes=True)
        with self._connection.begin():
            now = rows.ticks(self._clock.now())
            batch = Batch(self._connection, self._statements, now)
            answers = _carried_out(batch, requests)
            last = batch.end()
        return last, answers


def _carried_out(batch: Batch, requests: Sequence[Request]) -> list[Any]:
    """The answers. Admissions share statements, and so do saves: that is where the speed is."""
    admitting = [request for request in requests if isinstance(request, Admitting)]
    saving = [request for request in requests if isinstance(request, Saving)]
    admitted = iter(batch.admit(admitting) if admitting else ())
    if saving:
        batch.save(saving)
    answers: list[Any] = []
    for request in requests:
        if isinstance(request, Admitting):
            answers.append(next(admitted))
        elif isinstance(request, Saving):
            answers.append(True)
        else:
            answers.append(batch.carry_out(request))
    return answers


def _answer(err: Exception) -> object:
    """What a request that failed alone comes to."""
    if isinstance(err, StaleError):
        return False
    return _not_ready(err) if isinstance(err, DBAPIError) else err


def _not_ready(err: DBAPIError) -> NotReady:
    return NotReady(
        f"the database answered: {err.orig}; nothing was recorded, send it again",
        retry_after_s=RETRY_AFTER_S,
    )
