"""The stage: an example's configuration with stand-ins for the systems around it, on this machine.

A throw-away identity provider and a sandbox Looker run in this process; the example is copied into
a folder of its own, with the addresses and secrets of the stand-ins in place of the written ones.
"""

import shutil
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlencode

import orjson
import yaml

from interlock.ports import Http
from interlock.sandbox import issuer, looker
from interlock.sandbox.server import serving

ISSUER_URL = "http://127.0.0.1:8471"  # as the example's interlock.yaml has them
LOOKER_URL = "http://127.0.0.1:8472"
CLIENTS: Mapping[str, tuple[str, ...]] = {
    "airflow-prod": ("data-platform",),
    "notebook": ("interns",),
}
"""Who is known to the stand-in provider, with their groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The stand-ins at work.

    Attributes:
        config: the configuration to run the gateway with.
        client_secrets: by client id.
    """

    folder: Path
    config: Path
    issuer_url: str
    looker_url: str
    client_secrets: Mapping[str, str]
    http: Http

    async def token(self, client: str) -> str:
        """A token of that client, by client credentials (RFC 6749 4.4)."""
        form = {
            "grant_type": "client_credentials",
            "client_id": client,
            "client_secret": self.client_secrets[client],
        }
        answer = await self.http.request(
            "POST",
            f"{self.issuer_url}/token",
            headers={"content-type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
            within=timedelta(seconds=10),
        )
        token: str = orjson.loads(answer.body)["access_token"]
        return token

    async def looker_effects(self) -> dict[str, int]:
        """What has happened in the sandbox Looker, and how often."""
        answer = await self.http.request("GET", f"{self.looker_url}/_sandbox/effects")
        effects: dict[str, int] = orjson.loads(answer.body)
        return effects

    async def looker_journal(self) -> list[dict[str, Any]]:
        """Every call that the sandbox Looker got."""
        answer = await self.http.request("GET", f"{self.looker_url}/_sandbox/journal")
        journal: list[dict[str, Any]] = orjson.loads(answer.body)
        return journal


def examples() -> Path:
    """The folder of examples: inside an installed package, or beside its source."""
    inside = Path(__file__).parents[1] / "examples"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "examples"


@asynccontextmanager
async def stage(example: str, folder: Path, http: Http) -> AsyncIterator[Stage]:
    """Set the example up in `folder`, which is empty, for the length of the block."""
    _copy(example, folder)
    client_secrets = {client: token_urlsafe(24) for client in CLIENTS}
    settings: dict[str, Any] = yaml.safe_load((folder / "interlock.yaml").read_text())
    directory = issuer.Directory(
        audience=settings["identity"]["audience"],
        clients={
            name: {"secret": client_secrets[name], "groups": list(groups)}
            for name, groups in CLIENTS.items()
        },
        people={},
    )
    content = looker.load(folder / "looker.yaml")
    key = content.api_clients[0]
    async with (
        serving(issuer.create_app(directory, time.time)) as issuer_url,  # noqa: TID251 - a sandbox's
        serving(looker.create_app(content, time.time)) as looker_url,  # noqa: TID251 - a sandbox's
    ):
        config = _adapted(
            folder,
            {
                ISSUER_URL: issuer_url,
                LOOKER_URL: looker_url,
                "env://LOOKER_CLIENT_ID": _secret(folder / "looker-client-id", key.client_id),
                "env://LOOKER_CLIENT_SECRET": _secret(
                    folder / "looker-client-secret", key.client_secret.get_secret_value()
                ),
            },
        )
        yield Stage(
            folder=folder,
            config=config,
            issuer_url=issuer_url,
            looker_url=looker_url,
            client_secrets=client_secrets,
            http=http,
        )


def _copy(example: str, folder: Path) -> None:
    shutil.copytree(examples() / example, folder, dirs_exist_ok=True)
    folder.chmod(0o700)  # it now has the mode of the example, and secrets are coming


def _secret(path: Path, value: str) -> str:
    """Put the value where only this user can read it; the reference to it."""
    path.touch(mode=0o600)
    path.write_text(value)
    return f"file://{path.absolute()}"


def _adapted(folder: Path, changes: Mapping[str, str]) -> Path:
    """The example's configuration with the stand-ins' addresses and secrets."""
    config = folder / "interlock.yaml"
    text = config.read_text()
    for written, real in changes.items():
        assert written in text, f"the example no longer says {written}"
        text = text.replace(written, real)
    config.write_text(text)
    return config
