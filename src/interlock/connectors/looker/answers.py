"""What Looker answers, as far as it is read (API 4.0, looker-open-source/sdk-codegen 26.12).

Fields that are new to us are passed over and optional ones may lack: an instance is upgraded
without asking. Ids are text in 4.0; one that comes as a number is taken too.
"""

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)


class Grant(_Read):
    """An access token and its life in seconds."""

    access_token: SecretStr
    expires_in: float


class Datagroup(_Read):
    """A caching policy; `triggered_at` is in UNIX seconds."""

    id: str
    model_name: str
    name: str
    triggered_at: int | None = None


class Build(_Read):
    """A materialization of a derived table; its status is JSON inside `resp_text`."""

    materialization_id: str | None = None
    resp_text: str | None = None


class BuildStatus(_Read):
    """`added`, `pending`, `running`, then `complete`, `killed`, `error` or `unknown`."""

    status: str
    message: str | None = None
    runtime: float | None = None


class Query(_Read):
    """A saved query; `view` is the explore's name."""

    id: str
    model: str | None = None
    view: str | None = None


class Look(_Read):
    """A saved query with a name."""

    query: Query | None = None


class Filterable(_Read):
    """An explore that a tile's filters reach."""

    model: str | None = None
    view: str | None = None


class ResultMaker(_Read):
    """What a tile shows: a query, or several merged."""

    query: Query | None = None
    filterables: tuple[Filterable, ...] | None = None


class Element(_Read):
    """A tile, or a text."""

    id: str
    title: str | None = None
    query: Query | None = None
    look: Look | None = None
    result_maker: ResultMaker | None = None
    merge_result_id: str | None = None


class Dashboard(_Read):
    """A dashboard; a search shows no elements."""

    id: str
    title: str | None = None
    elements: tuple[Element, ...] | None = Field(default=None, alias="dashboard_elements")


class Task(_Read):
    """A query at work: `added`, `running`, then `complete`, `error`, `killed` or `expired`."""

    id: str
    status: str
    runtime: float | None = None
    result_source: str | None = None


DASHBOARD_FIELDS = (
    "id,title,dashboard_elements(id,title,query(id,model,view),look(query(id,model,view)),"
    "result_maker(query(id,model,view),filterables(model,view)),merge_result_id)"
)
"""All that is read of a dashboard: a few kB where the whole may have a megabyte."""
