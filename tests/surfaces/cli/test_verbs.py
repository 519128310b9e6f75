"""The verbs against a running gateway: what they print, where, and how they exit."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result

from tests.surfaces.cli.gateway import Running, event

Interlock = Callable[..., Result]

WAIT = ("--wait", "10")
NOBODY = "h-" + "0" * 24


def handed_over(interlock: Interlock, id_: str, **parts: object) -> str:
    """Submit an event and wait for its end; its hand-off."""
    sent = interlock("submit", "-", "--json", *WAIT, stdin=event(id_, **parts))
    return str(json.loads(sent.stdout)["handoff"])


def refused(interlock: Interlock, id_: str) -> str:
    """Have the stranger submit an event; the hand-off that never was."""
    sent = interlock("submit", "-", stdin=event(id_), client="stranger")
    return sent.stderr.partition("interlock trace ")[2].split()[0]


def test_submit_prints_a_receipt(interlock: Interlock) -> None:
    """The hand-off's id, what is owed, and with --wait what came of it."""
    result = interlock("submit", "-", *WAIT, stdin=event("receipt"))

    assert result.exit_code == 0, result.stderr
    assert "recorded, 1 delivery owed" in result.stdout
    assert "done" in result.stdout


def test_submit_again_is_the_same_hand_off(interlock: Interlock) -> None:
    """A second sending is told so, and makes nothing new."""
    first = handed_over(interlock, "twice")

    again = interlock("submit", "-", stdin=event("twice"))

    assert again.exit_code == 0
    assert f"{first}  was on record before" in again.stdout


def test_a_failed_delivery_fails_whoever_waits(interlock: Interlock) -> None:
    """With --wait a delivery that ended badly is exit 1, with the command that explains it."""
    result = interlock("submit", "-", *WAIT, stdin=event("breaks", subject="broken"))

    assert result.exit_code == 1
    assert "failed" in result.stdout
    assert "interlock trace h-" in result.stderr


def test_without_wait_it_is_enough_to_be_recorded(interlock: Interlock) -> None:
    """What becomes of the delivery is no part of the exit code of a caller that does not wait."""
    result = interlock("submit", "-", stdin=event("breaks-later", subject="broken"))

    assert result.exit_code == 0


def test_an_event_that_no_route_wants_says_so(interlock: Interlock) -> None:
    """Nothing owed is said, not left to be noticed."""
    result = interlock("submit", "-", stdin=event("unwanted", subject="other"))

    assert "no route wants it" in result.stdout


def test_submit_builds_an_event(interlock: Interlock, gateway: Running) -> None:
    """The options are an event; its data is JSON."""
    options = ("--type", "a.b", "--source", "airflow://prod", "--subject", "load_x")
    result = interlock("submit", *options, "--id", "built", "--data", '{"run_id": 7}', "--json")

    trace = gateway.get(f"/v1/handoffs/{json.loads(result.stdout)['handoff']}")
    assert trace["event"]["type"] == "a.b"
    assert trace["event"]["data"] == {"run_id": 7}


def test_an_id_is_never_invented(interlock: Interlock) -> None:
    """Without --id there is advice on choosing one, and no event."""
    result = interlock("submit", "--type", "a", "--source", "airflow://prod")

    assert result.exit_code == 2
    assert "--id is missing" in result.stderr
    assert "run id" in result.stderr


def test_a_file_without_an_id_gets_the_same_advice(interlock: Interlock) -> None:
    """The gateway's refusal is followed by how to choose an id."""
    result = interlock("submit", "-", stdin=event(""))

    assert result.exit_code == 1
    assert "event.malformed" in result.stderr
    assert "run id" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("-", "--type", "a"),
        ("--type", "a", "--source", "s", "--id", "1", "--data", "{"),
        ("-", "--wait", "61"),
        ("/nowhere/at-all.json",),
    ],
)
def test_what_cannot_be_meant_is_usage(interlock: Interlock, arguments: tuple[str, ...]) -> None:
    """Neither file nor options, both, data that is not JSON, too long a wait, no file: exit 2."""
    result = interlock("submit", *arguments)

    assert result.exit_code == 2
    assert result.stdout == ""


def test_a_batch_stands_event_by_event(interlock: Interlock) -> None:
    """The good events are recorded; the refused one is named, and makes it exit 1."""
    handed_over(interlock, "in-batch")
    batch = b"[" + event("fresh-in-batch") + b"," + event("in-batch", type="other") + b"]"

    result = interlock("submit", "-", stdin=batch)

    assert result.exit_code == 1
    assert "recorded, 1 delivery owed" in result.stdout
    assert "refused  Another event holds this source and id" in result.stdout
    assert "1 of 2 events refused" in result.stderr


def test_a_batch_that_policy_refuses_is_denied(interlock: Interlock) -> None:
    """All refused by policy is exit 3, as for one event."""
    result = interlock("submit", "-", stdin=b"[" + event("not-mine") + b"]", client="stranger")

    assert result.exit_code == 3


def test_a_conflict_says_how_to_correct(interlock: Interlock) -> None:
    """Another fact under the same id is exit 1, and a correction is a new event."""
    handed_over(interlock, "disputed")

    result = interlock("submit", "-", stdin=event("disputed", data={"run_id": "other"}))

    assert result.exit_code == 1
    assert "a correction is a new event with a new id" in result.stderr


def test_a_stranger_is_denied(interlock: Interlock) -> None:
    """Policy's no is exit 3: who, what, whom to ask, and where it is on record."""
    result = interlock("submit", "-", stdin=event("stranger"), client="stranger")

    assert result.exit_code == 3
    assert result.stdout == ""
    assert 'Service::"sandbox/stranger" may not submit to Source::"airflow-prod"' in result.stderr
    assert "Try: ask data-platform" in result.stderr


def test_nobody_is_denied(interlock: Interlock, gateway: Running) -> None:
    """A token that nobody believes is exit 3, with the way to a better one."""
    (gateway.folder / "false.token").write_text("a.b.c")

    result = interlock("handoffs", INTERLOCK_TOKEN_FILE=str(gateway.folder / "false.token"))

    assert result.exit_code == 3
    assert "Try: interlock login" in result.stderr
    assert "a.b.c" not in result.stderr


def test_no_gateway_is_unreachable(interlock: Interlock, gateway: Running) -> None:
    """Nothing there, or something else there: exit 5, and the options to look at."""
    nothing = interlock("handoffs", "--url", "http://127.0.0.1:1")
    other = interlock("handoffs", "--url", gateway.endpoint)

    assert (nothing.exit_code, other.exit_code) == (5, 5)
    assert "INTERLOCK_URL" in nothing.stderr
    assert "not an Interlock gateway" in other.stderr


def test_a_token_is_not_sent_in_the_clear(interlock: Interlock) -> None:
    """Plain http to another machine is usage, before anything is sent."""
    result = interlock("handoffs", "--url", "http://interlock.example")

    assert result.exit_code == 2
    assert "https" in result.stderr


def test_plan_says_what_would_be_touched(interlock: Interlock) -> None:
    """Rule, route, target and asset, and nothing is recorded."""
    result = interlock("plan", "-", stdin=event("planned"))

    assert result.exit_code == 0
    assert "base/loads" in result.stdout
    assert "tell -> hook.post" in result.stdout
    assert 'Endpoint::"hook/taken"' in result.stdout
    assert interlock("handoffs", "--event", "planned").stdout == ""


def test_plan_fails_as_submitting_would(interlock: Interlock) -> None:
    """Denied is exit 3; a delivery that cannot be planned is exit 1 and names the route."""
    denied = interlock("plan", "-", stdin=event("planned"), client="stranger")
    broken = interlock("plan", "-", stdin=event("planned", subject="unmapped"))

    assert (denied.exit_code, broken.exit_code) == (3, 1)
    assert "refused  no rule permits it" in denied.stdout
    assert "unmapped" in broken.stderr


def test_trace_is_one_screen_with_the_whole_story(interlock: Interlock) -> None:
    """Event, run, identity, rule, asset, attempt and history; and it fits on a screen."""
    handoff = handed_over(interlock, "storied", time="2026-01-01T12:00:00Z")

    result = interlock("trace", handoff)

    assert result.exit_code == 0, result.stderr
    for part in (
        "done  airflow.dag_run.succeeded  load_orders",
        "run      run-storied",
        "storied from airflow://prod",
        "(2026-01-01T12:00:00Z)",
        'Service::"sandbox/airflow" in sandbox/data-eng',
        "allowed  by base/loads, source airflow-prod, configuration ",
        "tell -> hook.post",
        "before its deadline",
        'Endpoint::"hook/taken"',
        "route tell posts to it",
        "history",
        "accepted",
    ):
        assert part in result.stdout
    assert len(result.stdout.splitlines()) <= 24


def test_trace_of_a_failure_shows_the_attempt(interlock: Interlock) -> None:
    """Which step, which attempt, what the target said."""
    handoff = handed_over(interlock, "failing", subject="broken")

    result = interlock("trace", handoff)

    assert "failed  airflow.dag_run.succeeded  broken" in result.stdout
    assert "why      422" in result.stdout
    assert "#1  sent  Rejected" in result.stdout


def test_trace_hides_the_payload_from_who_may_not_read_it(
    interlock: Interlock, gateway: Running
) -> None:
    """Someone who may read, but not the payload, sees all but the run; and is told why."""
    handoff = handed_over(interlock, "private")
    assert log_in(interlock, gateway).exit_code == 0

    result = interlock("trace", handoff, INTERLOCK_TOKEN_FILE="")

    assert result.exit_code == 0, result.stderr
    assert "you may not read this event's payload" in result.stdout
    assert "run-private" not in result.stdout


def test_trace_of_a_refusal_says_whom_to_ask(interlock: Interlock) -> None:
    """Who asked for what, the code, the missing rule and the owner, though nothing was made."""
    handoff = refused(interlock, "refused")

    result = interlock("trace", handoff, client="stranger")

    assert result.exit_code == 0, result.stderr
    for part in (
        "refused  airflow.dag_run.succeeded",
        'who      Service::"sandbox/stranger"',
        'asked    to submit to Source::"airflow-prod"',
        "policy.not_allowed: no rule permits it",
        "ask      ",
    ):
        assert part in result.stdout


def test_login_is_someone(interlock: Interlock, gateway: Running) -> None:
    """The code and the page are shown beside the data; the token never is; then verbs work."""
    logged_in = log_in(interlock, gateway)
    listed = interlock("handoffs", "--json", INTERLOCK_TOKEN_FILE="")

    assert (logged_in.exit_code, listed.exit_code) == (0, 0)
    assert logged_in.stdout == ""
    assert f"{gateway.issuer}/device?user_code=" in logged_in.stderr
    assert "Logged in for 10 min" in logged_in.stderr
    assert "eyJ" not in logged_in.stderr


def test_a_login_that_fails_is_denied(interlock: Interlock, gateway: Running) -> None:
    """A client that the provider does not know is exit 3, and the option is named."""
    result = log_in(interlock, gateway, client_id="nobody")

    assert result.exit_code == 3
    assert "--client-id" in result.stderr


def test_trace_of_nothing(interlock: Interlock) -> None:
    """An unknown id is exit 1; what cannot be an id is exit 2; both say how to find one."""
    unknown, no_id = interlock("trace", NOBODY), interlock("trace", "../events")

    assert (unknown.exit_code, no_id.exit_code) == (1, 2)
    assert "interlock handoffs" in unknown.stderr
    assert "interlock handoffs" in no_id.stderr


def test_lists_are_searched(interlock: Interlock) -> None:
    """Filters reach the gateway: one event's hand-off, one hand-off's deliveries."""
    handoff = handed_over(interlock, "wanted")
    handed_over(interlock, "other")

    listed = interlock("handoffs", "--event", "wanted", "--since", "1h").stdout.splitlines()
    owed = interlock("deliveries", "--handoff", handoff, "--state", "done").stdout.splitlines()

    assert [line.split()[-1] for line in listed] == ["HAND-OFF", handoff]
    assert [line.split()[-1] for line in owed] == ["HAND-OFF", handoff]


def test_deliveries_list_by_default(interlock: Interlock) -> None:
    """`deliveries` is `deliveries list`, with the same options."""
    handoff = handed_over(interlock, "by-default", subject="broken")

    short = interlock("deliveries", "--handoff", handoff)
    long = interlock("deliveries", "list", "--handoff", handoff)

    assert short.exit_code == 0, short.stderr
    assert "break  hook.post" in short.stdout
    assert "\n  422" in short.stdout
    assert short.stdout.split() == long.stdout.split()
    assert interlock("deliveries", "bogus").exit_code == 2


def test_a_page_says_where_the_next_begins(interlock: Interlock) -> None:
    """--after takes what stderr names; the pages share no row."""
    handed_over(interlock, "page-1")
    handed_over(interlock, "page-2")

    first = interlock("handoffs", "--limit", "1")
    behind = first.stderr.partition("--after ")[2].strip()
    second = interlock("handoffs", "--limit", "1", "--after", behind)

    assert first.stdout.split()[-1] == behind
    assert second.stdout.split()[-1] not in {behind, "HAND-OFF"}


def test_an_empty_list_says_so_beside_the_data(interlock: Interlock) -> None:
    """Nothing on stdout, a sentence on stderr, exit 0."""
    result = interlock("handoffs", "--type", "no.such.type")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "None." in result.stderr


@pytest.mark.parametrize("since", ["yesterday", "2026-01-01T12:00:00", "2w", "-1h", "1"])
def test_a_time_needs_its_offset(interlock: Interlock, since: str) -> None:
    """What could be read in two ways is not read."""
    result = interlock("handoffs", "--since", since)

    assert result.exit_code == 2
    assert "2026-01-01T12:00:00Z" in result.stderr


def test_json_is_what_http_answers(interlock: Interlock, gateway: Running) -> None:
    """On every verb --json prints the answer itself."""
    handoff = handed_over(interlock, "as-json")
    pages = {
        ("handoffs",): "/v1/handoffs?limit=50",
        ("deliveries",): "/v1/deliveries?limit=50",
        ("deliveries", "list", "--handoff", handoff): f"/v1/deliveries?limit=50&handoff={handoff}",
        ("trace", handoff): f"/v1/handoffs/{handoff}",
    }

    for arguments, path in pages.items():
        assert json.loads(interlock(*arguments, "--json").stdout) == gateway.get(path), arguments
    planned = json.loads(interlock("plan", "-", "--json", stdin=event("as-json")).stdout)
    assert set(planned) == {"principal", "source", "decision", "deliveries"}


def log_in(interlock: Interlock, gateway: Running, client_id: str = "cli") -> Result:
    """Log in at the gateway's issuer, which approves every device as alice."""
    arguments = ("login", "--issuer", gateway.issuer, "--client-id", client_id)
    return interlock(*arguments, INTERLOCK_TOKEN_FILE="")
