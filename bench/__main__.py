"""`python -m bench`: every figure, with the baseline it is to be read beside."""

import os
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.gateway import Bench, bench

SECONDS = 8
RATE = 50


def load(url: str, file: Path, *words: str) -> list[list[str]]:
    """Run the load generator; its rows."""
    command = [sys.executable, "-m", "bench.load", url, str(file), *words]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[1])
    return [line.split() for line in file.read_text().splitlines()]


def say(what: str, figure: str, beside: str = "") -> None:
    """One line of the report."""
    print(f"{what:<44} {figure:<26} {beside}", flush=True)


def percentile(values: list[float], share: float) -> float:
    """The value below which that share of them lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def full_speed(at: Bench) -> int:
    """Events per second from 32 connections, and what each costs. How many were delivered."""
    direct = load(f"{at.target_url}/hook", at.folder / "direct", "--seconds", "3")
    before = at.cpu_s()
    words = ("--token", at.token, "--seconds", str(SECONDS), "--connections", "32")
    rows = load(f"{at.url}/v1/events", at.folder / "sent", *words)
    cpu_ms = (at.cpu_s() - before) / len(rows) * 1_000
    seconds = (int(rows[-1][1]) - int(rows[0][0])) / 1e9
    assert {row[2] for row in rows} == {"202"}
    say("gateway CPU per event", f"{cpu_ms:.3f} ms", "user + system of its process alone")
    say(
        "acknowledged, 32 connections",
        f"{len(rows) / seconds:,.0f} /s",
        f"the target alone, no gateway: {len(direct) / 3:,.0f} /s",
    )
    return len(rows)


def steady(at: Bench) -> set[str]:
    """Send at a rate; the ids sent."""
    words = ("--token", at.token, "--seconds", str(SECONDS), "--rate", str(RATE))
    rows = load(f"{at.url}/v1/events", at.folder / "steady", *words)
    acknowledged = [(int(row[1]) - int(row[0])) / 1e6 for row in rows]
    direct = load(
        f"{at.target_url}/hook", at.folder / "direct", "--rate", str(RATE), "--seconds", "4"
    )
    alone = [(int(row[1]) - int(row[0])) / 1e6 for row in direct]
    say(
        f"acknowledged at {RATE}/s, p50 / p99",
        f"{statistics.median(acknowledged):.1f} / {percentile(acknowledged, 0.99):.1f} ms",
        f"the target alone: {statistics.median(alone):.1f} / {percentile(alone, 0.99):.1f} ms",
    )
    return {row[3] for row in rows}


def arrived(at: Bench, steady_ids: set[str]) -> None:
    """What the target saw."""
    arrivals = at.arrivals()
    sent = {
        row[3]: int(row[0])
        for name in ("sent", "steady")
        for row in (line.split() for line in (at.folder / name).read_text().splitlines())
    }
    say("delivered of acknowledged", f"{len(sent.keys() & arrivals):,} of {len(sent):,}")
    fast = sent.keys() - steady_ids
    seconds = (max(arrivals[each] for each in fast) - min(sent[each] for each in fast)) / 1e9
    say("end to end, 32 connections", f"{len(fast) / seconds:,.0f} /s", "first sent to last called")
    delays = [(arrivals[each] - sent[each]) / 1e6 for each in steady_ids]
    say(
        f"request sent to target called at {RATE}/s",
        f"{statistics.median(delays):.1f} / {percentile(delays, 0.99):.1f} ms",
        "p50 / p99",
    )


def decisions() -> None:
    """A cached token and a decision, in this process."""
    import tempfile

    from interlock.adapters.policy_cedar import CedarAuthorizer, schema_text
    from interlock.adapters.policy_cedar import load as policies
    from interlock.core.decision import Question, Resource
    from interlock.core.principal import Kind, Principal

    now = datetime.now(UTC)  # noqa: TID251 - a measurement
    with tempfile.TemporaryDirectory() as folder:
        permit = (
            'permit (principal in Group::"idp/g{n}", action == Action::"submit",'
            ' resource == Source::"s{n}")'
        )
        rules = [permit.format(n=n) + ";" for n in range(100)]
        rules += [permit.format(n=7) + ' when { context.now < datetime("2099-01-01") };']
        (Path(folder) / "rules.cedar").write_text("\n".join(rules))
        schema = schema_text([], [])
        authorizer = CedarAuthorizer(policies(Path(folder), schema), schema)
    principal = Principal(
        kind=Kind.SERVICE, id="idp/a", groups=frozenset({"idp/g7"}), verified_at=now
    )
    source = Resource(type="Source", id="s7", attributes={"owner": "o", "uri": "u"})
    plain: dict[str, object] = {"now": now, "environment": "prod"}
    whole = plain | {
        "hop": 1, "initiator": "ana", "workflow": "load", "runId": "r", "corroborated": True,
        "authorityAge": timedelta(seconds=2), "requestDigest": "d" * 64, "eventType": "t",
        "eventSubject": "load", "approval": {"by": "idp/b", "expires": now, "digest": "d" * 64},
    }  # fmt: skip
    for name, context in (("empty", plain), ("whole", whole)):
        question = Question(principal=principal, action="submit", resource=source, context=context)
        best = min(_timed(lambda q=question: authorizer.decide(q)) for _ in range(7))
        say(f"decision, {name} context, nothing remembered", f"{best:.0f} us", "101 rules")


def tokens() -> None:
    """A token verified before, as most are."""
    from interlock.adapters.clock import SystemClock
    from interlock.adapters.identity_oidc.verified import VerifiedTokens
    from interlock.core.principal import Kind, Principal

    now = SystemClock().now()
    known = VerifiedTokens()
    token = "x" * 700
    known.remember(
        token,
        Principal(kind=Kind.SERVICE, id="a", verified_at=now, expires_at=now + timedelta(hours=1)),
        now,
    )
    best = min(_timed(lambda: known.find(token, now)) for _ in range(7))
    say("token verified before", f"{best:.1f} us")


def _timed(call: object, times: int = 3_000) -> float:
    assert callable(call)
    began = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - began) / times * 1e6


def commands() -> None:
    """How long a command takes to say anything."""
    interlock = str(Path(sys.executable).with_name("interlock"))
    for words, beside in (
        ((interlock, "--help"), ""),
        ((sys.executable, "-c", "pass"), "python alone"),
    ):
        times = []
        for _ in range(7):
            began = time.perf_counter()
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - began)
        say(
            " ".join(Path(words[0]).name if n == 0 else w for n, w in enumerate(words)),
            f"{min(times):.2f} s",
            beside,
        )


def main() -> None:
    """Print the report."""
    print(
        f"{os.cpu_count()} cores shared by load, gateway and target; tokens verified; SQLite FULL\n"
    )
    with bench() as at:
        say("gateway ready", f"{at.ready_s:.2f} s", "from start to taking requests")
        steady_ids = steady(at)
        full = full_speed(at)
        while full + len(steady_ids) < 50_000:
            words = ("--token", at.token, "--seconds", "5")
            full += len(load(f"{at.url}/v1/events", at.folder / "more", *words))
        say("gateway memory after 50,000 events", f"{at.peak_mb():.0f} MB", "at its peak")
        time.sleep(1)  # noqa: TID251 - for the last deliveries
        arrived(at, steady_ids)
    decisions()
    tokens()
    commands()


if __name__ == "__main__":
    main()
