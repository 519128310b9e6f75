"""What a sandbox instance contains: models, dashboards, queries, keys - read from one YAML file.

The file describes what the API shows, not LookML; a rehearsal keeps the two in step.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

__all__ = [
    "ApiClient",
    "Connection",
    "Content",
    "Dashboard",
    "Datagroup",
    "Explore",
    "Join",
    "Model",
    "Persistence",
    "Query",
    "QueryParameters",
    "Tile",
    "User",
    "View",
    "load",
]


# The API shows limits as text and takes them as numbers too; -1 is no limit.
Limit = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
    Field(pattern=r"^-?[0-9]{1,9}$"),
]


class _Described(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class User(_Described):
    """Somebody the instance knows; what they may do is not played."""

    id: str
    display_name: str
    email: str | None = None


class ApiClient(_Described):
    """One API key of a user."""

    client_id: str
    client_secret: SecretStr
    user: str = Field(description="A user's id.")


class Connection(_Described):
    """A database, by the name that models use."""

    name: str
    dialect: str = Field(description="As `dialect_name` shows it, e.g. bigquery_standard_sql.")


class Datagroup(_Described):
    """A caching policy; its name is unique in its model."""

    id: str
    name: str
    trigger_value: str | None = None


class Persistence(StrEnum):
    """How a derived table is kept; one without any exists only inside queries."""

    DATAGROUP = "datagroup"
    SQL_TRIGGER = "sql_trigger"
    PERSIST_FOR = "persist_for"


class View(_Described):
    """A table (`sql_table_name`), or a derived table (`sql`, and `persistence` if it is kept)."""

    sql_table_name: str | None = None
    sql: str | None = None
    persistence: Persistence | None = None
    build_s: float | None = Field(default=None, ge=0, description="Else `pdt_build_s`. Seconds.")

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.sql_table_name is None) == (self.sql is None):
            raise ValueError("a view has either sql_table_name or sql")
        if self.persistence and self.sql is None:
            raise ValueError("persistence belongs to a derived table, which has sql")
        return self


class Join(_Described):
    """A view joined into an explore; `view` is the LookML parameter `from`."""

    name: str
    view: str | None = None
    sql_on: str
    type: str = "left_outer"
    relationship: str = "many_to_one"


class Explore(_Described):
    """What a query can start from; `view` is the LookML parameter `from`."""

    name: str
    view: str | None = None
    label: str | None = None
    datagroup: str | None = Field(default=None, description="LookML's persist_with.")
    joins: tuple[Join, ...] = ()


class Model(_Described):
    """A LookML model."""

    name: str
    project: str
    connection: str
    label: str | None = None
    datagroups: tuple[Datagroup, ...] = ()
    views: dict[str, View] = {}
    explores: tuple[Explore, ...] = ()

    def explore(self, name: str) -> Explore | None:
        """The explore of that name, if there is one."""
        return next((explore for explore in self.explores if explore.name == name), None)


class QueryParameters(_Described):
    """What a query asks; everything that `create_query` takes (Looker 4.0: WriteQuery)."""

    model: str
    view: str = Field(description="The explore's name; Looker calls it view.")
    fields: tuple[str, ...] | None = None
    pivots: tuple[str, ...] | None = None
    fill_fields: tuple[str, ...] | None = None
    filters: dict[str, Any] | None = None
    filter_expression: str | None = None
    sorts: tuple[str, ...] | None = None
    limit: Limit | None = None
    column_limit: Limit | None = None
    total: bool | None = None
    row_total: str | None = None
    subtotals: tuple[str, ...] | None = None
    vis_config: dict[str, Any] | None = None
    filter_config: dict[str, Any] | None = None
    visible_ui_sections: str | None = None
    dynamic_fields: str | None = None
    client_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9]{22}$")
    query_timezone: str | None = None


class Query(QueryParameters):
    """A saved query, with the rows it answers."""

    id: str
    rows: tuple[dict[str, Any], ...] = ()


class Tile(_Described):
    """A dashboard element that shows a query."""

    title: str
    query: str = Field(description="A query's id.")


class Dashboard(_Described):
    """User-defined (any id) or from LookML (`model::name`)."""

    id: str
    title: str
    deleted: bool = False
    tiles: tuple[Tile, ...] = ()

    @property
    def is_lookml(self) -> bool:
        """LookML dashboards are known by their id, and no content search returns them."""
        return "::" in self.id


class Content(_Described):
    """A whole instance. Every reference is checked when it is read."""

    release: str = "26.12.0"
    token_ttl_s: float = Field(default=3600, gt=0)
    pdt_build_s: float = Field(default=2, ge=0, description="What a build takes. Seconds.")
    query_run_s: float = Field(default=0.1, ge=0, description="What a query takes. Seconds.")
    users: tuple[User, ...] = Field(min_length=1)
    api_clients: tuple[ApiClient, ...] = Field(min_length=1)
    connections: tuple[Connection, ...] = Field(min_length=1)
    models: tuple[Model, ...] = ()
    queries: tuple[Query, ...] = ()
    dashboards: tuple[Dashboard, ...] = ()

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Self:
        problems = [*_dangling(self), *_repeated(self)]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def model(self, name: str) -> Model | None:
        """The model of that name, if there is one."""
        return next((model for model in self.models if model.name == name), None)

    def user(self, user_id: str | None) -> User | None:
        """The user with that id, if there is one."""
        return next((user for user in self.users if user.id == user_id), None)

    def dialect(self, model: Model) -> str:
        """The dialect of the model's connection."""
        return next(c.dialect for c in self.connections if c.name == model.connection)


def load(path: Path) -> Content:
    """Read a content file.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not YAML, or not a description of an instance; the message says where.
    """
    try:
        return Content.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as failure:
        raise ValueError(f"{path} is not YAML: {failure}") from failure


def _dangling(content: Content) -> Iterator[str]:
    explores = {
        (model.name, explore.name) for model in content.models for explore in model.explores
    }
    for client in content.api_clients:
        yield from _absent(f"api client {client.client_id}", client.user, _ids(content.users))
    for model in content.models:
        known = {connection.name for connection in content.connections}
        yield from _absent(f"model {model.name}", model.connection, known)
        yield from _dangling_in(model)
    for query in content.queries:
        if (query.model, query.view) not in explores:
            yield f"query {query.id}: no explore {query.model}::{query.view}"
    for dashboard in content.dashboards:
        for tile in dashboard.tiles:
            yield from _absent(f"dashboard {dashboard.id}", tile.query, _ids(content.queries))


def _dangling_in(model: Model) -> Iterator[str]:
    datagroups = {datagroup.name for datagroup in model.datagroups}
    for explore in model.explores:
        where = f"explore {model.name}::{explore.name}"
        yield from _absent(where, explore.view or explore.name, model.views)
        for join in explore.joins:
            yield from _absent(where, join.view or join.name, model.views)
        if explore.datagroup is not None:
            yield from _absent(where, explore.datagroup, datagroups)


def _absent(where: str, name: str, known: Iterable[str]) -> Iterator[str]:
    if name not in known:
        yield f"{where}: there is no {name!r}"


def _repeated(content: Content) -> Iterator[str]:
    datagroups = [datagroup for model in content.models for datagroup in model.datagroups]
    for kind, things in (
        ("user", content.users),
        ("query", content.queries),
        ("dashboard", content.dashboards),
        ("datagroup", datagroups),
    ):
        if len(_ids(things)) < len(things):
            yield f"a {kind} id is used twice"


def _ids(things: Iterable[User | Query | Dashboard | Datagroup]) -> set[str]:
    return {thing.id for thing in things}
