"""One gateway for the tests of a file."""

from collections.abc import AsyncIterator

import pytest

from tests.surfaces.http.gateway import Gateway, gateway

__all__ = ["gateway_of_file"]


@pytest.fixture(scope="module", name="gateway")
async def gateway_of_file(
    anyio_backend: object, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    """A running gateway."""
    async with gateway(tmp_path_factory.mktemp("http")) as started:
        yield started
