"""One gateway for all tests of the command line, and the command line for each of them."""

from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from interlock.surfaces.cli.main import cli
from tests.peers.idp import idp, idp_process
from tests.surfaces.cli.gateway import Running, running

__all__ = ["idp", "idp_process"]

Interlock = Callable[..., Result]


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A running gateway."""
    with running(tmp_path_factory.mktemp("gateway")) as started:
        yield started


@pytest.fixture
def interlock(gateway: Running) -> Interlock:
    """The command line of a client of the gateway: `interlock("trace", id, client="stranger")`."""

    def run(*arguments: str, client: str = "airflow", stdin: bytes = b"", **env: str) -> Result:
        return CliRunner().invoke(
            cli, arguments, input=stdin, env={**gateway.environment(client), **env}
        )

    return run
