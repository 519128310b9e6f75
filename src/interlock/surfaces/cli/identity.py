"""Who is asking: a token from a file that others renew, or the one that `interlock login` keeps."""

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

TOKEN_FILE = "INTERLOCK_TOKEN_FILE"  # noqa: S105 - the name of a variable
TOKEN_BYTES_MAX = 16_384  # what a gateway reads
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*\Z")  # RFC 6750 section 2.1


class NotLoggedIn(Exception):  # noqa: N818 - it says what the caller is
    """There is no token to show; `advice` says how to get one."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What `interlock login` keeps. The token is never printed."""

    issuer: str
    token: str = field(repr=False)
    expires_at: str | None


def token(environment: Mapping[str, str], now: datetime) -> str:
    """The caller's token, read anew. Raises NotLoggedIn."""
    if written := environment.get(TOKEN_FILE):
        return _from_file(Path(written))
    login = _kept(login_file(environment))
    if login.expires_at and datetime.fromisoformat(login.expires_at) <= now:
        raise NotLoggedIn(f"your login at {login.issuer} has expired", "interlock login")
    return _checked(login.token, "what interlock login kept", "interlock login")


def keep(login: Login, path: Path) -> None:
    """Keep the login at `path`, whole or not at all, for this user's eyes only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Such a file is made with mode 0600.
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        json.dump(asdict(login), file)
    Path(file.name).replace(path)


def login_file(environment: Mapping[str, str]) -> Path:
    """Where a login is kept: XDG Base Directory 0.8, where a relative path counts as none."""
    given = Path(environment.get("XDG_STATE_HOME", ""))
    state = given if given.is_absolute() else Path.home() / ".local" / "state"
    return state / "interlock" / "login.json"


def _kept(path: Path) -> Login:
    how = f"interlock login, or name a file that holds a token in {TOKEN_FILE}"
    try:
        return Login(**json.loads(path.read_bytes()))
    except FileNotFoundError as err:
        raise NotLoggedIn("you are not logged in", how) from err
    except (OSError, ValueError, TypeError) as err:
        raise NotLoggedIn(f"{path} cannot be read ({type(err).__name__})", how) from err


def _from_file(path: Path) -> str:
    advice = "have whatever renews the token write it there"
    try:
        with path.open("rb") as file:
            found = file.read(TOKEN_BYTES_MAX + 1)
    except OSError as err:
        raise NotLoggedIn(f"{TOKEN_FILE}: {path}: {err.strerror}", advice) from err
    text = found.decode("ascii", "replace").strip()
    return _checked(text, f"{TOKEN_FILE}: {path}", advice)


def _checked(text: str, where: str, advice: str) -> str:
    if len(text) > TOKEN_BYTES_MAX or not _TOKEN.match(text):
        raise NotLoggedIn(f"{where} does not hold a token of at most {TOKEN_BYTES_MAX} B", advice)
    return text
