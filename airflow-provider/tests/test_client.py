"""The client gives one of three answers, and shows its credential to the gateway alone."""

import json
from pathlib import Path
from traceback import format_exception

import pytest

from airflow_provider_interlock._client import (
    RETRY_AFTER_S_MAX,
    Client,
    Receipt,
    Refused,
    Unavailable,
    wait_after,
)
from airflow_provider_interlock._credentials import TokenFile
from airflow_provider_interlock._http import ANSWER_BYTES_MAX, NotSent, checked_url, exchange
from tests.receiver import Receiver, Said

EVENT = b'{"specversion":"1.0","id":"1"}'


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
def test_a_problem_with_a_code_is_final(receiver: Receiver, client: Client, status: int) -> None:
    """The stable code and the sentence of the problem come along."""
    receiver.next_answers = [Said(status, {"code": "event.conflict", "detail": "another fact"})]

    assert client.submit(EVENT) == Refused("event.conflict", "another fact")


@pytest.mark.parametrize(
    "said",
    [
        Said(404, {"code": "c"}, {"Content-Type": "text/html"}),
        Said(403, {"code": "c"}, {"Content-Type": "application/json"}),
        Said(404, {"title": "no code"}, {"Content-Type": "application/problem+json"}),
        Said(404, {"code": 3}),
    ],
)
def test_a_4xx_of_something_else_is_not_final(
    receiver: Receiver, client: Client, said: Said
) -> None:
    """An ingress that has lost its gateway answers 404 in HTML; it may not cost an event."""
    receiver.next_answers = [said]

    assert isinstance(client.submit(EVENT), Unavailable)


def test_a_problem_may_name_its_charset(receiver: Receiver, client: Client) -> None:
    """A media type is compared without its parameters and in any case."""
    kind = {"Content-Type": "Application/Problem+JSON; charset=utf-8"}
    receiver.next_answers = [Said(422, {"code": "event.bad"}, kind)]

    assert client.submit(EVENT) == Refused("event.bad", "")


@pytest.mark.parametrize("status", [401, 408, 425, 429])
def test_a_problem_that_another_try_may_cure_is_not_final(
    receiver: Receiver, client: Client, status: int
) -> None:
    """The gateway's own words do not make these four final."""
    receiver.next_answers = [Said(status, {"code": "c"})] * 2

    assert isinstance(client.submit(EVENT), Unavailable)


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


@pytest.mark.parametrize("value", ["Bearer hush\nret", "Bearer hush\u20acret"])
def test_a_header_that_cannot_be_sent_is_not_quoted(receiver: Receiver, value: str) -> None:
    """http.client raises ValueError and quotes the value; that stays here."""
    with pytest.raises(NotSent, match="cannot be sent as HTTP") as raised:
        exchange(receiver.url, {"Authorization": value})

    assert "hush" not in "".join(format_exception(raised.value))
    assert receiver.heard == []


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
        (Said(200, {"handoffs": []}), True, "knows"),
        (Said(403, {"code": "c"}), True, "may not read"),
        (Said(404, {"code": "c"}), True, "may not read"),
        (Said(200), False, "address"),
        (Said(403), False, "address"),
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
    assert receiver.heard[0].path == "/v1/handoffs?limit=1"
    assert receiver.heard[0].headers["authorization"] == "Bearer first"


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
