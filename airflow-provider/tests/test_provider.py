"""Airflow finds the provider, its connection type, its options and its listener."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name

import airflow
import jsonschema  # type: ignore[import-untyped]
from airflow.configuration import conf
from airflow.plugins_manager import get_plugin_info
from airflow.providers_manager import ProvidersManager

from airflow_provider_interlock import __version__, listener
from airflow_provider_interlock._settings import SECTION, Settings
from airflow_provider_interlock.provider import PACKAGE, get_provider_info


def test_the_metadata_keeps_airflows_schema() -> None:
    """`provider_info.schema.json`, as installed."""
    schema = json.loads((Path(airflow.__path__[0]) / "provider_info.schema.json").read_text())

    jsonschema.validate(get_provider_info(), schema)


def test_airflow_discovers_the_connection_type() -> None:
    """The hook imports, and the form has our fields."""
    manager = ProvidersManager()  # type: ignore[no-untyped-call]
    (connection,) = get_provider_info()["connection-types"]

    assert resolve_name(connection["hook-class-name"]).conn_type == "interlock"
    assert manager.providers[PACKAGE].version == __version__
    assert "extra__interlock__token_file" in manager.connection_form_widgets
    assert manager.field_behaviours["interlock"]["relabeling"]["host"] == "Gateway URL"


def test_every_option_that_is_read_is_described() -> None:
    """`airflow config list` shows what the listener's settings are made of."""
    options = get_provider_info()["config"][SECTION]["options"]

    assert set(options) == set(Settings.__dataclass_fields__)
    assert conf.get(SECTION, "url") == ""


def test_the_listener_is_registered_as_a_module() -> None:
    """Single functions would never be called."""
    listeners = [
        plugin["listeners"] for plugin in get_plugin_info() if plugin["name"] == "interlock"
    ]

    assert listeners == [["airflow_provider_interlock.listener"]]


def test_the_listener_imports_next_to_nothing() -> None:
    """Every process of Airflow pays for it, the DAG parser's included: a few modules that all have."""
    tree = ast.parse(Path(listener.__file__).read_text())
    imported = {
        name
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (getattr(node, "module", None) or node.names[0].name,)
    }

    assert imported - {"airflow.listeners"} <= sys.stdlib_module_names | {"collections.abc"}
    assert not imported & {"ssl", "urllib", "sqlite3", "email", "http"}


def test_the_metadata_is_data_alone() -> None:
    """Reading it must not import Airflow."""
    program = "import sys, airflow_provider_interlock.provider; print('airflow' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert ran.stdout == "False\n"
