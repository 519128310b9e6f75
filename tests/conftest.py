"""What every test may lean on."""

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Async tests run on the event loop that the gateway runs on."""
    return ("asyncio", {"use_uvloop": True})
