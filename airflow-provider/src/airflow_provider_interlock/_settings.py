"""The `[interlock]` section of Airflow's configuration: the only reader of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_interlock._events import TYPES

if TYPE_CHECKING:
    from airflow_provider_interlock._client import Client

SECTION = "interlock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the listener needs to know; it exists only where it is complete."""

    instance: str
    spool_dir: Path
    types: frozenset[str]
    conn_id: str
    url: str
    token_file: str

    def connect(self) -> "Client":
        """Return a client of the gateway.

        Raises:
            ValueError: the connection, or `url`, cannot be used as it is.
        """
        if self.conn_id:
            from airflow_provider_interlock.hooks.interlock import InterlockHook

            return InterlockHook(self.conn_id).client
        from airflow_provider_interlock._client import Client
        from airflow_provider_interlock._credentials import TokenFile
        from airflow_provider_interlock._http import checked_url

        return Client(checked_url(self.url, "[interlock] url"), TokenFile(Path(self.token_file)))


def instance() -> str:
    """Return the name of this Airflow, the authority of its source `airflow://<instance>`.

    Raises:
        ValueError: it is not set, or cannot stand in a URI.
    """
    name = _option("instance")
    if not name or not all(c.isascii() and (c.isalnum() or c in "-._~") for c in name):
        raise ValueError(f"[interlock] instance: {name!r}; set a name of letters, digits and -._~")
    return name


def settings() -> Settings | None:
    """Return the listener's settings; None, which is off, without `instance` or a gateway.

    Raises:
        ValueError: the section contradicts itself. The text names the option.
    """
    conn_id, url, token_file = _option("conn_id"), _option("url"), _option("token_file")
    if not _option("instance") or not (conn_id or url):
        return None
    if conn_id and (url or token_file):
        raise ValueError("[interlock] conn_id: set either it, or url and token_file")
    if url and not token_file:
        raise ValueError("[interlock] token_file: url needs it; for other credentials use conn_id")
    types = frozenset(_option("types").replace(",", " ").split()) or TYPES
    if unknown := types - TYPES:
        raise ValueError(f"[interlock] types: {sorted(unknown)}; known are {sorted(TYPES)}")
    return Settings(
        instance=instance(),
        spool_dir=Path(_option("spool_dir") or _airflow_home() / "interlock-spool"),
        types=types,
        conn_id=conn_id,
        url=url,
        token_file=token_file,
    )


def _option(name: str) -> str:
    from airflow.configuration import conf

    return (conf.get(SECTION, name, fallback="") or "").strip()


def _airflow_home() -> Path:
    from airflow.configuration import AIRFLOW_HOME

    return Path(AIRFLOW_HOME)
