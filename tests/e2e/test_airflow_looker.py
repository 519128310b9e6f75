"""From a real Airflow run to the Looker content that reads what it loaded, as users run it."""

import os
import signal
import stat
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from tests.peers.required import missing

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "examples" / "airflow-looker" / "run.py"
AIRFLOW = ROOT / ".airflow" / "bin" / "airflow"
STORY_S = 180  # some 20 s on a quiet machine; this ends a test whose story hangs


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """The example's program, as a module."""
    spec = spec_from_file_location("airflow_looker_run", PROGRAM)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up there
    spec.loader.exec_module(module)
    return module


def told(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """What a program says that keeps its temporary files in `folder` and leads a group of its own."""
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "TMPDIR": str(folder)},  # noqa: TID251 - handed on
    ) as process:
        out, err = process.communicate(timeout=STORY_S)
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)  # nobody of its group is left
    return subprocess.CompletedProcess(command, process.returncode, out, err)


@pytest.mark.peer
@pytest.mark.slow
def test_a_real_run_refreshes_what_it_affects(tmp_path: Path, example: ModuleType) -> None:
    """Looker sees each affected content once, on behalf of the run; nothing is left behind."""
    if not AIRFLOW.exists():
        missing("Apache Airflow (.airflow)")

    story = told(tmp_path, sys.executable, PROGRAM, "--airflow", "test")

    assert story.returncode == 0, story.stdout + story.stderr
    [run] = [line.split()[1] for line in story.stdout.splitlines() if line.startswith("run ")]
    assert f"source     airflow:load_orders/{run}\n" in story.stdout
    for effect, count in example.AFFECTED.items():
        assert f"{count} x        {effect}\n" in story.stdout
    assert "allowed  by shop/airflow-submits-loads" in story.stdout
    assert "tasks      2 events accepted, 0 owed" in story.stdout
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("kept", "added", "run"),
    [
        pytest.param(5, ["ran query 103"], "today", id="once more"),
        pytest.param(5, ["ran query 104"], "today", id="too much"),
        pytest.param(4, [], "today", id="too little"),
        pytest.param(5, [], "yesterday", id="another run"),
    ],
)
def test_the_program_can_fail(example: ModuleType, kept: int, added: list[str], run: str) -> None:
    """It calls that a failure: once more, too much, too little, or on behalf of another run."""
    effects = [*([effect] * count for effect, count in example.AFFECTED.items())][:kept]
    source = f"airflow:load_orders/{run}"
    calls = [{"effects": each, "source": source} for each in [*effects, added]]

    with pytest.raises(example.Failed):
        example.check_looker(calls, "today")


def test_the_program_can_succeed(example: ModuleType) -> None:
    """Exactly what is affected, on behalf of the run, is no failure."""
    effects = [[effect] * count for effect, count in example.AFFECTED.items()]
    calls = [{"effects": each, "source": "airflow:load_orders/today"} for each in effects]

    example.check_looker(calls, "today")


def test_without_airflow_it_says_what_to_do(tmp_path: Path) -> None:
    """One sentence, exit 2, no traceback."""
    story = told(tmp_path, sys.executable, PROGRAM, "--airflow-python", tmp_path / "nowhere")

    assert story.returncode == 2
    assert "make setup-airflow" in story.stderr.splitlines()[-1]
    assert "Traceback" not in story.stderr


@pytest.mark.slow
def test_the_demo(tmp_path: Path) -> None:
    """`interlock demo` tells its three parts, exits 0, and leaves no process and no folder."""
    story = told(tmp_path, Path(sys.executable).with_name("interlock"), "demo")

    assert story.returncode == 0, story.stderr
    titles = [line[:3] for line in story.stdout.splitlines() if line[:1].isdigit()]
    words = " ".join(story.stdout.split())  # however it is wrapped
    assert titles == ["1  ", "2  ", "3  "]
    assert "Looker saw 6 calls with effects, from airflow:load_orders/" in words
    assert "duplicate: true Looker saw nothing new" in words
    assert "403 policy.not_allowed" in words
    assert "because no rule permits it" in words
    assert [*tmp_path.iterdir()] == []


def _attentive() -> None:
    """Hear the signals that a shell's background job, as the tests may be, has ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_demo_that_is_kept(tmp_path: Path, number: signal.Signals) -> None:
    """Only its user can look into it, and whatever ends it leaves nothing behind."""
    with subprocess.Popen(
        [Path(sys.executable).with_name("interlock"), "demo", "--keep"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},  # noqa: TID251 - handed on
        preexec_fn=_attentive,  # noqa: PLW1509 - one system call each, before the program starts
    ) as process:
        assert process.stdout
        last = next((line for line in process.stdout if line.startswith("interlock handoffs")), "")
        [folder] = tmp_path.iterdir()
        mode = stat.S_IMODE(folder.stat().st_mode)
        process.send_signal(number)
        try:
            process.communicate(timeout=STORY_S)
        finally:
            process.kill()

    assert last
    assert mode == 0o700
    assert process.returncode == 1
    assert [*tmp_path.iterdir()] == []
