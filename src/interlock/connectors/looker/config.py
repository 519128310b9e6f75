"""What a user says of a Looker, and what a route says of a refresh."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from interlock.connectors.kit import BaseUrl, LocalPath, Model, SecretReference, TargetConfig

DIALECT = "bigquery"
OVER_INVALIDATION_MAX = 2.0  # half of what a datagroup invalidates may be unaffected
NAMES_MAX = 1_000  # of one kind in one run; the largest load we have seen names 40 tables

Name = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
Names = Annotated[tuple[Name, ...] | None, Field(max_length=NAMES_MAX)]


class LookerConfig(TargetConfig):
    """A Looker instance and the LookML it runs."""

    connector: Literal["looker"]
    base_url: Annotated[
        BaseUrl, Field(title="Base URL", description="The instance; its API is at `/api/4.0`.")
    ]
    client_id: Annotated[SecretReference, Field(title="Client id", description="Of an API key.")]
    client_secret: Annotated[
        SecretReference, Field(title="Client secret", description="Of the same API key.")
    ]
    projects: Annotated[
        tuple[LocalPath, ...],
        Field(
            title="Projects",
            description="Folders with the LookML as it is in production; they may include "
            "one another.",
            min_length=1,
        ),
    ]
    connections: Annotated[
        dict[str, str],
        Field(
            title="Connections",
            description="The SQL dialect of each connection, as sqlglot calls it; "
            f"none: {DIALECT}.",
        ),
    ] = Field(default_factory=dict)
    assets: Annotated[
        dict[str, str],
        Field(
            title="Assets",
            description="The table behind an asset's URI and all below it; "
            "the longest URI that fits counts.",
        ),
    ] = Field(default_factory=dict)
    over_invalidation_max: Annotated[
        float,
        Field(
            title="Over-invalidation limit",
            description="A datagroup is triggered only if what hangs on it is at most this many "
            "times what is affected.",
            ge=1,
            le=1_000,
        ),
    ] = OVER_INVALIDATION_MAX
    poll_s: Annotated[
        float,
        Field(title="Poll", description="Between two looks at running work, seconds.", gt=0, le=60),
    ] = 5.0

    @property
    def dialect(self) -> str:
        """The SQL dialect that the LookML is written in."""
        return next(iter(self.connections.values()), DIALECT)

    @model_validator(mode="after")
    def _speaks_one_dialect(self) -> Self:
        if len(set(self.connections.values())) > 1:
            raise ValueError("connections: one target reads one SQL dialect; make a target of each")
        return self


class OnUnknownTables(StrEnum):
    """What a route wants when nobody can tell what a run has changed."""

    ALERT = "alert"
    REFRESH_ALL = "refresh_all"
    IGNORE = "ignore"


class RefreshParams(Model):
    """What a run has changed, as far as it says. Null is as good as left out."""

    tables: Annotated[
        Names, Field(description="Tables that it wrote: `dataset.table`, partition or not.")
    ] = None
    assets: Annotated[
        Names,
        Field(description="URIs of assets that it updated; they count where no tables are named."),
    ] = None
    models: Annotated[Names, Field(description="Models to refresh whole.")] = None
    explores: Annotated[
        Names, Field(description="Explores to refresh: `model::explore`, or the name alone.")
    ] = None
    dashboards: Annotated[
        Names, Field(description="Dashboards to refresh, by id: `12` or `model::dashboard`.")
    ] = None
    on_unknown_tables: Annotated[
        OnUnknownTables,
        Field(description="If the run names nothing, or nothing that it names can be resolved."),
    ] = OnUnknownTables.ALERT
