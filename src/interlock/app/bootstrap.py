"""The parts list: the only file that knows every part. It wires by hand and decides nothing."""

from asyncio import CancelledError, Task, create_task
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import entry_points
from random import Random  # noqa: TID251 - jitter; seeded by the operating system here only

from interlock.adapters.clock import SystemClock
from interlock.adapters.cloudevents import read_event
from interlock.adapters.identity_oidc import Issuer, OidcVerifier
from interlock.adapters.identity_oidc.algorithms import ALGORITHMS
from interlock.adapters.issuer import OidcIssuer
from interlock.adapters.ledger_sql import LedgerRefusedError, open_ledger
from interlock.adapters.mapper import JmesMapper
from interlock.adapters.policy_cedar import (
    ActionType,
    CedarAuthorizer,
    Policy,
    PolicyInvalid,
    ResourceType,
    load,
    schema_text,
)
from interlock.adapters.secrets import LocalSecrets
from interlock.app.configuration import Configuration, Connectors
from interlock.app.outside import http_out
from interlock.app.settings import IdentitySettings, IssuerSettings, environment
from interlock.app.verbs import Gateway
from interlock.connectors import http, looker
from interlock.connectors.kit import Configured, Tools
from interlock.engine.admit import Admit
from interlock.engine.dispatch import Dispatch
from interlock.engine.follow import Settled
from interlock.ports import Clock, Http, SecretError, Secrets, Target

CANNOT_RUN = (PolicyInvalid, LedgerRefusedError, SecretError, ValueError)
"""What `running` raises before anything runs; each message says what is wrong where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A gateway at work, and what its surfaces need beside the verbs."""

    gateway: Gateway
    issuer: OidcIssuer | None


def connectors() -> Connectors:
    """Those of this distribution and those that others registered, by name."""
    ours = [http.CONNECTOR, looker.CONNECTOR]
    theirs = [found.load() for found in entry_points(group="interlock.connectors")]
    return {connector.name: connector for connector in [*theirs, *ours]}


def trusted(configuration: Configuration) -> tuple[Issuer, ...]:
    """The issuers whose tokens are believed. Raises ValueError, naming the field at fault."""
    identity = configuration.settings.identity
    return tuple(_issuer(each, identity) for each in identity.issuers)


def policies(configuration: Configuration) -> tuple[Policy, ...]:
    """The site's policies, loaded and checked. Raises PolicyInvalid."""
    folder = configuration.path(configuration.settings.policies)
    return load(folder, _policy_schema(configuration))


def _policy_schema(configuration: Configuration) -> str:
    known = connectors()
    used = [known[name] for name in sorted({t.connector for t in configuration.targets.values()})]
    return schema_text(
        [
            ResourceType(name=name, parents=parents)
            for connector in used
            for name, parents in connector.resources.items()
        ],
        [
            ActionType(name=action, resources=tuple(connector.resources))
            for connector in used
            for action in connector.actions
        ],
    )


@asynccontextmanager
async def running(configuration: Configuration) -> AsyncIterator[Running]:
    """The gateway of this configuration, working until the block ends.

    Raises one of CANNOT_RUN before anything runs.
    """
    clock, secrets = SystemClock(), LocalSecrets(environment())
    policy = CedarAuthorizer(policies(configuration), _policy_schema(configuration))
    issuer = _own_issuer(configuration, secrets, clock)
    async with AsyncExitStack() as stack:
        web = await stack.enter_async_context(http_out())
        verifier = OidcVerifier(trusted(configuration), web, clock)
        ledger = open_ledger(_ledger_url(configuration), clock, read_event)
        stack.push_async_callback(ledger.close)
        await ledger.void()  # this process holds the lock: whoever had leases is dead
        dispatch = Dispatch(
            site=configuration.site,
            targets=_targets(configuration, web, secrets, clock, issuer),
            ledger=ledger,
            authorizer=policy,
            clock=clock,
            dice=Random(),  # noqa: S311 - spreads retries; nothing depends on it being secret
        )
        admit = Admit(
            site=configuration.site,
            verifier=verifier,
            authorizer=policy,
            mapper=JmesMapper(),
            ledger=ledger,
            dispatch=dispatch,
            clock=clock,
        )
        settled = Settled(ledger)
        for loop in (dispatch.run(), settled.run()):
            stack.push_async_callback(_end, create_task(loop))
        yield Running(gateway=Gateway(admit=admit, settled=settled), issuer=issuer)


def _own_issuer(configuration: Configuration, secrets: Secrets, clock: Clock) -> OidcIssuer | None:
    settings = configuration.settings.issuer
    if settings is None:
        return None
    key = secrets.resolve(settings.key).encode()
    return OidcIssuer(str(settings.url).rstrip("/"), key, clock)


async def _end(task: Task[None]) -> None:
    task.cancel()
    with suppress(CancelledError):
        await task


def _ledger_url(configuration: Configuration) -> str:
    """The ledger's URL, its file's path counted from the configuration's folder."""
    prefix = "sqlite:///"
    path = configuration.settings.ledger.removeprefix(prefix)
    return prefix + str(configuration.path(path).absolute())


def _targets(
    configuration: Configuration,
    web: Http,
    secrets: Secrets,
    clock: Clock,
    issuer: OidcIssuer | None,
) -> Mapping[str, Target]:
    known, site = connectors(), configuration.site.name
    return {
        name: Configured(
            name=name,
            connector=known[config.connector],
            config=config,
            tools=Tools(
                http=web,
                secrets=secrets,
                clock=clock,
                minter=issuer,
                subject=f"interlock:{site}:{name}",
            ),
        )
        for name, config in configuration.targets.items()
    }


def _issuer(each: IssuerSettings, settings: IdentitySettings) -> Issuer:
    return Issuer(
        name=each.name,
        url=each.url,
        audience=each.audience or settings.audience,
        algorithms=frozenset(each.algorithms) if each.algorithms else frozenset(ALGORITHMS),
        required_scopes=each.required_scopes,
        required_claims=each.required_claims,
        groups_claim=each.groups_claim,
        kind=each.kind,
        max_lifetime=each.max_lifetime,
        typ=each.typ,
        jwks_url=each.jwks_url,
    )
