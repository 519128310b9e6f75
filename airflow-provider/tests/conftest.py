"""A private Airflow: its home is a temporary folder, its DAGs are `tests/dags`."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Airflow reads its environment when it is imported, so this comes before anything of it.
HOME = Path(tempfile.mkdtemp(prefix="airflow-home-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
os.environ.update(  # noqa: TID251 - that is how Airflow is configured
    AIRFLOW_HOME=str(HOME),
    AIRFLOW__CORE__DAGS_FOLDER=str(Path(__file__).parent / "dags"),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__INTERLOCK__INSTANCE="prod",
    AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING",
    PYTHONWARNINGS="ignore",
)

from tests.receiver import Receiver, receiving  # noqa: E402 - it needs the path that pytest sets


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A gateway's front door."""
    with receiving() as running:
        yield running


@pytest.fixture(scope="session")
def airflow_db() -> None:
    """Airflow's database, made once."""
    airflow = Path(sys.executable).with_name("airflow")
    subprocess.run([airflow, "db", "migrate"], check=True, capture_output=True)


@pytest.fixture
def listening(
    airflow_db: None, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Receiver]:
    """The listener switched on, with its own spool, and the receiver it talks to."""
    token_file = tmp_path / "token"
    token_file.write_text("workload-token\n")
    monkeypatch.setenv("AIRFLOW__INTERLOCK__URL", receiver.url)
    monkeypatch.setenv("AIRFLOW__INTERLOCK__TOKEN_FILE", str(token_file))
    monkeypatch.setenv("AIRFLOW__INTERLOCK__SPOOL_DIR", str(tmp_path / "spool"))
    from airflow_provider_interlock import listener

    listener._settings.cache_clear()
    listener._sender.cache_clear()
    yield receiver
    listener._settings.cache_clear()
    listener._sender.cache_clear()
