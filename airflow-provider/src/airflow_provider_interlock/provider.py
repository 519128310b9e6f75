"""What the package offers, as Airflow's provider manager reads it: data alone."""

from typing import Any

from airflow_provider_interlock import __version__

PACKAGE = "airflow-provider-interlock"
INTEGRATION = "Interlock"

CONNECTION_FIELDS = {
    "token_file": ("Token file", "Path of a workload identity token, read at every use."),
    "token_url": ("Token URL", "The issuer's token endpoint, where there is no token file."),
    "key_file": ("Key file", "PEM private key that signs client assertions (private_key_jwt)."),
    "key_id": ("Key id", "The key's `kid`, if the issuer knows several."),
    "scope": ("Scope", "Scopes to ask for, separated by spaces."),
    "resource": ("Resource", "The gateway's audience, for issuers that want it named (RFC 8707)."),
}

OPTIONS = {
    "instance": ("This Airflow's name; events carry the source airflow://<instance>.", "prod"),
    "conn_id": ("Connection of type interlock that the listener uses.", "interlock_default"),
    "url": (
        "The gateway's URL, instead of conn_id; needs token_file.",
        "https://interlock.acme.example",
    ),
    "token_file": (
        "Path of a workload identity token, read at every use.",
        "/var/run/secrets/token",
    ),
    "spool_dir": (
        "Folder of unsent events, on a local disk; default AIRFLOW_HOME/interlock-spool.",
        None,
    ),
    "types": ("Event types to send; all four by default.", "airflow.dag_run.succeeded"),
}


def get_provider_info() -> dict[str, Any]:
    """Return the package's metadata, by Airflow's `provider_info.schema.json`."""
    return {
        "package-name": PACKAGE,
        "name": INTEGRATION,
        "description": "Tells Interlock what finished, and publishes events of your own.",
        "versions": [__version__],
        "integrations": [
            {
                "integration-name": INTEGRATION,
                "external-doc-url": "https://cloudevents.io/",
                "tags": ["service"],
            }
        ],
        "hooks": [_modules("airflow_provider_interlock.hooks.interlock")],
        "operators": [_modules("airflow_provider_interlock.operators.publish_event")],
        "connection-types": [
            {
                "connection-type": "interlock",
                "hook-class-name": "airflow_provider_interlock.hooks.interlock.InterlockHook",
                "hook-name": INTEGRATION,
                "conn-fields": {name: _field(*text) for name, text in CONNECTION_FIELDS.items()},
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "port", "extra"],
                    "relabeling": {
                        "host": "Gateway URL",
                        "login": "Client id",
                        "password": "Client secret",
                    },
                    "placeholders": {
                        "host": "https://interlock.acme.example",
                        "password": "only where the issuer takes neither token file nor key",
                    },
                },
            }
        ],
        "plugins": [
            {
                "name": "interlock",
                "plugin-class": "airflow_provider_interlock.plugin.InterlockPlugin",
            }
        ],
        "config": {
            "interlock": {
                "description": "The listener. Without instance, and conn_id or url, it is off.",
                "options": {name: _option(*text) for name, text in OPTIONS.items()},
            }
        },
    }


def _modules(*names: str) -> dict[str, Any]:
    return {"integration-name": INTEGRATION, "python-modules": list(names)}


def _field(label: str, description: str) -> dict[str, Any]:
    return {"label": label, "description": description, "schema": {"type": ["string", "null"]}}


def _option(description: str, example: str | None) -> dict[str, Any]:
    return {
        "description": description,
        "version_added": "0.1.0",
        "type": "string",
        "example": example,
        "default": "",
    }
