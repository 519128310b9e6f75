"""The documentation says what the code says; where the two part, a test here names the place."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

import click
import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from docs.generate import page
from interlock.adapters.policy_cedar import load as load_policies
from interlock.adapters.policy_cedar import schema_text
from interlock.adapters.policy_cedar.schema import ActionType, ResourceType
from interlock.app.bootstrap import connectors
from interlock.app.configuration import Configuration, schema
from interlock.app.configuration import load as load_configuration
from interlock.app.settings import Settings
from interlock.app.verbs import VERBS
from interlock.core.step import State
from interlock.surfaces.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "airflow-provider" / "README.md"])
EXAMPLE = ROOT / "examples" / "airflow-looker" / "interlock.yaml"

HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def name(path: Path) -> str:
    """The path as people say it."""
    return str(path.relative_to(ROOT))


def text(page_name: str) -> str:
    """A page of docs/."""
    return (DOCS / page_name).read_text(encoding="utf-8")


def prose(written: str) -> str:
    """A page without its examples."""
    return FENCED.sub("", written)


def headings(written: str) -> list[str]:
    """The headings of a page."""
    return HEADING.findall(prose(written))


def sections(written: str) -> dict[str, str]:
    """What stands below each heading of the second rank, by the heading without backticks."""
    parts = re.split(r"^## (.+)$", written, flags=re.MULTILINE)[1:]
    titles = (title.replace("`", "") for title in parts[::2])
    return dict(zip(titles, parts[1::2], strict=True))


def blocks(written: str, language: str) -> list[str]:
    """The examples of a page in that language."""
    return [body for kind, body in FENCED.findall(written) if kind == language]


def broken(path: Path) -> Iterator[str]:
    """The links of a page that lead nowhere in this repository."""
    for link in LINK.findall(prose(path.read_text(encoding="utf-8"))):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    found = headings(path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in found}


def settings(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Every setting of a model, as configuration.md writes it."""
    for field, info in model.model_fields.items():
        here = f"{path}.{info.alias or field}" if path else info.alias or field
        yield here
        for inner, mark in models(info.annotation):
            yield from settings(inner, here + mark)


def models(annotation: Any, mark: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    """The models in a type, each with how one gets there."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, mark
    kind = str(annotation)
    step = "[]" if kind.startswith("list[") else ".<name>" if kind.startswith("dict[") else ""
    for part in get_args(annotation):
        yield from models(part, mark + step)


def every_setting() -> Iterator[str]:
    """All that `interlock.yaml` may say."""
    yield from settings(Settings)
    for connector in connectors().values():
        yield from settings(connector.config, "targets.<name>")
        for action in connector.actions.values():
            yield from settings(action.params, "routes[].with")


def policy_schema() -> str:
    """The schema of a site that uses every connector."""
    used = connectors().values()
    return schema_text(
        [ResourceType(name=n, parents=p) for each in used for n, p in each.resources.items()],
        [
            ActionType(name=action, resources=tuple(each.resources))
            for each in used
            for action in each.actions
        ],
    )


def checked(folder: Path, written: str) -> Configuration:
    """The configuration in a page's example. Raises ConfigInvalid."""
    file = folder / "interlock.yaml"
    file.write_text(written, encoding="utf-8")
    return load_configuration(file, connectors())


# --- configuration --------------------------------------------------------------------------------


def test_the_configuration_page_is_what_the_models_say() -> None:
    """Nobody edits the reference by hand: .venv/bin/python -m docs.generate writes it."""
    assert text("configuration.md") == page()


def test_every_setting_is_in_the_reference() -> None:
    """A setting has a row that names it in full."""
    written = text("configuration.md")

    assert [each for each in every_setting() if f"| `{each}` |" not in written] == []


def test_settings_inside_lists_and_maps_are_seen() -> None:
    """The guard above reaches every depth, and names a setting as the file does."""
    deep = {
        "identity.issuers[].typ",
        "sources.<name>.owner",
        "targets.<name>.auth.mint",
        "routes[].with",
        "routes[].with.tables",
    }

    assert deep <= {*every_setting()}


def test_every_setting_says_what_it_is_for() -> None:
    """No row of the reference lacks its last cell."""
    rows = re.findall(r"^\| `(.+?)` \|.*\| ?(.*?) ?\|$", text("configuration.md"), re.MULTILINE)

    assert rows
    assert [setting for setting, told in rows if not told] == []


def test_the_published_schema_takes_the_example() -> None:
    """An editor that is told of the schema marks mistakes, and nothing else."""
    judge = Draft202012Validator(schema(connectors()))
    written = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    wrong = written | {"targets": {"looker": written["targets"]["looker"] | {"colour": "red"}}}

    assert judge.is_valid(written)
    assert not judge.is_valid(wrong)


def test_the_whole_configuration_of_the_how_to_is_one(tmp_path: Path) -> None:
    """What a reader copies passes `interlock check`."""
    [written] = [
        each
        for each in blocks(text("how-to/airflow-looker.md"), "yaml")
        if each.startswith("site:")
    ]

    assert checked(tmp_path, written).site.routes


def test_the_targets_of_the_connectors_page_are_ones(tmp_path: Path) -> None:
    """So does what is shown of a single connector, beside the rest of a configuration."""
    base = {
        each: value
        for each, value in yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")).items()
        if each not in {"targets", "routes"}
    }
    shown = [yaml.safe_load(each) for each in blocks(text("connectors.md"), "yaml")]

    assert shown
    for each in shown:
        assert checked(tmp_path, yaml.safe_dump(base | each)).site.routes


# --- names ----------------------------------------------------------------------------------------


def test_every_verb_is_on_the_http_page() -> None:
    """A heading for each verb, with its method and path under it."""
    told = sections(text("http.md"))
    missing = [
        verb.name for verb in VERBS if f"`{verb.method} {verb.path}`" not in told.get(verb.name, "")
    ]

    assert missing == []


def test_every_command_is_on_the_command_line_page() -> None:
    """A heading for each command, in the order of the help, with all its options under it."""
    told = sections(text("cli.md"))

    assert list(told) == [f"interlock {command}" for command in COMMANDS]
    assert [
        f"{command} {option}"
        for command in COMMANDS
        for option in options(cli.get_command(click.Context(cli), command))
        if option not in told[f"interlock {command}"]
    ] == []


def options(command: click.Command | None) -> Iterable[str]:
    """The long options of a command and of those below it."""
    assert command
    for parameter in command.params:
        yield from (each for each in parameter.opts if each.startswith("--"))
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        yield from options(inner)


def test_the_help_on_the_command_line_page_is_the_real_one() -> None:
    """The list of commands is pasted, not retold."""
    shown = click.Context(cli, info_name="interlock", terminal_width=78)
    commands = cli.get_help(shown).partition("Commands:\n")[2]

    assert f"Commands:\n{commands}" in text("cli.md")


def test_every_connector_has_a_heading_and_its_actions() -> None:
    """Who can configure it can read what it does."""
    told = sections(text("connectors.md"))

    assert told.keys() == {*connectors(), "Your own"}
    for each in connectors().values():
        assert [action for action in each.actions if f"`{action}`" not in told[each.name]] == []


def test_everything_policy_may_name_is_on_its_page() -> None:
    """Entity types, actions and members of the context."""
    written, schema_of_policy = text("policy.md"), policy_schema()
    types = re.findall(r"^entity (\w+) ", schema_of_policy, re.MULTILINE)
    actions = re.findall(r'^action "(\w+)"', schema_of_policy, re.MULTILINE)
    members = re.findall(r"^  (\w+)\??: ", schema_of_policy, re.MULTILINE)

    assert len(types) > 3
    assert len(actions) > 10
    assert len(members) > 10
    assert [each for each in (*types, *actions, *members) if f"`{each}`" not in written] == []


@pytest.mark.parametrize("path", ["policy.md", "how-to/airflow-looker.md"])
def test_every_policy_that_is_shown_is_valid(path: str, tmp_path: Path) -> None:
    """A recipe that is copied passes `interlock check`."""
    for number, each in enumerate(blocks(text(path), "cedar")):
        (tmp_path / f"recipe{number}.cedar").write_text(each, encoding="utf-8")

    assert load_policies(tmp_path, policy_schema())


def test_the_glossary_has_every_state() -> None:
    """Each state that a list can show is explained."""
    assert [each for each in State if f"| `{each}` |" not in text("glossary.md")] == []


# --- pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    """Every link inside the repository names a file, and a heading in it, that are there."""
    assert list(broken(path)) == []


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    """The guard above can fail, for a file and for a heading."""
    path = tmp_path / "page.md"
    path.write_text("# One two\n\n[a](gone.md) [b](#three) [c](#one-two)\n", encoding="utf-8")

    assert list(broken(path)) == ["gone.md", "#three"]


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_the_commands_on_a_page_exist(path: Path) -> None:
    """Every `make` target and `interlock` command that a page tells to run is there."""
    written = path.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    examples = [body for _, body in FENCED.findall(written)]
    told = "\n".join([*re.findall(r"`([^`\n]+)`", prose(written)), *examples])
    made = re.findall(r"^(?:\$ )?make ([a-z][a-z-]*)", told, re.MULTILINE)
    run = re.findall(r"^(?:\$ )?(?:\.venv/bin/)?interlock ([a-z]+)", told, re.MULTILINE)

    assert set(made) <= set(targets)
    assert set(run) <= {*COMMANDS, "ready"}  # what `interlock serve` prints


def test_the_readme_tells_the_two_commands() -> None:
    """A stranger finds how to see it and how to test it."""
    told = "\n".join(blocks((ROOT / "README.md").read_text(encoding="utf-8"), ""))

    assert "make demo" in told
    assert "make test" in told


def test_every_decision_is_listed_and_has_a_status() -> None:
    """docs/adr/README.md links each page, and each says whether it holds."""
    listed = (DOCS / "adr" / "README.md").read_text(encoding="utf-8")
    pages = sorted((DOCS / "adr").glob("0*.md"))

    assert pages
    for path in pages:
        assert f"({path.name})" in listed
        assert "\nStatus: " in path.read_text(encoding="utf-8")
