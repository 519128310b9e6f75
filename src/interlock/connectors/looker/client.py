"""The operations of Looker's API that a refresh needs.

A call is repeated once, after a new login, when its token is refused: a revoked token must not
fail a run, and a call that was not let in has changed nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import orjson
from pydantic import TypeAdapter

from interlock.connectors.kit import Tools
from interlock.connectors.looker import answers
from interlock.connectors.looker.config import LookerConfig
from interlock.connectors.looker.exchange import (
    UNAUTHORIZED,
    Body,
    Call,
    CallError,
    path,
    read,
    send,
)
from interlock.connectors.looker.tokens import Tokens
from interlock.core.step import Rejected

PAGE = 500  # dashboards in one answer of a search
DASHBOARDS_MAX = 50_000  # that a search takes in: many times a large instance

_DATAGROUP = TypeAdapter(answers.Datagroup)
_DATAGROUPS = TypeAdapter(tuple[answers.Datagroup, ...])
_BUILD = TypeAdapter(answers.Build)
_DASHBOARD = TypeAdapter(answers.Dashboard)
_DASHBOARDS = TypeAdapter(tuple[answers.Dashboard, ...])
_TASK = TypeAdapter(answers.Task)
_ANYTHING: TypeAdapter[object] = TypeAdapter(object)


@dataclass(slots=True)
class Client:
    """Each operation raises CallError with the outcome that its failure comes to.

    Attributes:
        clock: what the instance believed the time to be when it last answered, in whole seconds,
            rounded down; None if it does not say.
    """

    config: LookerConfig
    tools: Tools
    clock: datetime | None = None
    base_url: str = field(init=False)
    tokens: Tokens = field(init=False)

    def __post_init__(self) -> None:
        self.base_url = str(self.config.base_url).rstrip("/")
        self.tokens = Tokens(self.config, self.base_url, self.tools)

    async def datagroups(self) -> Sequence[answers.Datagroup]:
        """Every datagroup."""
        return await self._said(Call(method="GET", path="/datagroups"), _DATAGROUPS)

    async def datagroup(self, datagroup: str) -> answers.Datagroup:
        """One datagroup, by id."""
        return await self._said(Call(method="GET", path=path("datagroups", datagroup)), _DATAGROUP)

    async def trigger_datagroup(self, datagroup: str, at: int) -> answers.Datagroup:
        """Make what is older than `at` (UNIX seconds, not in the future) stale and rebuild it."""
        call = Call(
            method="PATCH",
            path=path("datagroups", datagroup),
            body=orjson.dumps({"triggered_at": at}),
            effect=True,
        )
        return await self._said(call, _DATAGROUP)

    async def start_build(self, model: str, view: str, source: str) -> answers.Build:
        """Start to build a persistent derived table: a GET, and yet it has an effect."""
        call = Call(
            method="GET",
            path=path("derived_table", model, view, "start"),
            query={"source": source},
            effect=True,
        )
        return await self._said(call, _BUILD)

    async def build(self, build: str) -> answers.Build:
        """How a build comes along."""
        call = Call(method="GET", path=path("derived_table", build, "status"))
        return await self._said(call, _BUILD)

    async def dashboards(self) -> Sequence[answers.Dashboard]:
        """Every user-defined dashboard that is not in the bin, without its elements."""
        found: dict[str, answers.Dashboard] = {}
        offset = 0
        query = {"fields": "id,title", "deleted": "false", "sorts": "id", "limit": str(PAGE)}
        while offset < DASHBOARDS_MAX:
            call = Call(
                method="GET", path="/dashboards/search", query={**query, "offset": str(offset)}
            )
            page = await self._said(call, _DASHBOARDS)
            if not page:  # not at a short one: a server may give fewer than were asked for
                return list(found.values())
            found |= {each.id: each for each in page}
            offset += len(page)
        told = f"the instance has over {DASHBOARDS_MAX} dashboards: give the API key fewer to see"
        raise CallError(Rejected(told))

    async def dashboard(self, dashboard: str) -> answers.Dashboard:
        """One dashboard of either kind with its elements; a LookML one by `model::name`."""
        query = {"fields": answers.DASHBOARD_FIELDS}
        call = Call(method="GET", path=path("dashboards", dashboard), query=query)
        return await self._said(call, _DASHBOARD)

    async def start_query(self, query: str, dashboard: str, source: str) -> answers.Task:
        """Run a query past the cache, in the background; its result is cached anew."""
        body = {
            "query_id": query,
            "result_format": "json_bi",
            "source": source,
            "dashboard_id": dashboard,
        }
        call = Call(
            method="POST",
            path="/query_tasks",
            query={"cache": "false", "fields": "id,status"},
            body=orjson.dumps(body),
            effect=True,
        )
        return await self._said(call, _TASK)

    async def query_task(self, task: str) -> answers.Task:
        """How a query comes along."""
        query = {"fields": "id,status,runtime,result_source"}
        return await self._said(
            Call(method="GET", path=path("query_tasks", task), query=query), _TASK
        )

    async def query_results(self, task: str) -> object:
        """What a query gave that has ended; CallError with Looker's message if it failed."""
        call = Call(method="GET", path=path("query_tasks", task, "results"))
        return await self._said(call, _ANYTHING)

    async def _said(self, call: Call, shape: TypeAdapter[Body]) -> Body:
        token = await self.tokens.token()
        answer = await send(self.tools.http, self.base_url, call, token)
        if answer.status == UNAUTHORIZED:
            self.tokens.forget(token)
            token = await self.tokens.token()
            answer = await send(self.tools.http, self.base_url, call, token)
        self.clock = _date(answer.headers.get("date", ""))
        return read(call, answer, shape, self.tools.clock.now())


def _date(text: str) -> datetime | None:
    """The time in a `Date` header (RFC 9110 6.6.1)."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found.replace(tzinfo=found.tzinfo or UTC)
