"""A small `interlock.yaml` that holds together, and ways to put something else in it."""

from pathlib import Path
from typing import Any

from interlock.app.bootstrap import connectors
from interlock.app.configuration import Configuration, load

GOOD = """\
site: acme
ledger: sqlite:///interlock.db
identity:
  audience: https://interlock.acme.example
  issuers:
    - name: okta
      url: https://acme.okta.example
      max_lifetime: 1h
sources:
  airflow-prod:
    owner: data-platform
    uri: airflow://prod
targets:
  retrain:
    connector: http
    owner: ml
    base_url: https://models.acme.example
    auth:
      bearer: env://MODELS_TOKEN
routes:
  - name: orders-to-models
    when:
      type: airflow.dag_run.succeeded
      subject: {prefix: load_}
    to: retrain
    do: post
    with:
      path: /retrain
    within: 10m
"""


def changed(old: str, new: str) -> str:
    """The good file with one thing in another's place."""
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


def written(folder: Path, text: str) -> Path:
    """The file, where a site has it."""
    path = folder / "interlock.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str = GOOD) -> Configuration:
    """What that file says. Raises ConfigInvalid."""
    known: Any = connectors()
    return load(written(folder, text), known)
