"""A configuration is used whole or not at all; each complaint says file, line, path and what to do."""

import re
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from interlock.adapters.secrets import LocalSecrets
from interlock.app.bootstrap import connectors
from interlock.app.configuration import REV_DIGITS, load, schema
from interlock.app.document import ConfigInvalid
from interlock.app.settings import HttpSettings, IssuerSettings, RouteSettings, Settings
from interlock.app.stage import examples
from interlock.connectors.http import Auth
from interlock.core.route import AllOf, Exact, Prefix
from interlock.core.site import Source
from tests.app.site import GOOD, changed, loaded, written
from tests.making import MINUTE

KNOWN: Any = connectors()
SCHEMA: Any = schema(KNOWN)
ROUTE = GOOD[GOOD.index("  - name: orders-to-models") :]


def test_a_good_file_is_a_site(tmp_path: Path) -> None:
    """What the file says is what the rules get."""
    found = loaded(tmp_path)

    [route] = found.site.routes
    assert found.site.sources == {
        "airflow-prod": Source(name="airflow-prod", uri="airflow://prod", owner="data-platform")
    }
    assert (route.name, route.target, route.action) == ("orders-to-models", "retrain", "post")
    assert route.when == AllOf(
        (Exact("type", "airflow.dag_run.succeeded"), Prefix("subject", "load_"))
    )
    assert (route.params, route.within) == ({"path": "/retrain"}, 10 * MINUTE)
    assert (found.site.name, found.site.environment) == ("acme", "production")
    assert found.path("policies/") == tmp_path / "policies"


def test_the_revision_is_that_of_the_bytes(tmp_path: Path) -> None:
    """Any change of the file is another revision; the same bytes are the same."""
    first, again = loaded(tmp_path).site.rev, loaded(tmp_path).site.rev
    other = loaded(tmp_path, GOOD + "# a comment\n").site.rev

    assert first == again != other
    assert len(first) == REV_DIGITS


MISTAKES = {
    "unknown key": (
        changed("site: acme", "site: acme\nsecrets: s3cret"),
        "2: secrets: unknown key",
    ),
    "unknown key below": (
        changed("    owner: ml", "    owner: ml\n    token: s3cret"),
        "17: targets.retrain.token: unknown key",
    ),
    "unknown route key": (changed("    do: post", "    do: post\n    retries: 3"), "27: routes.0.retries: unknown key"),
    "the code's name for a key": (changed("    with:", "    params:"), "27: routes.0.params: unknown key"),
    "missing key": (changed("    owner: ml\n", ""), "14: targets.retrain.owner: Field required"),
    "empty audience": (changed("https://interlock.acme.example", '""'), "4: identity.audience: "),
    "no issuer": (re.sub(r"issuers:\n.*1h", "issuers: []", GOOD, flags=re.DOTALL), "5: identity.issuers: "),
    "no source": (re.sub(r"sources:\n.*prod\nt", "sources: {}\nt", GOOD, flags=re.DOTALL), "9: sources: "),
    "bad name": (changed("orders-to-models", "Orders_To"), "21: routes.0.name: "),
    "bad target name": (changed("  retrain:", "  Re_train:"), "targets.Re_train"),
    "literal secret": (
        changed("env://MODELS_TOKEN", "s3cret"),
        "19: targets.retrain.auth.bearer: a secret is a reference, not a value: env://NAME or file://PATH",
    ),
    "secret in a url": (changed("https://models", "https://u:s3cret@models"), "17: targets.retrain.base_url: a base URL has no user"),
    "unknown target": (changed("to: retrain", "to: retain"), "25: routes.0.to: no such target; there are: retrain"),
    "unknown action": (changed("do: post", "do: put"), "26: routes.0.do: it can: post"),
    "unknown connector": (changed("connector: http", "connector: htttp"), "15: targets.retrain.connector: name one of the connectors: http, looker"),
    "no connector": (changed("    connector: http\n", ""), "14: targets.retrain.connector: name one of"),
    "bad duration": (changed("within: 10m", "within: 10 minutes"), "29: routes.0.within: give a whole number and a unit: 90s, 10m, 2h or 1d"),
    "bare duration": (changed("within: 10m", "within: 10"), "29: routes.0.within: give a whole"),
    "no duration": (changed("within: 10m", "within: 0s"), "29: routes.0.within: "),
    "long duration": (changed("within: 10m", "within: 31d"), "29: routes.0.within: "),
    "endless duration": (changed("within: 10m", f"within: {'9' * 5_000}d"), "29: routes.0.within: give a whole"),
    "bad lifetime": (changed("1h", "1w"), "8: identity.issuers.0.max_lifetime: give a whole"),
    "bad dialect": (changed("prefix: load_", "regex: load_"), "24: routes.0.when.subject: give a text, or one of exact, prefix, suffix"),
    "empty condition": (re.sub(r"when:\n.*load_}", "when: {}", GOOD, flags=re.DOTALL), "22: routes.0.when: "),
    "attribute no event has": (changed("      type:", "      Type:"), "23: routes.0.when.Type: no event has"),
    "bad expression": (changed("path: /retrain", 'path: "${{ event. }}"'), "27: routes.0.with: 'event.' is not JMESPath"),
    "open expression": (changed("path: /retrain", 'path: "${{ event.id }"'), "27: routes.0.with: '${{ event.id }' opens ${{"),
    "no json": (changed("path: /retrain", "path: 2026-01-01"), "28: routes.0.with.path: "),
    "clashing routes": (GOOD + ROUTE, "30: routes.1.name: another route is named orders-to-models"),
    "clashing sources": (changed("targets:", "  other: {owner: x, uri: airflow://prod}\ntargets:"), "13: sources.other.uri: the source airflow-prod has it too"),
    "sources but for a slash": (changed("targets:", "  other: {owner: x, uri: airflow://prod/}\ntargets:"), "13: sources.other.uri: the source airflow-prod has"),
    "clashing issuers": (changed("sources:", "    - {name: okta, url: https://b.example}\nsources:"), "9: identity.issuers.1.name: another issuer is named okta"),
    "clashing keys": (GOOD + "site: other\n", "30: site: this key is here twice"),
    "bad port": (GOOD + "http: {port: 65536}\n", "30: http.port: "),
    "bad ledger": (changed("sqlite:///interlock.db", "mysql://u:s3cret@db"), "2: ledger: "),
    "bad publish": (GOOD + "issuer: {url: https://i.example, key: file://k, publish: s3://b}\n", "30: issuer.publish: "),
    "literal key": (GOOD + "issuer: {url: https://i.example, key: s3cret}\n", "30: issuer.key: a secret is a reference"),
    "not a mapping": ("- s3cret\n", "1: (document): "),
    "empty": ("", "1: site: Field required"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, mistake: str) -> None:
    """`file:line: path: what to do`; the value at fault is not repeated, for it may be a secret."""
    text, complaint = MISTAKES[mistake]

    with pytest.raises(ConfigInvalid) as caught:
        loaded(tmp_path, text)

    found = str(caught.value)
    assert complaint in found
    assert all(line.startswith(f"{tmp_path / 'interlock.yaml'}:") for line in found.splitlines())
    assert "s3cret" not in found


def test_every_complaint_is_told_at_once(tmp_path: Path) -> None:
    """Whoever mends the file need not run into the next mistake."""
    text = changed("to: retrain", "to: nosuch").replace("prefix: load_", "prefix: 7")
    text = text.replace("owner: ml", "owner: 7") + ROUTE.replace("do: post", "do: put")

    with pytest.raises(ConfigInvalid) as caught:
        loaded(tmp_path, text)

    paths = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert sorted(paths) == [
        "routes.0.to",
        "routes.0.when.subject",
        "routes.1.name",
        "targets.retrain.owner",
    ]


def test_a_secret_of_a_target_is_not_in_its_repr(tmp_path: Path) -> None:
    """A configuration that is printed shows where a secret is, not what it is."""
    shown = repr(loaded(tmp_path))

    assert "env://MODELS_TOKEN" in shown
    assert LocalSecrets({"MODELS_TOKEN": "s3cret"}).resolve("env://MODELS_TOKEN") not in shown


SEEN_BY_EYES_ONLY = {
    *("unknown target", "unknown action", "bad dialect", "attribute no event has"),
    *("bad expression", "open expression", "clashing routes", "clashing sources"),
    *("sources but for a slash", "clashing issuers", "clashing keys"),
    *("no duration", "long duration", "secret in a url", "no json"),
}
"""Mistakes that hold between parts, or that no JSON Schema can see."""


def valid(text: str) -> bool:
    """Whether an editor with the schema is content."""
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(text))


def test_the_schema_is_a_schema() -> None:
    """Editors and other validators can use it."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("example", sorted(examples().glob("*/interlock.yaml")), ids=str)
def test_the_schema_accepts_what_we_show(example: Path) -> None:
    """Every example is valid, for the schema as for us."""
    assert valid(example.read_text())


def test_the_schema_accepts_what_is_good() -> None:
    """The file of these tests is valid."""
    assert valid(GOOD)


@pytest.mark.parametrize("mistake", sorted(MISTAKES.keys() - SEEN_BY_EYES_ONLY))
def test_the_schema_refuses_the_same_mistakes(mistake: str) -> None:
    """What we refuse by shape, an editor with the schema underlines."""
    assert not valid(MISTAKES[mistake][0])


def shapes() -> list[type[BaseModel]]:
    """Every shape that the file can have: the settings, our connectors' and their parts."""
    found: list[type[BaseModel]] = [Settings, *(each.config for each in KNOWN.values())]
    for shape in found:  # grows as it goes
        for field in shape.model_fields.values():
            found += [each for each in _shapes_in(field.annotation) if each not in found]
    return found


def _shapes_in(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return set().union(*map(_shapes_in, get_args(annotation)))


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: shape.__name__)
def test_every_field_is_described(shape: type[BaseModel]) -> None:
    """Forms, help and the reference are made of descriptions: no field is without."""
    bare = [
        name
        for name, field in shape.model_fields.items()
        if not field.description and name != "connector"  # TargetConfig describes it
    ]

    assert not bare


def test_the_walk_over_the_shapes_finds_the_inner_ones() -> None:
    """The test above sees settings within settings and a connector's parts."""
    assert {IssuerSettings, HttpSettings, RouteSettings, Auth} <= set(shapes())


@pytest.mark.parametrize("text", ["90s", "10m", "2h", "1d", "30d", "00000001s"])
def test_durations_have_a_unit(tmp_path: Path, text: str) -> None:
    """Seconds, minutes, hours, days."""
    seconds = int(text[:-1]) * {"s": 1, "m": 60, "h": 3_600, "d": 86_400}[text[-1]]

    [route] = loaded(tmp_path, changed("10m", text)).site.routes

    assert route.within.total_seconds() == seconds


@pytest.mark.parametrize("text", ["10M", "-1m", "1.5h", " 1m", "1m ", "m", "1", "1ms", "\u0661m", "1m2s"])  # fmt: skip
def test_other_durations_are_not_guessed_at(tmp_path: Path, text: str) -> None:
    """One whole number and one unit; anything else is refused."""
    with pytest.raises(ConfigInvalid, match=re.escape("routes.0.within: give a whole number")):
        loaded(tmp_path, changed("10m", f'"{text}"'))


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    """The first mistake of all."""
    with pytest.raises(ConfigInvalid, match="No such file"):
        load(tmp_path / "nosuch.yaml", KNOWN)

    assert load(written(tmp_path, GOOD), KNOWN).folder == tmp_path
