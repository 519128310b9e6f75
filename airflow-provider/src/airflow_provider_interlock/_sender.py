"""The thread that carries a spool to the gateway, one per process."""

import logging
import queue
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Thread

from airflow_provider_interlock._client import Client, Receipt, Refused, Unavailable, wait_after
from airflow_provider_interlock._clock import now
from airflow_provider_interlock._spool import GO, Pause, Row, Spool

LOOK_EVERY_S = (
    5.0  # other processes of this host leave events behind; a look costs under a millisecond
)
EXIT_S_MAX = 1.0  # what a process that ends gives to events it has just spooled

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Sender:
    """Sends what is spooled, oldest first, each event until the gateway has answered it.

    A crash before the answer is noted on disk sends the event again; its id makes that harmless.
    `connect` runs in the sender's thread, never in the caller's: it may ask a secrets backend.
    """

    spool: Spool
    connect: Callable[[], Client]
    clock: Callable[[], datetime] = now
    _client: Client | None = field(default=None, init=False)
    _wakes: "queue.SimpleQueue[Event]" = field(default_factory=queue.SimpleQueue, init=False)
    _thread: Thread | None = field(default=None, init=False)

    def wake(self) -> Event:
        """Have the spool looked at, and return at once. The event is set when that is over."""
        looked = Event()
        self._wakes.put(looked)
        if self._thread is None or not self._thread.is_alive():
            self._thread = Thread(target=self._run, name="interlock-sender", daemon=True)
            self._thread.start()
        return looked

    def finish(self) -> None:
        """Give the thread a last look before the process ends. In a fork's child there is none."""
        if self._thread is not None and self._thread.is_alive():
            self.wake().wait(EXIT_S_MAX)

    def _run(self) -> None:
        while True:
            looked = self._next_wake()
            try:
                self.send_all()
            except Exception:
                log.exception("Interlock: the spool in %s could not be sent", self.spool.folder)
            if looked is not None:
                looked.set()

    def _next_wake(self) -> Event | None:
        try:
            return self._wakes.get(timeout=LOOK_EVERY_S)
        except queue.Empty:
            return None

    def send_all(self) -> None:
        """Send until nothing is pending, the gateway is unavailable, or another process sends."""
        with self.spool.exclusive() as alone:
            while alone:
                pause, row = self.spool.pause(), self.spool.head()
                if row is None or self.clock() < pause.until:
                    return
                self._settle(row, self._submit(row), pause.failures)

    def _submit(self, row: Row) -> Receipt | Refused | Unavailable:
        try:
            self._client = self._client or self.connect()
        except Exception as err:  # noqa: BLE001 - a secrets backend may raise anything
            return Unavailable(f"no connection to use: {err}")
        return self._client.submit(row.body)

    def _settle(self, row: Row, answer: Receipt | Refused | Unavailable, failures: int) -> None:
        match answer:
            case Receipt():
                self.spool.sent(row)
            case Refused(code, detail):
                self.spool.reject(row, f"{code}: {detail}")
                log.error("Interlock refuses event %s for good (%s): %s", row.id, code, detail)
            case Unavailable(reason, retry_after_s):
                self._client = None  # its connection may have been mended meanwhile
                wait = wait_after(failures + 1, retry_after_s)
                self.spool.set_pause(Pause(self.clock() + wait, failures + 1))
                if not failures:
                    log.warning("Interlock is unavailable, events wait on disk: %s", reason)
                return
        if failures:
            self.spool.set_pause(GO)
            log.info("Interlock is available again")
