"""HTTP: POST an event, or something made of it, to an endpoint that need not know Interlock.

Every attempt of a delivery carries the same `Idempotency-Key` (draft-ietf-httpapi-idempotency-key).
Whether the endpoint heeds it is for the target to say (`repeat`): an HTTP server cannot be asked
what became of a request.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

import orjson
from pydantic import Field, JsonValue, model_validator

from interlock.connectors.kit import (
    GOOD,
    MOVED,
    REFUSED,
    SAID_MAX,
    Action,
    BaseUrl,
    Connector,
    Model,
    SecretReference,
    TargetConfig,
    Tools,
    nothing_done,
    target_resource,
)
from interlock.core.decision import Resource
from interlock.core.delivery import Lease
from interlock.core.event import Json
from interlock.core.plan import Facts, Plan, Planned
from interlock.core.step import SAID, Done, Outcome, Rejected, Repeat, Step, Unavailable, Unknown
from interlock.ports import Answer, NoAnswerError, NotSentError, SecretError

ROTATING = frozenset({401, 409})  # our credential is being rotated; the same key is worked on
TOKEN_LIFE = timedelta(minutes=5)  # one attempt takes at most half a minute


class Auth(Model):
    """How an endpoint knows us: one of the two."""

    mint: Annotated[
        str | None,
        Field(min_length=1, description="A token of our own issuer for this audience, per use."),
    ] = None
    bearer: Annotated[
        SecretReference | None, Field(description="A token that stands, by reference.")
    ] = None

    @model_validator(mode="after")
    def _one(self) -> "Auth":
        if (self.mint is None) == (self.bearer is None):
            raise ValueError("give one of mint and bearer")
        return self


class HttpConfig(TargetConfig):
    """An endpoint."""

    connector: Literal["http"]
    base_url: Annotated[BaseUrl, Field(title="Base URL", description="Every path is below it.")]
    auth: Annotated[Auth | None, Field(description="How it knows us; left out: it does not.")] = (
        None
    )
    repeat: Annotated[
        Repeat,
        Field(description="What it does with the same Idempotency-Key twice."),
    ] = Repeat.HARMFUL
    timeout_s: Annotated[float, Field(gt=0, le=30, description="Per attempt, seconds.")] = 10.0


class PostParams(Model):
    """What to post where."""

    path: Annotated[
        str,
        Field(
            description="Below the base URL.",
            # No ';': some servers read '..;' as '..'.
            pattern=r"^(/[A-Za-z0-9._~!$&'()*+,=:@-]+)*/?$",
            max_length=1_000,
        ),
    ] = ""
    body: Annotated[
        dict[str, JsonValue] | None,
        Field(description="JSON to send; left out: the event itself, as CloudEvents JSON."),
    ] = None


@dataclass(frozen=True, slots=True)
class HttpSession:
    """The endpoint and how to reach it."""

    config: HttpConfig
    tools: Tools

    def headers(self, step: Step) -> dict[str, str]:
        """The headers of an attempt, its credential made now. Raises SecretError."""
        found = {
            "content-type": str(step.call["content_type"]),
            "idempotency-key": f'"{step.id}"',
        }
        if auth := self.config.auth:
            found["authorization"] = f"Bearer {self._token(auth)}"
        return found

    def _token(self, auth: Auth) -> str:
        if auth.bearer:
            return self.tools.secrets.resolve(auth.bearer)
        if self.tools.minter is None or auth.mint is None:
            raise SecretError("auth.mint needs `issuer` in the configuration")
        return self.tools.minter.mint(auth.mint, self.tools.subject, {}, TOKEN_LIFE)


def plan(config: HttpConfig, params: PostParams, lease: Lease, _facts: Facts) -> Plan | Rejected:
    """One POST."""
    if any(part in {".", ".."} for part in params.path.split("/")):
        return Rejected("with: path: '.' and '..' are not allowed")
    target = target_resource(lease.delivery.target, config.owner)
    url = str(config.base_url).rstrip("/") + params.path
    call: dict[str, Json] = {"url": url, "content_type": "application/cloudevents+json"}
    if params.body is not None:
        call |= {"body": params.body, "content_type": "application/json"}
    endpoint = Resource(type="Endpoint", id=f"{target.id}{params.path}", parent=target)
    return Plan(
        steps=(
            Planned(
                key="post",
                action="post",
                resource=endpoint,
                call=call,
                repeat=config.repeat,
                why=f"route {lease.delivery.route} posts to it",
            ),
        )
    )


async def send(session: HttpSession, step: Step, lease: Lease) -> Outcome:
    """POST once."""
    body = orjson.dumps(step.call["body"]) if "body" in step.call else lease.event.body
    try:
        headers = session.headers(step)
        answer = await session.tools.http.request(
            "POST",
            str(step.call["url"]),
            headers=headers,
            body=body,
            within=timedelta(seconds=session.config.timeout_s),
        )
    except SecretError as err:
        return Unavailable(str(err))
    except NotSentError as err:
        return Unavailable(str(err))
    except NoAnswerError as err:
        return Unknown(str(err))
    credential = headers.get("authorization", "").removeprefix("Bearer ")
    return _outcome(answer, session, credential)


async def find(_session: HttpSession, _step: Step, _lease: Lease) -> Outcome | None:
    """Plain HTTP has no way to ask."""
    return None


def _outcome(answer: Answer, session: HttpSession, credential: str) -> Outcome:
    said = answer.body[:SAID_MAX].decode(errors="replace")
    if credential:  # some endpoints repeat what they were sent
        said = said.replace(credential, "(credential)")
    told = f"{answer.status}{SAID}{said}" if said else str(answer.status)
    if answer.status in GOOD:
        return Done({"status": answer.status, "said": said})
    if waiting := nothing_done(answer, told, session.tools.clock.now()):
        return waiting
    if answer.status in ROTATING:
        return Unavailable(told)
    if answer.status in MOVED:
        return Rejected(f"{answer.status}: redirects are not followed; set base_url to its place")
    return Rejected(told) if answer.status in REFUSED else Unknown(told)


CONNECTOR = Connector(
    name="http",
    summary="POST events to any HTTP endpoint",
    config=HttpConfig,
    open=HttpSession,
    resources={"Endpoint": ("Target",)},
    actions={"post": Action(params=PostParams, plan=plan, send=send, find=find)},
)
