"""`serve`, `check` and `schema`: a gateway starts, stops and complains as operators need it."""

import json
import logging
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from interlock.surfaces.cli.main import cli
from interlock.surfaces.cli.serve import OneLine
from tests.surfaces.cli.gateway import END_S, INTERLOCK, POLICIES, Running, config, process


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site's repository; the path of its configuration."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "base.cedar").write_text(POLICIES)
    file = tmp_path / "interlock.yaml"
    file.write_text(config("http://127.0.0.1:9", "http://127.0.0.1:9"))
    return file


def started(site: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """What comes of `interlock serve` where it cannot run."""
    command = [INTERLOCK, "serve", "--config", str(site), "--port", "0", *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def broken(site: Path, old: str, new: str) -> Path:
    """The site with a mistake in its configuration."""
    text = site.read_text()
    assert old in text
    site.write_text(text.replace(old, new))
    return site


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_and_stops_when_told(site: Path, number: int) -> None:
    """One line with address, site and revision; then a signal ends it in order, exit 0."""
    with process([INTERLOCK, "serve", "--config", str(site), "--port", "0"], "stderr") as (
        line,
        gateway,
    ):
        gateway.send_signal(number)
        code = gateway.wait(END_S)

    assert re.fullmatch(
        r"interlock ready http://127\.0\.0\.1:[1-9]\d+ site=acme config_rev=[0-9a-f]{12}\n", line
    )
    assert code == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("do: post", "do: get", "routes.0.do: it can: post"),
        ("site: acme", "sight: acme", "sight: unknown key"),
        ("site: acme", "site: [", "not YAML"),
    ],
)
def test_a_wrong_configuration_is_exit_2(site: Path, old: str, new: str, said: str) -> None:
    """Each complaint with file and line, what to run next, no traceback."""
    result = started(broken(site, old, new))

    assert result.returncode == 2
    assert f"{site}:" in result.stderr
    assert said in result.stderr
    assert f"interlock check --config {site}" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_wrong_policy_is_exit_1(site: Path) -> None:
    """File, line and what to do; nothing runs without policy."""
    (site.parent / "policies" / "more.cedar").write_text("\npermit (everyone);\n")

    result = started(site)

    assert result.returncode == 1
    assert "more.cedar:2: " in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_secret_is_exit_1(site: Path) -> None:
    """The reference is named, and who resolves it."""
    site.write_text(
        site.read_text() + 'issuer: {url: "http://127.0.0.1:9", key: "env://NO_SUCH_KEY"}\n'
    )

    result = started(site)

    assert result.returncode == 1
    assert "env://NO_SUCH_KEY is not set" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_ledger_in_use_is_exit_1(gateway: Running) -> None:
    """Two gateways on one SQLite file: the second says who has it and what to do."""
    result = started(gateway.folder / "interlock.yaml")

    assert result.returncode == 1
    assert "in use by another process" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_in_use_is_exit_1(site: Path, gateway: Running) -> None:
    """The address is named, and nothing ran: there is no ledger."""
    result = started(site, "--port", gateway.url.rpartition(":")[2])

    assert result.returncode == 1
    assert "Address already in use" in result.stderr
    assert not (site.parent / "interlock.db").exists()


@pytest.fixture
def record() -> Iterator[logging.LogRecord]:
    """A record with a message of two lines and a traceback."""
    try:
        int("no\nway")
    except ValueError:
        yield logging.LogRecord(
            "interlock.x", logging.ERROR, "x.py", 1, "it broke\r\n%s", ("here",), sys.exc_info()
        )


def test_a_log_record_is_one_line(record: logging.LogRecord) -> None:
    """Time in UTC, level, logger, message, traceback: in one line, so that none can be forged."""
    record.created = 1_767_268_800.5

    line = OneLine().format(record)

    assert line.startswith("2026-01-01T12:00:00.500Z ERROR interlock.x it broke | here | Traceback")
    assert "\n" not in line
    assert "ValueError: invalid literal" in line


def test_check_counts_what_it_found(site: Path) -> None:
    """A good site: ok, with how many of each; exit 0."""
    result = CliRunner().invoke(cli, ["check", "--config", str(site)])

    assert result.exit_code == 0, result.stderr
    assert "ok" in result.stdout
    assert re.findall(r"(\w+) +(\d+)$", result.stdout, re.MULTILINE) == [
        ("issuers", "1"),
        ("sources", "1"),
        ("targets", "1"),
        ("routes", "3"),
        ("policies", "2"),
    ]


def test_check_lists_every_complaint(site: Path) -> None:
    """All of them at once, each with file and line; exit 1."""
    result = CliRunner().invoke(cli, ["check", "--config", str(broken(site, "do: post", "do: x"))])

    assert result.exit_code == 1
    assert len(re.findall(rf"^{site}:\d+: routes\.\d\.do", result.stdout, re.MULTILINE)) == 3
    assert "3 complaints" in result.stderr


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("policies", "", "policies"),
        ('sandbox, url: "http', 'sandbox, url: "ftp', "neither on https nor on loopback"),
    ],
)
def test_check_sees_all_that_is_visible_offline(site: Path, old: str, new: str, said: str) -> None:
    """A missing policy folder and an issuer whose keys could be forged are complaints too."""
    if new:
        broken(site, old, new)
    else:
        (site.parent / old).rename(site.parent / "elsewhere")

    result = CliRunner().invoke(cli, ["check", "--config", str(site)])

    assert result.exit_code == 1
    assert said in result.stdout


def test_check_resolves_no_secret(site: Path) -> None:
    """A reference that only the gateway's machine can resolve is no complaint."""
    site.write_text(
        site.read_text() + 'issuer: {url: "http://127.0.0.1:9", key: "env://NO_SUCH_KEY"}\n'
    )

    assert CliRunner().invoke(cli, ["check", "--config", str(site)]).exit_code == 0


@pytest.mark.parametrize(("new", "ok"), [("do: post", True), ("do: x", False)])
def test_check_as_json(site: Path, new: str, ok: bool) -> None:
    """For a pipeline: ok, what was found, and the complaints, whatever the exit code."""
    file = broken(site, "do: post", new)

    result = CliRunner().invoke(cli, ["check", "--json", "--config", str(file)])

    report = json.loads(result.stdout)
    assert report["ok"] is ok
    assert bool(report["complaints"]) is not ok
    assert result.exit_code == (0 if ok else 1)


def test_schema_describes_a_site(site: Path) -> None:
    """The printed schema is one, and has the connectors' parts."""
    result = CliRunner().invoke(cli, ["schema"])

    schema = json.loads(result.stdout)
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == "interlock.yaml"
    assert "http" in schema["$defs"]
