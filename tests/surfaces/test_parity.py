"""Every surface says the same verbs: a verb that one of them lacks, or has alone, fails here."""

import inspect
from collections.abc import Iterator

import click
import pytest

from interlock.app.verbs import VERBS, Gateway
from interlock.client import Client
from interlock.surfaces.cli.main import COMMANDS, cli
from tests.surfaces.cli.gateway import Running, running

LOCAL = {"serve", "check", "schema", "login", "demo"}
"""Commands that ask no gateway."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A running gateway."""
    with running(tmp_path_factory.mktemp("parity")) as started:
        yield started


def test_the_gateway_does_every_verb() -> None:
    """Each verb of the table is a method of the gateway, and each public method is a verb."""
    assert _methods(Gateway) == {verb.name for verb in VERBS}


def test_the_client_asks_every_verb() -> None:
    """Each verb of the table is a method of the client, and each public method is a verb."""
    assert _methods(Client) == {verb.name for verb in VERBS}


def test_the_command_line_has_every_verb() -> None:
    """Each verb is a command under the name in the table; what else there is asks no gateway."""
    assert set(COMMANDS) - LOCAL == {verb.command for verb in VERBS}


def test_the_command_line_says_of_a_verb_what_the_table_says() -> None:
    """`interlock --help` has the summaries of the table, so that no two texts drift apart."""
    assert {verb.command: COMMANDS[verb.command] for verb in VERBS} == {
        verb.command: verb.summary for verb in VERBS
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_named_is_there(name: str) -> None:
    """What `interlock --help` lists without an import can be imported, and has its own help."""
    command = cli.get_command(click.Context(cli), name)

    assert command is not None
    assert command.name == name
    assert command.help


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_has_the_options_of_verbs(verb: object) -> None:
    """--url and --json are on every verb: scripts need not know which one they call."""
    command = cli.get_command(click.Context(cli), getattr(verb, "command"))  # noqa: B009 - typed loosely by pytest
    if isinstance(command, click.Group):
        command = command.commands["list"]

    assert command is not None
    assert {"url", "as_json"} <= {parameter.name for parameter in command.params}


def test_http_has_every_verb(gateway: Running) -> None:
    """The OpenAPI document has the paths, methods, names and summaries of the table; no others."""
    document = gateway.get("/openapi.json")

    assert {
        (path, method.upper(), described["operationId"], described["summary"])
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    } == {(verb.path, verb.method, verb.name, verb.summary) for verb in VERBS}


def _methods(of: type) -> set[str]:
    return {
        name for name, _ in inspect.getmembers(of, inspect.isfunction) if not name.startswith("_")
    }
