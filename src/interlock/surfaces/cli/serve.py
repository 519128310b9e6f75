"""`interlock serve`: the gateway."""

import asyncio
import gc
import logging
import signal
import socket
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import click
import uvloop

from interlock.app import bootstrap, configuration
from interlock.app.configuration import Configuration
from interlock.app.document import ConfigInvalid
from interlock.surfaces.cli.calling import Failed, note
from interlock.surfaces.cli.options import configured
from interlock.surfaces.http import application, listen
from interlock.surfaces.http import serve as answer

GC_THRESHOLD = 7_000  # new objects between two looks for cycles


class ConfigRefused(Failed):
    """The configuration is not one: the same exit code as a command that is not one."""

    exit_code = 2


class OneLine(logging.Formatter):
    """A record is a line: its time in UTC, and nothing in it that could pass for another record."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - logging's signature
        """RFC 3339, UTC, to the millisecond."""
        at = datetime.fromtimestamp(record.created, UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def format(self, record: logging.LogRecord) -> str:
        """The line; a traceback's own lines stand behind bars."""
        return " | ".join(super().format(record).splitlines())


@click.command()
@configured
@click.option("--host", help="Where to listen; else as the configuration says.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Likewise; 0 takes a free one.")
def serve(config: Path, host: str | None, port: int | None) -> None:
    """Run the gateway until SIGTERM or SIGINT; then finish what is under way."""
    _log_to_stderr()
    try:
        loaded = configuration.load(config, bootstrap.connectors())
    except ConfigInvalid as err:
        for complaint in str(err).splitlines():
            note(complaint)
        advice = f"correct that, then interlock check --config {config}"
        raise ConfigRefused(f"{config} cannot be used", advice) from err
    written = loaded.settings.http
    host, port = host or written.host, written.port if port is None else port
    try:
        listener = listen(host, port)
    except OSError as err:
        advice = "stop what listens there (ss -ltnp names it), or give another --port"
        why = str(err.strerror).partition(" (")[0]  # Python repeats the address
        raise Failed(f"cannot listen on {host}:{port}: {why}", advice) from err
    with listener:
        uvloop.run(_run(loaded, listener))


async def _run(loaded: Configuration, listener: socket.socket) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        try:
            running = await stack.enter_async_context(bootstrap.running(loaded))
        except bootstrap.CANNOT_RUN as err:
            raise Failed(str(err), "correct that, then start it again: nothing ran") from err
        site = running.gateway.site
        _settle_memory()
        note(f"interlock ready {_address(listener)} site={site.name} config_rev={site.rev}")
        await answer(application(running), listener, stop)


def _settle_memory() -> None:
    """What was loaded stays: tell the collector, and let it look a tenth as often for cycles.

    An event makes few cycles and some hundred objects; the usual threshold of 700 would have all
    young objects looked at five times per event batch, a twentieth of all CPU.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("interlock").setLevel(logging.INFO)
