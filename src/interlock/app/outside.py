"""What a command needs of the outside world when it is not the gateway: the clock, and HTTP out.

Apart from `bootstrap`, whose imports would make every command wait half a second.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from interlock.adapters.clock import SystemClock
from interlock.adapters.http_client import AioHttp
from interlock.ports import Clock, Http


def system_clock() -> Clock:
    """The machine's clock."""
    return SystemClock()


@asynccontextmanager
async def http_out() -> AsyncIterator[Http]:
    """HTTP out, until the block ends."""
    opened = AioHttp()
    try:
        yield opened
    finally:
        await opened.close()
