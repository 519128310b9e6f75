"""The command line starts fast, and fails in one way."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from interlock.surfaces.cli.main import COMMANDS, cli
from tests.surfaces.cli.gateway import INTERLOCK

HEAVY = ("aiohttp", "fastapi", "pydantic", "sqlalchemy", "uvicorn")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    """Help and version come without the gateway's libraries, which take most of a second."""
    program = (
        "import sys\n"
        "from interlock.surfaces.cli.main import cli\n"
        f"cli({arguments}, standalone_mode=False)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])\n"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert ran.stdout.splitlines()[-1] == "[]"


def test_a_command_does_load_what_is_heavy() -> None:
    """The test before would see a library that is loaded too early."""
    program = "import sys, interlock.surfaces.cli.trace; print('pydantic' in sys.modules)"

    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert ran.stdout.strip() == "True"


def test_help_names_every_command() -> None:
    """`interlock --help` lists the commands, and what the exit codes mean."""
    result = CliRunner().invoke(cli, ["--help"])

    assert result.exit_code == 0
    assert all(f"\n  {name} " in result.stdout for name in COMMANDS)
    assert "3 denied" in result.stdout


def test_an_unknown_command_is_usage() -> None:
    """A command that is none exits 2 and says so on stderr, as the installed program too."""
    ran = subprocess.run([INTERLOCK, "frobnicate"], capture_output=True, text=True, check=False)

    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "No such command 'frobnicate'" in ran.stderr


def test_what_a_terminal_cannot_show_is_no_error() -> None:
    """Where stdout has another encoding, text it lacks is escaped instead of a traceback."""
    ran = subprocess.run(
        [INTERLOCK, "check", "--config", "/nowhere/日.yaml"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONIOENCODING": "iso-8859-1", "LC_ALL": "C.UTF-8"},
    )

    assert "/nowhere/\\u65e5.yaml: No such file" in ran.stdout
    assert "Traceback" not in ran.stderr
