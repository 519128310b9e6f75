"""A real Airflow run refreshes exactly the Looker content that reads what it loaded.

    python examples/airflow-looker/run.py [--airflow test|stack] [--airflow-python PATH]

Gateway, identity provider and sandbox Looker run in this process, Airflow in one of its own. The
DAG in dags/ knows none of them: `airflow-provider-interlock` tells the gateway what has finished.

Exit status: 0 if each affected content was refreshed once and nothing else was touched.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvloop

from interlock.client import Client
from interlock.surfaces.cli.calling import show
from interlock.surfaces.cli.demo import Played, played
from interlock.surfaces.cli.text import AT_REST
from interlock.surfaces.cli.trace_page import trace_lines

EXAMPLE = Path(__file__).parent
ROOT = EXAMPLE.parents[1]
STACK = ROOT / "airflow-provider" / "tests" / "stack.py"
DAG = "load_orders"
CLIENT = (
    "airflow-prod"  # who Airflow is at the identity provider; policies/shop.cedar names its group
)
SETTLED_S = 60.0  # from Airflow's end to the last refresh: some 3 s, on a busy machine more
STOP_S = 40.0  # for Airflow to end its components, which have 15 s each
POLL_S = 0.2

AFFECTED = {
    "triggered datagroup shop::orders_datagroup": 1,
    "started a build of shop::daily_sales": 1,
    "ran query 101": 2,  # Orders by day, a tile of two dashboards
    "ran query 102": 1,  # Revenue trend, of the dashboard Sales
    "ran query 103": 1,  # Top customers, of the dashboard Customers
}
"""Each effect on what reads analytics.orders; stock and traffic (104, 105) read other tables."""


class Failed(Exception):  # noqa: N818 - the program's one way to say that it did not come out right
    """It did not come out as it must; the text says what."""


@dataclass(frozen=True)
class Airflow:
    """How to run Airflow.

    Attributes:
        python: of the environment where Airflow and the provider are installed.
        mode: `test` is one process; `stack` is API server, scheduler and DAG processor.
    """

    python: Path
    mode: str


async def main(airflow: Airflow) -> None:
    """Tell the story. Raises Failed."""
    this = asyncio.current_task()
    assert this
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    with TemporaryDirectory(prefix="interlock-example-") as folder:
        async with played(EXAMPLE.name, Path(folder)) as play:
            title(f"Airflow runs {DAG} ({airflow.mode})")
            await run_airflow(airflow, play)
            client = await play.client(CLIENT)
            run = await settled_run(client)
            title("What the gateway has on record")
            trace = await client.trace(run["id"])
            show(
                trace, lambda it, look, now: trace_lines(it, look, now, whole=False), as_json=False
            )
            title("What Looker saw")
            check_looker(await play.stage.looker_journal(), trace["event"]["data"]["run_id"])
            await check_tasks(client)


async def run_airflow(airflow: Airflow, play: Played) -> None:
    """Run the DAG in an Airflow that is told where the gateway is, and nothing more."""
    token_file = play.stage.folder / "airflow.token"
    token_file.touch(mode=0o600)
    token_file.write_text(await play.stage.token(CLIENT))
    options = {"INSTANCE": "prod", "URL": play.url, "TOKEN_FILE": token_file}
    settings = [f"--env=AIRFLOW__INTERLOCK__{name}={value}" for name, value in options.items()]
    dags = EXAMPLE / "dags"
    process = await asyncio.create_subprocess_exec(
        *(str(airflow.python), str(STACK), "--dags", str(dags), "--dag", DAG),
        *("--mode", airflow.mode, *settings),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(play.stage.folder)},  # noqa: TID251 - handed on
    )
    assert process.stdout
    try:
        async for line in process.stdout:
            told = json.loads(line)
            say(told.pop("did"), ", ".join(f"{name} {value}" for name, value in told.items()))
        if await process.wait():
            raise Failed("Airflow did not run the DAG to its end; what it says is above")
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)  # it ends what it started, then itself
            await asyncio.wait_for(process.wait(), STOP_S)


async def settled_run(client: Client) -> Mapping[str, Any]:
    """The hand-off of the finished run, once nothing of it moves any more."""
    found: Sequence[Mapping[str, Any]] = ()
    try:
        async with asyncio.timeout(SETTLED_S):
            while not found or found[0]["state"] not in AT_REST:
                await asyncio.sleep(POLL_S)
                found = (await client.handoffs(type="airflow.dag_run.succeeded"))["handoffs"]
    except TimeoutError as err:
        state = found[0]["state"] if found else "not there"
        raise Failed(f"the run's hand-off is {state} after {SETTLED_S:g} s") from err
    if len(found) > 1 or found[0]["state"] != "done":
        raise Failed(f"expected one hand-off that is done: {[each['state'] for each in found]}")
    return found[0]


def check_looker(journal: Sequence[Mapping[str, Any]], run_id: str) -> None:
    """Show what the run did in Looker; raise Failed unless it is AFFECTED, and by this run."""
    effects = [effect for call in journal for effect in call["effects"]]
    counts = {effect: effects.count(effect) for effect in sorted(set(effects))}
    for effect, count in counts.items():
        say(f"{count} x", effect)
    # API 4.0 takes no source for a datagroup; every other call says on whose behalf it came.
    sources = {call["source"] for call in journal if call["effects"] and call["source"]}
    say("source", ", ".join(sorted(sources)))
    if counts != AFFECTED:
        raise Failed(f"expected each of these, so often, and nothing else: {AFFECTED}")
    if sources != {f"airflow:{DAG}/{run_id}"}:
        raise Failed(f"expected one source: airflow:{DAG}/{run_id}")


async def check_tasks(client: Client) -> None:
    """The tasks' events are on record too, and owe nothing: the route is for the whole run."""
    tasks = (await client.handoffs(type="airflow.task.succeeded"))["handoffs"]
    say("tasks", f"{len(tasks)} events accepted, {sum(len(t['deliveries']) for t in tasks)} owed")
    if len(tasks) != 2 or any(task["deliveries"] for task in tasks):  # noqa: PLR2004 - extract, load
        raise Failed("expected the events of two tasks, with no deliveries")


def title(text: str) -> None:
    """Begin a part of the story."""
    print(f"\n{text}", flush=True)


def say(what: str, text: str) -> None:
    """One line of it."""
    print(f"   {what:<11}{text}", flush=True)


def arguments() -> Airflow:
    """What the command line says; ends the program where Airflow is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--airflow", choices=("test", "stack"), default="test")
    parser.add_argument("--airflow-python", type=Path, default=ROOT / ".airflow/bin/python")
    asked = parser.parse_args()
    if not asked.airflow_python.exists():
        parser.error(
            f"there is no Airflow at {asked.airflow_python}: "
            "run `make setup-airflow`, or give --airflow-python"
        )
    return Airflow(asked.airflow_python, asked.airflow)


if __name__ == "__main__":
    try:
        uvloop.run(main(arguments()))
    except Failed as failed:
        sys.exit(f"FAILED: {failed}")
    except (asyncio.CancelledError, KeyboardInterrupt):
        sys.exit("stopped before the end; nothing is left running")
    title("ok: each affected content was refreshed once, nothing else was touched")
