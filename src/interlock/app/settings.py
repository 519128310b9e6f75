"""The shapes of `interlock.yaml`; and the only reader of the environment."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue

from interlock.connectors.kit import BaseUrl, Model, SecretReference
from interlock.core.retry import OnUnknown

NAME = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION = "^[0-9]{1,8}[smhd]$"  # more digits are over the longest, whatever the unit
WITHIN_MAX = timedelta(days=30)  # beyond it an event is history, not a hand-off


def _duration(value: object) -> object:
    """`90s`, `10m`, `2h`, `1d`."""
    if isinstance(value, str) and re.fullmatch(_DURATION, value):
        return timedelta(seconds=int(value[:-1]) * _UNITS[value[-1]])
    raise ValueError("give a whole number and a unit: 90s, 10m, 2h or 1d")


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration, json_schema_input_type=Annotated[str, Field(pattern=_DURATION)]),
    Field(gt=timedelta(0), le=WITHIN_MAX),
]
Name = Annotated[str, Field(pattern=NAME, max_length=63)]
_NO_OTHER_NAMES: dict[str, JsonValue] = {"additionalProperties": False}
Condition = Annotated[dict[str, Any], Field(min_length=1)]


class IssuerSettings(Model):
    """An OpenID provider whose tokens are believed, and what they must say."""

    name: Annotated[Name, Field(description="First part of its principals' ids: `name/subject`.")]
    url: Annotated[str, Field(description="Its `iss`, exactly.")]
    audience: Annotated[str | None, Field(description="Instead of `identity.audience`.")] = None
    algorithms: Annotated[list[str] | None, Field(description="Those it signs with.")] = None
    required_scopes: Annotated[
        list[str], Field(default_factory=list, description="All must be granted.")
    ]
    required_claims: Annotated[
        dict[str, str | int | bool | list[str]],
        Field(
            default_factory=dict,
            description="Claim to the value, or to the values of which it must be one.",
        ),
    ]
    groups_claim: Annotated[
        str | None, Field(description="Left out: this issuer gives no groups.")
    ] = None
    kind: Annotated[
        Literal["auto", "user", "service", "agent"],
        Field(description="What its subjects are; auto: a service for a client's own token."),
    ] = "auto"
    max_lifetime: Annotated[
        Duration, Field(default="1h", validate_default=True, description="Longest life believed.")
    ]
    typ: Annotated[
        str | None, Field(description="The header's `typ`; null where it sends none.")
    ] = "at+jwt"
    jwks_url: Annotated[str | None, Field(description="Left out: by discovery.")] = None


class IdentitySettings(Model):
    """Who may call."""

    audience: Annotated[str, Field(min_length=1, description="What a token's `aud` must hold.")]
    issuers: Annotated[list[IssuerSettings], Field(min_length=1, description="At least one.")]


class OwnIssuerSettings(Model):
    """Interlock as an issuer of short tokens for its targets."""

    url: Annotated[BaseUrl, Field(description="The `iss` of its tokens.")]
    key: Annotated[SecretReference, Field(description="A PEM private key, RSA or P-256.")]
    publish: Annotated[
        Literal["self"], Field(description="Who serves its two documents: this gateway.")
    ] = "self"


class HttpSettings(Model):
    """Where the gateway listens."""

    host: Annotated[str, Field(description="The address; 0.0.0.0 is every one.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="0: any free one.")] = 8_470


class SourceSettings(Model):
    """A system whose events are taken."""

    uri: Annotated[str, Field(min_length=1, description="Its events' `source` is this or below.")]
    owner: Annotated[str, Field(description="The team to ask; policy sees it.")]


class RouteSettings(Model):
    """When this event, do that at this target, within so long."""

    name: Annotated[Name, Field(description="Unique; part of its deliveries' ids.")]
    when: Annotated[Condition, Field(description="CloudEvents filters over attributes.")]
    to: Annotated[str, Field(description="A target's name.")]
    do: Annotated[str, Field(description="One of that target's actions.")]
    params: Annotated[
        dict[str, JsonValue],
        Field(
            alias="with",
            default_factory=dict,
            description="For the action; `${{ }}` holds JMESPath.",
        ),
    ]
    within: Annotated[Duration, Field(description="The data SLA: retries and alerts follow it.")]
    on_unknown: Annotated[
        OnUnknown, Field(description="Where a repeat does harm and nobody can tell.")
    ] = OnUnknown.HOLD


class Settings(Model):
    """Everything `interlock.yaml` may say."""

    site: Annotated[Name, Field(description="This installation's name.")]
    environment: Annotated[str, Field(description="What policy sees as `context.environment`.")] = (
        "production"
    )
    ledger: Annotated[
        str, Field(pattern="^sqlite:///.+", description="sqlite:///path/to/interlock.db")
    ] = "sqlite:///interlock.db"
    http: Annotated[HttpSettings, Field(description="Where the gateway listens.")] = HttpSettings()
    identity: Annotated[IdentitySettings, Field(description="Who may call.")]
    issuer: Annotated[
        OwnIssuerSettings | None, Field(description="Left out: no tokens of its own.")
    ] = None
    pending_max: Annotated[
        int,
        Field(ge=1, le=10_000_000, description="Open deliveries of one target before 429."),
    ] = 100_000
    policies: Annotated[str, Field(description="The folder of *.cedar files.")] = "policies/"
    sources: Annotated[
        dict[Name, SourceSettings],
        Field(
            min_length=1,
            description="By name: whose events are taken.",
            json_schema_extra=_NO_OTHER_NAMES,
        ),
    ]
    targets: Annotated[
        dict[Name, dict[str, Any]],
        Field(
            default_factory=dict,
            description="Each by its connector's own shape.",
            json_schema_extra=_NO_OTHER_NAMES,
        ),
    ]
    routes: Annotated[
        list[RouteSettings],
        Field(default_factory=list, description="Each that fits an event owes a delivery."),
    ]


def environment() -> Mapping[str, str]:
    """The process's environment variables: for secret references and the command line."""
    return os.environ  # noqa: TID251 - this is the one place
