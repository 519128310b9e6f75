"""What a connector is made of. A third party's registers by entry point `interlock.connectors`.

A connector is data and functions, not a base class: its configuration model, its actions, and for
each action the five parts of the path: parameters, `look`, `plan`, `send`, `find`. `Configured`
makes a target of one, and is all that the engine sees.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Annotated, Any, Generic, Protocol, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    ValidationError,
    ValidationInfo,
)

from interlock.core.decision import Resource
from interlock.core.delivery import Lease
from interlock.core.event import Json
from interlock.core.plan import Facts, Plan
from interlock.core.step import Outcome, Rejected, Step, Unavailable
from interlock.ports import Answer, Clock, Http, Secrets

LOOK_S = 20.0  # to read what a plan needs
RETRY_AFTER_MAX = timedelta(days=1)  # a target that asks for more is taken at a day
SECONDS_DIGITS = 9  # more are over the maximum, whatever they say
SAID_MAX = 500  # characters of an answer that are kept: enough to see what it is
NOTHING_DONE, UNAVAILABLE = frozenset({408, 425, 429}), 503
GOOD, MOVED, REFUSED = range(200, 300), range(300, 400), range(400, 500)  # RFC 9110 15
CONCURRENCY = 32  # deliveries under way to one target at once, unless it says otherwise
REFERENCE = "^(env|file)://.+"


class Model(BaseModel):
    """A declared shape: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _reference(text: str) -> str:
    if not re.match(REFERENCE, text):
        # The value itself may be the secret: it is not repeated.
        raise ValueError("a secret is a reference, not a value: env://NAME or file://PATH")
    return text


SecretReference = Annotated[
    str,
    AfterValidator(_reference),
    Field(json_schema_extra={"format": "secret-reference", "pattern": REFERENCE}),
]
"""Where a secret is, never what it is."""


def _base(url: HttpUrl) -> HttpUrl:
    if url.username or url.password or url.query is not None or url.fragment is not None:
        raise ValueError("a base URL has no user, password, query or fragment")
    return url


BaseUrl = Annotated[HttpUrl, AfterValidator(_base)]
"""Where paths are put behind. What is in it is on record and shown: no place for a secret."""


def _from_folder(path: Path, info: ValidationInfo) -> Path:
    return Path((info.context or {}).get(FOLDER, "")) / path


FOLDER = "folder"
"""Key in the validation context: the folder of the configuration file."""

LocalPath = Annotated[Path, AfterValidator(_from_folder)]
"""A path on this machine; a relative one starts at the configuration file."""


class TargetConfig(Model):
    """What every target says, whatever its connector."""

    connector: Annotated[str, Field(title="Connector", description="Which connector it is.")]
    owner: Annotated[str, Field(title="Owner", description="The team to ask; policy sees it.")]
    concurrency: Annotated[
        int,
        Field(title="Concurrency", description="Deliveries under way at once.", ge=1, le=1_000),
    ] = CONCURRENCY


class Minter(Protocol):
    """Makes short-lived tokens in our own name, so that no key has to stand."""

    def mint(
        self, audience: str, subject: str, claims: Mapping[str, Json], lifetime: timedelta
    ) -> str:
        """A token about `subject` that `audience` can verify at our issuer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a session may use of the outside world.

    Attributes:
        minter: None where no issuer is configured.
        subject: who a minted token says we are: `interlock:<site>:<target>`.
    """

    http: Http
    secrets: Secrets
    clock: Clock
    minter: Minter | None
    subject: str


Config = TypeVar("Config", bound=TargetConfig)
Session = TypeVar("Session")
Params = TypeVar("Params", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Generic[Config, Session, Params]):
    """Something a target can do.

    Attributes:
        params: the shape of a route's `with`.
        look: reads what `plan` needs to know; changes nothing. None: the event tells all.
        plan: pure; the steps and what is left alone.
        send: attempts one step.
        find: what became of a step; None if the target does not know it.
    """

    params: type[Params]
    plan: Callable[[Config, Params, Lease, Facts], Plan | Rejected]
    send: Callable[[Session, Step, Lease], Awaitable[Outcome]]
    find: Callable[[Session, Step, Lease], Awaitable[Outcome | None]]
    look: Callable[[Session, Params, Lease], Awaitable[Facts | Rejected | Unavailable]] | None = (
        None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector(Generic[Config, Session]):
    """Code that knows one system.

    Attributes:
        open: makes the session that a configured target keeps: tokens, caches.
        resources: the Cedar entity types its plans name, each with the types of its parents.
        actions: by the name a route's `do` uses; each is a Cedar action on those types.
    """

    name: str
    summary: str
    config: type[Config]
    open: Callable[[Config, Tools], Session]
    resources: Mapping[str, tuple[str, ...]]
    actions: Mapping[str, Action[Config, Session, Any]]


@dataclass(slots=True, kw_only=True)
class Configured(Generic[Config, Session]):
    """A connector with its configuration: a Target (see ports)."""

    name: str
    connector: Connector[Config, Session]
    config: Config
    tools: Tools
    session: Session = field(init=False)

    def __post_init__(self) -> None:
        self.session = self.connector.open(self.config, self.tools)

    @property
    def resource(self) -> Resource:
        """See Target."""
        return target_resource(self.name, self.config.owner)

    @property
    def concurrency(self) -> int:
        """See Target."""
        return self.config.concurrency

    def known(self, lease: Lease) -> Facts | None:
        """See Target."""
        action = self.connector.actions.get(lease.delivery.action)
        return {} if action and action.look is None else None

    async def look(self, lease: Lease) -> Facts | Rejected | Unavailable:
        """See Target."""
        found = self._params(lease)
        if isinstance(found, Rejected):
            return found
        look = self._action(lease).look
        if look is None:
            return {}
        try:
            async with asyncio.timeout(LOOK_S):
                return await look(self.session, found, lease)
        except TimeoutError:
            return Unavailable(f"the target could not be read within {LOOK_S:g} s")

    def plan(self, lease: Lease, facts: Facts) -> Plan | Rejected:
        """See Target."""
        found = self._params(lease)
        if isinstance(found, Rejected):
            return found
        return self._action(lease).plan(self.config, found, lease, facts)

    async def send(self, step: Step, lease: Lease) -> Outcome:
        """See Target."""
        return await self._action(lease).send(self.session, step, lease)

    async def find(self, step: Step, lease: Lease) -> Outcome | None:
        """See Target."""
        return await self._action(lease).find(self.session, step, lease)

    def _action(self, lease: Lease) -> Action[Config, Session, Any]:
        return self.connector.actions[lease.delivery.action]

    def _params(self, lease: Lease) -> Model | Rejected:
        action = self.connector.actions.get(lease.delivery.action)
        if action is None:
            known = ", ".join(sorted(self.connector.actions))
            return Rejected(
                f"{self.connector.name} has no action {lease.delivery.action!r}: {known}"
            )
        try:
            found: Model = action.params.model_validate(dict(lease.delivery.params))
        except ValidationError as err:
            return Rejected(f"with: {complaints(err)}")
        return found


def target_resource(name: str, owner: str) -> Resource:
    """A target as policy knows it."""
    return Resource(type="Target", id=name, attributes={"owner": owner})


def complaints(err: ValidationError) -> str:
    """What is wrong, by field, without the values: one of them may be a secret."""
    return "; ".join(
        f"{'.'.join(map(str, each['loc'])) or 'it'}: {each['msg']}"
        for each in err.errors(include_url=False, include_input=False)
    )


def nothing_done(answer: Answer, told: str, now: datetime) -> Unavailable | None:
    """The outcome, if by this answer the server did nothing; None: it may have done something.

    408, 425 and 429 say so by definition (RFC 9110, 8470, 6585). A 503 that says when to come back
    is the server's own word; a bare one may be a proxy's that lost the answer.
    """
    wait = retry_after(answer, now)
    if answer.status in NOTHING_DONE or (answer.status == UNAVAILABLE and wait is not None):
        return Unavailable(told, wait)
    return None


def retry_after(answer: Answer, now: datetime) -> timedelta | None:
    """The wait that the answer asks for; None if it asks for none (RFC 9110 10.2.3)."""
    text = answer.headers.get("retry-after", "")
    if text.isdecimal():
        asked = timedelta(seconds=int(text)) if len(text) <= SECONDS_DIGITS else RETRY_AFTER_MAX
        return min(asked, RETRY_AFTER_MAX)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return min(max(at.replace(tzinfo=at.tzinfo or UTC) - now, timedelta(0)), RETRY_AFTER_MAX)
