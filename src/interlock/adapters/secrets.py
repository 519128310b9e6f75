"""Secrets by reference: `env://NAME` and `file://PATH`, read at each use: rotation just works."""

from collections.abc import Mapping
from pathlib import Path

from interlock.ports import SecretError

SECRET_BYTES_MAX = 65_536  # a private key with its chain fits many times


class LocalSecrets:
    """See Secrets. `environment` is the process's, handed in by the settings."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def resolve(self, reference: str) -> str:
        """See Secrets."""
        scheme, _, place = reference.partition("://")
        match scheme:
            case "env":
                value = self._environment.get(place, "")
            case "file":
                value = _contents(reference, place)
            case _:
                raise SecretError(f"{scheme}:// is not a kind of secret reference Interlock reads")
        if not value:
            raise SecretError(f"the secret {reference} is not set or empty")
        return value


def _contents(reference: str, place: str) -> str:
    try:
        with Path(place).open("rb") as file:
            found = file.read(SECRET_BYTES_MAX + 1)
    except OSError as err:
        raise SecretError(f"the secret {reference} cannot be read: {err.strerror}") from err
    except ValueError as err:
        raise SecretError(f"the secret {reference} is no path") from err
    if len(found) > SECRET_BYTES_MAX:
        raise SecretError(f"the secret {reference} has over {SECRET_BYTES_MAX} bytes")
    try:
        return found.decode().strip()
    except UnicodeDecodeError as err:
        raise SecretError(f"the secret {reference} is not text") from err
