"""Runs one DAG in a real Airflow, started for it and stopped after it. A program, not a test.

    python stack.py --dags DIR --dag ID [--mode test|stack] [--env K=V ...] [--conf JSON]

`test` runs `airflow dags test`: one process plays worker and scheduler, all listeners fire, and the
events have the ids and data of a real run. `stack` starts API server, scheduler (LocalExecutor) and
DAG processor, and triggers the run by REST: task events then come from task processes and the run's
event from the scheduler, through one spool. It takes about four times as long.

Standard output: a JSON object for each thing done. Standard error: what Airflow says, if a step
fails. Exit status: 0 if the run succeeded.
"""

import argparse
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

READY_S_MAX = 120.0  # a cold start takes 15 s on a quiet machine, a minute on a busy one
RUN_S_MAX = 120.0
STOP_S_MAX = 15.0
POLL_S = 0.2
ENDED = ("success", "failed")


class Failed(Exception):  # noqa: N818 - the program's one way to say that a step did not work
    """A step did not work; the text says which."""


def say(did: str, **facts: object) -> None:
    """Tell one step on standard output."""
    print(json.dumps({"did": did, **facts}), flush=True)  # noqa: T201 - that is its purpose


def environment(home: Path, dags: Path, port: int, extra: list[str]) -> dict[str, str]:
    """Return the environment of an Airflow that shares nothing with the one it is started from."""
    inherited = os.environ.items()  # noqa: TID251 - a program that starts others hands theirs on
    secret = secrets.token_urlsafe(48)
    return {
        **{name: value for name, value in inherited if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__SECRET_KEY": secret,
        "AIRFLOW__API_AUTH__JWT_SECRET": secret,
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        **dict(pair.split("=", 1) for pair in extra),
    }


def airflow(env: dict[str, str], *words: str) -> list[str]:
    """Run an Airflow command to its end and return its command line.

    Raises:
        Failed: it did not succeed.
    """
    command = [str(Path(sys.executable).with_name("airflow")), *words]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.stderr.write(ran.stdout + ran.stderr)
        raise Failed(f"airflow {' '.join(words)}: exit status {ran.returncode}")
    return command


@contextmanager
def component(env: dict[str, str], *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a component of Airflow, and everything it starts, until the block ends."""
    log = Path(env["AIRFLOW_HOME"]) / f"{words[0]}.log"
    command = [str(Path(sys.executable).with_name("airflow")), *words]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=env, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield process
        except BaseException:
            sys.stderr.write(log.read_text(errors="replace")[-4_000:])
            raise
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a component's process group: it is the leader of its own, so this reaches no other."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S_MAX)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Rest:
    """Airflow's REST API, version 2."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.headers = {"Content-Type": "application/json"}

    def ask(self, path: str, body: object = None) -> dict[str, Any]:
        """POST `body`, or GET where there is none.

        Raises:
            OSError: no answer, or an error's status.
        """
        content = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data=content, headers=self.headers)
        with urlopen(request, timeout=10) as response:
            answer = json.load(response)
        assert isinstance(answer, dict)
        return answer

    def log_in(self) -> bool:
        """Take a token: everybody is an administrator of an Airflow that nobody else reaches."""
        self.headers["Authorization"] = f"Bearer {self.ask('/auth/token')['access_token']}"
        return True


def wait_for(what: str, look: Any, within_s: float, alive: list[subprocess.Popen[bytes]]) -> Any:
    """Look until there is something to see.

    Raises:
        Failed: not in time, or a component has ended.
    """
    pause, end = threading.Event(), monotonic() + within_s
    while monotonic() < end:
        if any(process.poll() is not None for process in alive):
            raise Failed(f"{what}: a component of Airflow has ended")
        try:
            if seen := look():
                return seen
        except (OSError, URLError, KeyError):
            pass  # not up yet
        pause.wait(POLL_S)
    raise Failed(f"{what}: not within {within_s} s")


def run_stack(env: dict[str, str], port: int, dag_id: str, conf: dict[str, Any]) -> str:
    """Trigger a DAG in a running Airflow and return the state in which it ended."""
    rest = Rest(port)
    with ExitStack() as stack:
        api = ("api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1")
        alive = [
            stack.enter_context(component(env, *words))
            for words in (api, ("scheduler", "--skip-serve-logs"), ("dag-processor",))
        ]
        say("started", components=["api-server", "scheduler", "dag-processor"], url=rest.url)
        wait_for("API server", rest.log_in, READY_S_MAX, alive)
        wait_for(f"DAG {dag_id}", lambda: rest.ask(f"/api/v2/dags/{dag_id}"), READY_S_MAX, alive)
        say("found", dag=dag_id)
        run = rest.ask(f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
        say("triggered", dag=dag_id, run=run["dag_run_id"])
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run['dag_run_id']}"

        def ended() -> dict[str, Any] | None:
            seen = rest.ask(path)
            return seen if seen["state"] in ENDED else None

        run = wait_for("run", ended, RUN_S_MAX, alive)
        tasks = rest.ask(path + "/taskInstances")["task_instances"]
        say(
            "ended",
            dag=dag_id,
            run=run["dag_run_id"],
            state=run["state"],
            queued_at=run["queued_at"],
            tasks={one["task_id"]: {"id": one["id"], "state": one["state"]} for one in tasks},
        )
        return str(run["state"])


def run_test(env: dict[str, str], dag_id: str, conf: dict[str, Any]) -> str:
    """Run a DAG in one process and return the state in which it ended."""
    airflow(env, "dags", "test", dag_id, "--conf", json.dumps(conf))
    say("ended", dag=dag_id, state="success")
    return "success"


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dags", type=Path, required=True, help="folder of DAG files")
    parser.add_argument("--dag", required=True, help="id of the DAG to run")
    parser.add_argument("--mode", choices=("test", "stack"), default="test")
    parser.add_argument("--env", action="append", default=[], metavar="K=V")
    parser.add_argument("--conf", type=json.loads, default={}, help="the run's conf, JSON")
    asked = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="airflow-", ignore_cleanup_errors=True) as home:
        env = environment(Path(home), asked.dags.resolve(), port, asked.env)
        try:
            airflow(env, "db", "migrate")
            say("migrated", home=home, mode=asked.mode)
            if asked.mode == "stack":
                state = run_stack(env, port, asked.dag, asked.conf)
            else:
                state = run_test(env, asked.dag, asked.conf)
        except Failed as err:
            say("failed", why=str(err))
            return 1
    say("stopped")
    return 0 if state == "success" else 1


if __name__ == "__main__":
    sys.exit(main())
