"""`interlock demo`: the whole story on one machine, with no account and nothing left behind."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import get_terminal_size
from tempfile import TemporaryDirectory
from textwrap import wrap

import click
import orjson
import uvloop

from interlock.app import bootstrap, configuration
from interlock.app.outside import http_out
from interlock.app.stage import Stage, stage
from interlock.client import Client, Problem, Result
from interlock.surfaces.cli.calling import Failed
from interlock.surfaces.http import application, listen
from interlock.surfaces.http import serve as answer

EXAMPLE = "airflow-looker"
WAIT_S = 30  # for a delivery of some seconds, on a busy machine
LEFT_SHOWN = 4
WIDTH_MAX = 110  # columns; longer lines are hard to follow


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A gateway at work on a stage; `client` asks it as that client of the stand-in provider."""

    stage: Stage
    url: str

    async def client(self, name: str) -> Client:
        """A client of the gateway that is identified as `name`."""
        token = await self.stage.token(name)
        return Client(self.stage.http, self.url, lambda: token)


@asynccontextmanager
async def played(example: str, folder: Path) -> AsyncIterator[Played]:
    """The example's gateway and the stand-ins around it, until the block ends."""
    async with http_out() as http, stage(example, folder, http) as scene:
        loaded = configuration.load(scene.config, bootstrap.connectors())
        stop = asyncio.Event()
        async with bootstrap.running(loaded) as running:
            with listen("127.0.0.1", 0) as listener:
                serving = asyncio.create_task(answer(application(running), listener, stop))
                try:
                    yield Played(stage=scene, url=f"http://127.0.0.1:{listener.getsockname()[1]}")
                finally:
                    stop.set()
                    await serving


@click.command()
@click.option("--keep", is_flag=True, help="Leave the gateway running until Ctrl-C.")
def demo(*, keep: bool) -> None:
    """Tell the whole story on this machine: no account, no cloud, nothing left behind.

    A finished Airflow run is handed over; the Looker content that reads its table is refreshed and
    the rest is left alone; the same event again changes nothing; a stranger is refused.
    """
    with TemporaryDirectory(prefix="interlock-demo-") as folder:
        try:
            uvloop.run(_demo(Path(folder), keep=keep))
        except asyncio.CancelledError as err:
            raise click.Abort from err


async def _demo(folder: Path, *, keep: bool) -> None:
    this = asyncio.current_task()
    assert this
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves SIGHUP
            asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    async with played(EXAMPLE, folder) as play:
        event = orjson.loads((folder / "event.json").read_bytes())
        _say("interlock", f"{play.url}  ledger {folder.name}/interlock.db (SQLite)")
        _say("around it", "a sandbox Looker with the shop's LookML; a throw-away identity provider")
        airflow = await play.client("airflow-prod")
        await _handed_over(airflow, play, event)
        await _once_more(airflow, play, event)
        await _refused(play, event)
        if keep:
            await _kept(play)


async def _handed_over(airflow: Client, play: Played, event: Result) -> None:
    _title(f"1  Airflow run {event['data']['run_id']} of {event['subject']} has loaded")
    _say("tables", ", ".join(event["data"]["tables"]))
    receipt = await airflow.submit(orjson.dumps(event), wait_s=WAIT_S)
    trace = await airflow.trace(receipt["handoff"])
    [delivery] = trace["deliveries"]
    _say("hand-off", f"{receipt['handoff']}  {delivery['state']}")
    _say("caller", f"{trace['principal']}, allowed by {', '.join(trace['decision']['rules'])}")
    for step in delivery["notes"]["touched"]:
        _say("refreshed", f"{_name(step['asset'])}: {step['why']}")
    for left in delivery["notes"]["left"][:LEFT_SHOWN]:
        _say("left alone", f"{_name(left['asset'])}: {left['why']}")
    calls = [call for call in await play.stage.looker_journal() if call["effects"]]
    sources = {call["source"] for call in calls if call["source"]}
    _say("Looker saw", f"{len(calls)} calls with effects, from {', '.join(sorted(sources))}")
    if delivery["state"] != "done":
        raise Failed(f"the delivery is {delivery['state']}: {delivery['reason']}")


async def _once_more(airflow: Client, play: Played, event: Result) -> None:
    _title("2  The same event again: a retry, a second scheduler, an impatient script")
    before = await play.stage.looker_effects()
    receipt = await airflow.submit(orjson.dumps(event), wait_s=WAIT_S)
    after = await play.stage.looker_effects()
    _say("receipt", f"{receipt['handoff']}  duplicate: {str(receipt['duplicate']).lower()}")
    if not receipt["duplicate"] or before != after:
        raise Failed("the second sending was not recognised")
    _say("Looker saw", "nothing new")


async def _refused(play: Played, event: Result) -> None:
    _title("3  A notebook sends an event of the same source, with a valid token")
    stranger = await play.client("notebook")
    try:
        await stranger.submit(orjson.dumps(event | {"id": f"{event['id']}/mine"}))
    except Problem as problem:
        _say("answer", f"{problem.status} {problem.code}: {problem.detail}")
        trace = await stranger.trace(str(problem.fields["trace"]))
        detail = trace["history"][-1]["detail"]
        _say("on record", f"{detail['principal']} {detail['action']} {detail['resource']}")
        _say("because", str(detail["why"]))
    else:
        raise Failed("policy let a stranger in")


async def _kept(play: Played) -> None:
    token_file = play.stage.folder / "token"
    token_file.touch(mode=0o600)
    token_file.write_text(await play.stage.token("airflow-prod"))
    _title("The gateway stays up until Ctrl-C. In another terminal (the token lives 10 minutes):")
    click.echo(f"export INTERLOCK_URL={play.url} INTERLOCK_TOKEN_FILE={token_file}")
    click.echo("interlock handoffs")
    await asyncio.Event().wait()


def _title(text: str) -> None:
    click.echo(f"\n{click.style(text, bold=True)}")


def _say(what: str, text: str) -> None:
    width = min(get_terminal_size().columns, WIDTH_MAX)
    label, indent = f"   {what:<12}", " " * 15
    for line in wrap(
        text, width, initial_indent=label, subsequent_indent=indent, break_on_hyphens=False
    ):
        click.echo(line)


def _name(asset: str) -> str:
    """`Dashboard::"looker/shop::sales"` as people say it."""
    kind, _, name = asset.partition("::")
    return f"{kind} {name.strip(chr(34)).partition('/')[2]}" if name else asset
