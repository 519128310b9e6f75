"""Who may call: 401 tells nothing, 403 tells what was asked, and both are on record."""

import orjson
import pytest

from tests.adapters.identity.forge import AUDIENCE, STRANGER, claims, part, token
from tests.surfaces.http.gateway import STRUCTURED, Gateway, Reply, event

ROWS = (
    "none",
    "empty",
    "another scheme",
    "no scheme",
    "two words",
    "garbage",
    "over the limit",
    "expired",
    "not yet valid",
    "wrong audience",
    "no audience",
    "another issuer",
    "another key",
    "alg none",
    "no groups",
)
KIND = f"Content-Type: {STRUCTURED}"


def credentials(gateway: Gateway) -> dict[str, str | None]:
    """What the Authorization header says, by row; None: there is no such header."""
    good = gateway.token()
    says = claims(iss=gateway.issuer)
    return {
        "none": None,
        "empty": "",
        "another scheme": "Basic YTpi",
        "no scheme": good,
        "two words": f"Bearer {good} {good}",
        "garbage": "Bearer a.b.c",
        "over the limit": f"Bearer {good}{'a' * 16_384}",
        "expired": f"Bearer {gateway.token(iat=1_000, nbf=1_000, exp=1_300)}",
        "not yet valid": f"Bearer {gateway.token(nbf=32_503_680_000)}",
        "wrong audience": f"Bearer {gateway.token(aud='https://elsewhere.example')}",
        "no audience": f"Bearer {gateway.token(aud=None)}",
        "another issuer": f"Bearer {gateway.token(iss='https://elsewhere.example')}",
        "another key": f"Bearer {token(says, STRANGER)}",
        "alg none": f"Bearer {part({'alg': 'none', 'kid': 'rsa-1'})}.{part(says)}.",
        "no groups": f"Bearer {gateway.token(groups='data-eng')}",
    }


async def posted(gateway: Gateway, credential: str | None, body: bytes) -> Reply:
    """The answer to a submission with that credential."""
    headers = [] if credential is None else [f"Authorization: {credential}"]
    return await gateway.ask("POST", "/v1/events", body, KIND, *headers, client=None)


async def test_the_harness_can_fail(gateway: Gateway) -> None:
    """The token that the rows below spoil is believed."""
    reply = await posted(gateway, f"Bearer {gateway.token(aud=AUDIENCE)}", event("believed"))

    assert reply.status == 202


async def test_every_row_is_tried(gateway: Gateway) -> None:
    """The rows are those of the table."""
    assert set(ROWS) == set(credentials(gateway))


@pytest.mark.parametrize("row", ROWS)
async def test_nobody_is_told_nothing(gateway: Gateway, row: str) -> None:
    """401 with the very bytes that any other bad credential gets."""
    reply = await posted(gateway, credentials(gateway)[row], event("nobody"))

    assert reply.status == 401
    assert reply.headers["www-authenticate"] == 'Bearer realm="interlock"'
    assert orjson.loads(reply.body) == {
        "type": "urn:interlock:refusal:identity.not_identified",
        "code": "identity.not_identified",
        "title": "Not identified",
        "status": 401,
        "detail": "Send a valid token: Authorization: Bearer ...",
        "retryable": False,
    }
    assert reply.body == (await posted(gateway, None, b"")).body


@pytest.mark.parametrize("row", ROWS)
async def test_the_record_says_why(gateway: Gateway, row: str) -> None:
    """One entry, with the reason that the caller was not told and nothing of the credential."""
    credential, before = credentials(gateway)[row], await gateway.last()

    await posted(gateway, credential, event("nobody"))

    refused = [entry for entry in await gateway.entries(before) if entry.kind == "refused"]
    assert len(refused) == 1
    assert refused[0].detail["code"] == "identity.not_identified"
    assert refused[0].detail["why"]
    for word in (credential or "").removeprefix("Bearer").split():
        assert word not in orjson.dumps(dict(refused[0].detail)).decode()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/events"),
        ("POST", "/v1/plan"),
        ("GET", "/v1/handoffs"),
        ("GET", "/v1/handoffs/h-000000000000000000000000"),
        ("GET", "/v1/deliveries"),
    ],
)
async def test_every_verb_wants_a_credential(gateway: Gateway, method: str, path: str) -> None:
    """Without one, no verb says anything, not even that the rest of the request is wrong."""
    reply = await gateway.ask(method, path, b"\xff", client=None)

    assert reply.status == 401


async def test_a_stranger_is_refused(gateway: Gateway) -> None:
    """403 says who asked for what, whom to ask, and how to see why; the event is not recorded."""
    reply = await gateway.submit(event("strange"), client="stranger")

    told = reply.json()
    assert (reply.status, told["code"]) == (403, "policy.not_allowed")
    assert (told["action"], told["resource"]) == ("submit", 'Source::"airflow-prod"')
    assert told["owner"] == "data-platform"
    assert 'Service::"forge/stranger"' in told["detail"]
    assert f"interlock trace {told['trace']}" in told["detail"]
    listed = await gateway.ask("GET", "/v1/handoffs?event=strange")
    assert listed.json()["handoffs"] == []


async def test_the_refused_caller_can_see_why(gateway: Gateway) -> None:
    """The trace of a refusal shows who, what, which rules and why, to whoever was refused."""
    told = (await gateway.submit(event("why"), client="stranger")).json()

    trace = await gateway.ask("GET", f"/v1/handoffs/{told['trace']}", client="stranger")

    seen = trace.json()
    assert (trace.status, seen["id"], seen["state"]) == (200, told["trace"], "refused")
    [entry] = seen["history"]
    assert entry["kind"] == "refused"
    assert entry["detail"] == {
        "code": "policy.not_allowed",
        "principal": 'Service::"forge/stranger"',
        "action": "submit",
        "resource": 'Source::"airflow-prod"',
        "owner": "data-platform",
        "rules": [],
        "why": "no rule permits it",
        "event": {"source": "airflow://prod", "id": "why", "type": "airflow.dag_run.succeeded"},
    }


async def test_nobody_else_can_see_it(gateway: Gateway) -> None:
    """Another caller who may not read the source gets the 404 of what does not exist."""
    told = (await gateway.submit(event("private"), client="stranger")).json()

    reply = await gateway.ask("GET", f"/v1/handoffs/{told['trace']}", client="auditor")

    assert (reply.status, reply.json()["code"]) == (404, "request.not_found")


async def test_a_refused_id_is_free(gateway: Gateway) -> None:
    """A refusal holds no event key: who may submit it is accepted after, and is the first."""
    await gateway.submit(event("free"), client="stranger")

    reply = await gateway.submit(event("free"))

    assert (reply.status, reply.json()["duplicate"]) == (202, False)


async def test_policy_comes_before_the_record(gateway: Gateway) -> None:
    """Who may not submit cannot find out whether an id is taken: no duplicate, no conflict."""
    await gateway.submit(event("taken"))

    same = await gateway.submit(event("taken"), client="stranger")
    other = await gateway.submit(event("taken", data={}), client="stranger")

    assert (same.status, other.status) == (403, 403)


async def test_an_unknown_source(gateway: Gateway) -> None:
    """A source that the configuration does not list is nobody's: 403, whoever asks."""
    reply = await gateway.submit(event("x", source="airflow://prod.elsewhere"))

    assert (reply.status, reply.json()["resource"]) == (403, 'Source::"airflow://prod.elsewhere"')
