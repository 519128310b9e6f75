"""Where the caller's token comes from."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from interlock.surfaces.cli.identity import (
    TOKEN_BYTES_MAX,
    TOKEN_FILE,
    Login,
    NotLoggedIn,
    keep,
    login_file,
    token,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of someone whose state is kept in a folder of the test."""
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def kept(home: dict[str, str], expires_at: datetime | None = NOON + HOUR) -> Path:
    """Log in as `kept.token`; where that is kept."""
    path = login_file(home)
    until = expires_at.isoformat() if expires_at else None
    keep(Login(issuer="https://idp.example", token="kept.token", expires_at=until), path)
    return path


def test_a_token_file_is_read_at_each_use(tmp_path: Path) -> None:
    """Whoever renews the token in the file need tell nobody."""
    file = tmp_path / "token"
    file.write_text("first.token\n")
    first = token({TOKEN_FILE: str(file)}, NOON)
    file.write_text("second.token\n")

    assert (first, token({TOKEN_FILE: str(file)}, NOON)) == ("first.token", "second.token")


def test_a_token_file_goes_before_a_login(home: dict[str, str], tmp_path: Path) -> None:
    """What the environment names is meant; a login may be from last week."""
    kept(home)
    (tmp_path / "token").write_text("from.file")

    assert token({**home, TOKEN_FILE: str(tmp_path / "token")}, NOON) == "from.file"


@pytest.mark.parametrize(
    "content", [b"", b"two words", b"a\nb", b"\xff\xfe", b"x" * (TOKEN_BYTES_MAX + 1)]
)
def test_what_is_no_token_is_not_sent(tmp_path: Path, content: bytes) -> None:
    """Nothing but a bearer token can get into a header; the message does not repeat it."""
    (tmp_path / "token").write_bytes(content)

    with pytest.raises(NotLoggedIn, match="does not hold a token"):
        token({TOKEN_FILE: str(tmp_path / "token")}, NOON)


def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    """The file that is not there is named, and no login steps in unasked."""
    with pytest.raises(NotLoggedIn, match="nowhere: No such file"):
        token({TOKEN_FILE: str(tmp_path / "nowhere")}, NOON)


def test_a_login_is_used_until_it_expires(home: dict[str, str]) -> None:
    """The token that a login kept is used, and from its last moment on it is not."""
    kept(home)

    assert token(home, NOON) == "kept.token"
    with pytest.raises(NotLoggedIn, match="has expired") as refused:
        token(home, NOON + HOUR)
    assert refused.value.advice == "interlock login"


def test_a_login_without_an_end_is_tried(home: dict[str, str]) -> None:
    """Where the provider does not say how long, the gateway will."""
    kept(home, expires_at=None)

    assert token(home, NOON + 1_000 * HOUR) == "kept.token"


def test_a_login_is_for_its_owner_only(home: dict[str, str]) -> None:
    """File 0600, folder 0700; also where a login was kept there before, more openly."""
    kept(home).chmod(0o644)

    path = kept(home)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["login.json"]


def test_a_login_never_shows_its_token() -> None:
    """Neither as text nor in a traceback."""
    assert "hidden" not in repr(Login(issuer="i", token="hidden", expires_at=None))


@pytest.mark.parametrize("content", ["", "[]", "{}", "not json", '{"issuer": 1}'])
def test_a_broken_login_says_to_log_in_again(home: dict[str, str], content: str) -> None:
    """Whatever stands in the file, the answer is a sentence with a way out."""
    kept(home).write_text(content)

    with pytest.raises(NotLoggedIn) as refused:
        token(home, NOON)
    assert "interlock login" in refused.value.advice


def test_nobody_is_told_to_log_in(home: dict[str, str]) -> None:
    """Without token and login the caller hears of both."""
    with pytest.raises(NotLoggedIn, match="not logged in") as refused:
        token(home, NOON)
    assert TOKEN_FILE in refused.value.advice


@pytest.mark.parametrize("given", [{}, {"XDG_STATE_HOME": ""}, {"XDG_STATE_HOME": "relative"}])
def test_state_is_under_home_unless_said_otherwise(given: dict[str, str]) -> None:
    """XDG Base Directory 0.8: a relative path is as none."""
    assert login_file(given) == Path.home() / ".local/state/interlock/login.json"
