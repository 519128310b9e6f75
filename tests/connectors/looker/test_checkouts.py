"""The LookML on disk is read when it changes, and only then."""

import asyncio
import os
from pathlib import Path

import pytest

from interlock.connectors.looker.checkouts import CheckoutError, Checkouts
from interlock.core.step import Rejected
from interlock.lookml import Graph
from tests.connectors.looker.shop import Shop, lease, write

pytestmark = pytest.mark.anyio

MODEL = 'connection: "w"\ninclude: "/*.view"\nexplore: orders {}\n'
HANGS_S = 10  # ends a test that would wait for ever
VIEW = "view: orders {{ sql_table_name: analytics.{} ;; }}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One explore on one table."""
    return write(tmp_path / "shop", shop_model=MODEL, orders=VIEW.format("orders"))


def explores(graph: Graph, table: str) -> list[str]:
    """The explores that a table affects."""
    return [explore.id for explore in graph.affected([table]).explores]


async def test_a_graph_is_kept_while_no_file_changes(project: Path) -> None:
    """Also for all who ask at once."""
    checkouts = Checkouts([project], "bigquery")
    graphs = await asyncio.gather(*(checkouts.graph() for _ in range(5)))

    assert all(graph is graphs[0] for graph in graphs)
    assert await checkouts.graph() is graphs[0]


async def test_a_change_is_seen_at_the_next_look(project: Path) -> None:
    """A file that changed, came or went."""
    checkouts = Checkouts([project], "bigquery")
    before = explores(await checkouts.graph(), "analytics.sales")
    write(project, orders=VIEW.format("sales"))
    changed = explores(await checkouts.graph(), "analytics.sales")
    write(project, other_model=MODEL)
    more = explores(await checkouts.graph(), "analytics.sales")
    (project / "other.model.lkml").unlink()
    fewer = explores(await checkouts.graph(), "analytics.sales")

    assert (before, changed) == ([], ["shop::orders"])
    assert (more, fewer) == (["other::orders", "shop::orders"], ["shop::orders"])


async def test_who_cannot_wait_does_not_stop_the_reading(project: Path) -> None:
    """The next to ask gets what was begun: the pipe among the files can be read only once."""
    pipe = project / "orders.view.lkml"
    pipe.unlink()
    os.mkfifo(pipe)
    as_it_was = pipe.stat()
    checkouts = Checkouts([project], "bigquery")
    impatient = asyncio.create_task(checkouts.graph())
    writer = await asyncio.to_thread(os.open, pipe, os.O_WRONLY)  # the reading has come to it
    impatient.cancel()
    await asyncio.wait([impatient])
    os.write(writer, VIEW.format("orders").encode())
    os.close(writer)
    os.utime(pipe, ns=(as_it_was.st_atime_ns, as_it_was.st_mtime_ns))
    async with asyncio.timeout(HANGS_S):
        graph = await checkouts.graph()

    assert impatient.cancelled()
    assert explores(graph, "analytics.orders") == ["shop::orders"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"projects": ["no/such/folder"]}, "projects: there is no folder no/such/folder"),
        ({"connections": {"w": "klingon"}}, "connections: "),
    ],
)
async def test_lookml_that_cannot_be_read_is_a_refusal(
    shop: Shop, changes: dict[str, object], told: str
) -> None:
    """It says what to look at; the instance is not asked."""
    shop.changes = changes
    shop.restart()
    found = await shop.target.look(lease())

    assert isinstance(found, Rejected)
    assert found.reason.startswith(told)
    assert shop.looker.journal() == []


async def test_a_folder_that_goes_is_missed(project: Path) -> None:
    """A graph in memory does not hide that the checkout is gone."""
    checkouts = Checkouts([project], "bigquery")
    await checkouts.graph()
    await asyncio.to_thread(project.rename, project.with_name("elsewhere"))

    with pytest.raises(CheckoutError, match="there is no folder"):
        await checkouts.graph()
