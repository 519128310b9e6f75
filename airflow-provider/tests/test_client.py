"""The client gives one of three answers, and shows its credential to the gateway alone."""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from airflow_provider_interlock._client import (
    RETRY_AFTER_S_MAX,
    Client,
    Receipt,
    Refused,
    Unavailable,
    wait_after,
)
from airflow_provider_interlock._credentials import (
    ClientCredentials,
    ClientSecret,
    PrivateKey,
    TokenFile,
)
from airflow_provider_interlock._http import ANSWER_BYTES_MAX, NotSent, checked_url
from tests.receiver import Receiver, Said

EVENT = b'{"specversion":"1.0","id":"1"}'
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def client(receiver: Receiver, tmp_path: Path) -> Client:
    """A client that shows the token in a file."""
    (tmp_path / "token").write_text("first\n")
    return Client(receiver.url, TokenFile(tmp_path / "token"))


def test_an_event_is_posted_whole(receiver: Receiver, client: Client) -> None:
    """Structured CloudEvents JSON, the bearer token, and the receipt in return."""
    answer = client.submit(EVENT)

    heard = receiver.heard[0]
    assert (heard.path, heard.body) == ("/v1/events", EVENT)
    assert heard.headers["content-type"] == "application/cloudevents+json"
    assert heard.headers["authorization"] == "Bearer first"
    assert answer == Receipt(handoff="h-1", event="e-1", duplicate=False, deliveries=["d-1"])


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422])
def test_a_4xx_is_final(receiver: Receiver, client: Client, status: int) -> None:
    """The stable code and the sentence of the problem come along."""
    receiver.next_answers = [Said(status, {"code": "event.conflict", "detail": "another fact"})]

    assert client.submit(EVENT) == Refused("event.conflict", "another fact")


def test_a_4xx_without_a_problem_is_final_too(receiver: Receiver, client: Client) -> None:
    """Its code is then the status."""
    receiver.next_answers = [Said(404)]

    assert client.submit(EVENT) == Refused("http.404", "")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_trouble_is_not_final(receiver: Receiver, client: Client, status: int) -> None:
    """What another try may cure is unavailable, with the wait that was asked for."""
    receiver.next_answers = [Said(status, {"title": "busy"}, {"Retry-After": "7"})]

    assert client.submit(EVENT) == Unavailable(f"HTTP {status} busy", 7.0)


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        ("0", 0.0),
        ("999999", RETRY_AFTER_S_MAX),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 2999 00:00:00 GMT", RETRY_AFTER_S_MAX),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    receiver: Receiver, client: Client, text: str, wait_s: float | None
) -> None:
    """RFC 9110 10.2.3, bounded; nonsense is as if nothing was said."""
    receiver.next_answers = [Said(503, {}, {"Retry-After": text})]

    assert client.submit(EVENT) == Unavailable("HTTP 503", wait_s)


@pytest.mark.parametrize(
    "said",
    [
        Said(200, {"handoff": "h"}),
        Said(202, {"hello": "portal"}),
        Said(302, {}, {"Location": "/x"}),
    ],
)
def test_only_a_receipt_acknowledges(receiver: Receiver, client: Client, said: Said) -> None:
    """A login page, or a redirect, is no gateway; it is not followed and takes no event."""
    receiver.next_answers = [said]

    assert isinstance(client.submit(EVENT), Unavailable)
    assert len(receiver.heard) == 1


def test_a_huge_answer_is_not_read(receiver: Receiver, client: Client) -> None:
    """The limit of an answer is kept and named."""
    receiver.next_answers = [Said(202, {"x": "x" * ANSWER_BYTES_MAX})]

    answer = client.submit(EVENT)

    assert isinstance(answer, Unavailable)
    assert str(ANSWER_BYTES_MAX) in answer.reason


def test_nobody_there_is_unavailable(client: Client, receiver: Receiver) -> None:
    """A closed port loses nothing."""
    nobody = Client("http://127.0.0.1:1", client.credential)

    assert isinstance(nobody.submit(EVENT), Unavailable)


def test_a_401_gets_one_fresh_token(receiver: Receiver, tmp_path: Path) -> None:
    """The token file is read again; a second 401 is a fault that people mend, so it is not final."""
    token_file = tmp_path / "token"
    token_file.write_text("first")
    receiver.next_answers = [Said(401), Said(401)]

    answer = Client(receiver.url, TokenFile(token_file)).submit(EVENT)

    assert isinstance(answer, Unavailable)
    assert len(receiver.heard) == 2


def test_a_token_file_is_read_at_every_use(
    receiver: Receiver, client: Client, tmp_path: Path
) -> None:
    """The platform rotates it under us."""
    client.submit(EVENT)
    (tmp_path / "token").write_text("second")
    client.submit(EVENT)

    shown = [heard.headers["authorization"] for heard in receiver.heard]
    assert shown == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff", b"x" * 20_000])
def test_a_bad_token_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    """Missing, empty, binary or too long: nothing is sent, and the file is said."""
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(NotSent, match="token_file"):
        TokenFile(path).token(fresh=False)


Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
KEYS: dict[str, Callable[[], Key]] = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_key_file_signs_an_assertion(receiver: Receiver, tmp_path: Path, algorithm: str) -> None:
    """`private_key_jwt`: the issuer can verify who, for whom, and that it is short and new."""
    key = KEYS[algorithm]()
    key_file = tmp_path / "key.pem"
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    token_url = receiver.url + "/token"
    client = PrivateKey(client_id="airflow", key_file=key_file, key_id="k1")
    credential = ClientCredentials(
        token_url=token_url, client=client, scope="submit", resource="urn:i"
    )

    token = credential.token(fresh=False)

    form = {name: values[0] for name, values in parse_qs(receiver.heard[0].body.decode()).items()}
    assertion = form.pop("client_assertion")
    claims = jwt.decode(assertion, key.public_key(), [algorithm], audience=token_url)
    assert token == "token-1"
    assert form == {
        "grant_type": "client_credentials",
        "client_id": "airflow",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "scope": "submit",
        "resource": "urn:i",
    }
    assert jwt.get_unverified_header(assertion)["kid"] == "k1"
    assert (claims["iss"], claims["sub"], claims["exp"] - claims["iat"]) == (
        "airflow",
        "airflow",
        60,
    )
    assert claims["jti"]


def test_a_bad_key_file_is_named(receiver: Receiver, tmp_path: Path) -> None:
    """No key, no request."""
    (tmp_path / "key.pem").write_text("not a key")
    client = PrivateKey(client_id="airflow", key_file=tmp_path / "key.pem")

    with pytest.raises(NotSent, match="key_file"):
        ClientCredentials(token_url=receiver.url + "/token", client=client).token(fresh=False)
    assert receiver.heard == []


def test_a_client_secret_travels_as_basic(receiver: Receiver) -> None:
    """RFC 6749 2.3.1: both parts form-encoded, in the header and not in the body."""
    client = ClientSecret(client_id="air:flow", secret="p@ss")
    ClientCredentials(token_url=receiver.url + "/token", client=client).token(fresh=False)

    heard = receiver.heard[0]
    assert heard.headers["authorization"] == "Basic " + b64encode(b"air%3Aflow:p%40ss").decode()
    assert b"p@ss" not in heard.body
    assert "p@ss" not in repr(client)


def test_a_token_is_kept_until_shortly_before_its_end(receiver: Receiver) -> None:
    """300 s of life are used for 270 s; a fresh one is fetched at once when it is asked for."""
    at = [NOON + timedelta(seconds=seconds) for seconds in (0, 269, 270, 270, 270)]
    credential = ClientCredentials(
        token_url=receiver.url + "/token",
        client=ClientSecret(client_id="a", secret="s"),
        clock=iter(at).__next__,
    )

    tokens = [credential.token(fresh=False) for _ in range(3)]
    tokens.append(credential.token(fresh=True))

    assert tokens == ["token-1", "token-1", "token-2", "token-3"]


@pytest.mark.parametrize(
    "said",
    [
        Said(400, {"error": "invalid_client"}),
        Said(200, {"expires_in": 5}),
        Said(200, {"access_token": 3}),
    ],
)
def test_no_token_sends_nothing(receiver: Receiver, said: Said) -> None:
    """What the issuer said is told; the event waits."""
    receiver.next_answers = [said]
    credential = ClientCredentials(
        token_url=receiver.url + "/token", client=ClientSecret(client_id="a", secret="s")
    )

    answer = Client(receiver.url, credential).submit(EVENT)

    assert isinstance(answer, Unavailable)
    assert answer.reason.startswith("token_url: no token")
    assert [heard.path for heard in receiver.heard] == ["/token"]


def test_every_token_is_masked_before_it_is_used(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow's logs never show a token, not even if somebody prints it."""
    from airflow.sdk import log

    masked: list[str] = []
    monkeypatch.setattr(log, "mask_secret", masked.append)
    (tmp_path / "token").write_text("from-file")
    client = ClientSecret(client_id="a", secret="s")
    TokenFile(tmp_path / "token").token(fresh=False)
    ClientCredentials(token_url=receiver.url + "/token", client=client).token(fresh=False)

    assert {"from-file", "token-1", "s"} <= set(masked)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gateway",
        "http://gateway.example",
        "ftp://127.0.0.1",
        "https://",
        "https://u:p@h",
        "https://h/?q",
    ],
)
def test_a_token_never_travels_in_the_clear(url: str) -> None:
    """https, or loopback; and nothing in a URL but scheme, host and path."""
    with pytest.raises(ValueError, match="host: "):
        checked_url(url, "host")


@pytest.mark.parametrize(
    "url", ["https://gateway.example/a/", "http://localhost:1", "http://[::1]:1"]
)
def test_safe_addresses_are_taken(url: str) -> None:
    """Without the trailing slash, so that paths can be joined to it."""
    assert checked_url(url, "host") == url.rstrip("/")


@pytest.mark.parametrize(
    ("said", "good", "hint"),
    [
        (Said(200), True, "knows"),
        (Said(403), True, "may not read"),
        (Said(404), False, "address"),
    ],
)
def test_check_says_what_to_look_at(
    receiver: Receiver, client: Client, said: Said, good: bool, hint: str
) -> None:
    """`test_connection` in Airflow's UI shows this sentence."""
    receiver.next_answers = [said]

    answer = client.check()

    assert answer[0] is good
    assert hint in answer[1]


def test_check_tells_a_bad_token_from_a_bad_address(receiver: Receiver, client: Client) -> None:
    """Two refused tokens point at the issuer."""
    receiver.next_answers = [Said(401), Said(401)]

    assert client.check() == (
        False,
        "The gateway does not accept the token: compare issuer and audience.",
    )


def test_waits_double_up_to_a_minute() -> None:
    """1, 2, 4 ... 60 s; what the gateway asks for counts where it is longer."""
    waits = [wait_after(failures, None).total_seconds() for failures in (1, 2, 3, 6, 7, 1000)]

    assert waits == [1, 2, 4, 32, 60, 60]
    assert wait_after(1, 300).total_seconds() == 300
    assert wait_after(7, 5).total_seconds() == 60


def test_a_receipt_is_json() -> None:
    """It goes through XCom."""
    receipt = Receipt(handoff="h", event="e", duplicate=True, deliveries=[])

    assert json.loads(json.dumps(receipt.as_json())) == receipt.as_json()
