"""A credential is one bearer token at a time, checked where it is read and never shown."""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from airflow_provider_interlock._client import Client, Unavailable
from airflow_provider_interlock._credentials import (
    ClientCredentials,
    ClientSecret,
    PrivateKey,
    TokenFile,
)
from airflow_provider_interlock._http import NotSent
from tests.receiver import Receiver, Said

EVENT = b'{"specversion":"1.0","id":"1"}'
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_token_file_is_read_at_every_use(receiver: Receiver, tmp_path: Path) -> None:
    """The platform rotates it under us."""
    (tmp_path / "token").write_text("first\n")
    client = Client(receiver.url, TokenFile(tmp_path / "token"))
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


NOT_TOKENS = [
    "hush\nret",
    "hush\r\nX-Other: ret",
    "hush ret",
    "hush\u00e9ret",
    "hush=ret",
    "=",
    "hush\x00ret",
]


@pytest.mark.parametrize("content", NOT_TOKENS)
def test_a_file_that_holds_no_token_is_not_quoted(
    receiver: Receiver, tmp_path: Path, content: str
) -> None:
    """RFC 6750's b64token or nothing: no request is made, and the error keeps the secret."""
    path = tmp_path / "bearer"
    path.write_bytes(content.encode())

    answer = Client(receiver.url, TokenFile(path)).submit(EVENT)

    assert isinstance(answer, Unavailable)
    assert str(path) in answer.reason
    assert "hush" not in answer.reason
    assert receiver.heard == []


@pytest.mark.parametrize("content", NOT_TOKENS)
def test_a_granted_text_that_is_no_token_is_not_quoted(receiver: Receiver, content: str) -> None:
    """What an issuer grants is held to the same rule as a file."""
    receiver.next_answers = [Said(200, {"access_token": content, "expires_in": 300})]
    secret = ClientSecret(client_id="a", secret="s")
    credential = ClientCredentials(token_url=receiver.url + "/token", client=secret)

    with pytest.raises(NotSent, match="token_url: access_token is not") as raised:
        credential.token(fresh=False)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize("token", ["a", "AZaz09-._~+/", "eyJ.eyJ.c2ln", "YQ=="])
def test_every_b64token_is_taken(tmp_path: Path, token: str) -> None:
    """The line break at the end of a file is not part of the token."""
    (tmp_path / "token").write_text(token + "\n")

    assert TokenFile(tmp_path / "token").token(fresh=False) == token


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
