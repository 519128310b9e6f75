"""Secrets are read where the reference says, at each use; no message repeats a value."""

from pathlib import Path

import pytest

from interlock.adapters.secrets import SECRET_BYTES_MAX, LocalSecrets
from interlock.ports import SecretError

VALUE = "s3cret-väl"


def test_the_environment_is_read() -> None:
    """`env://NAME` is the variable's value."""
    assert LocalSecrets({"KEY": VALUE}).resolve("env://KEY") == VALUE


def test_a_file_is_read_without_its_last_line_end(tmp_path: Path) -> None:
    """Editors end a file with a line end; it is not part of the secret."""
    (tmp_path / "key").write_text(f"{VALUE}\n")

    assert LocalSecrets({}).resolve(f"file://{tmp_path / 'key'}") == VALUE


def test_rotation_just_works(tmp_path: Path) -> None:
    """The next use after a change has the new value."""
    file = tmp_path / "key"
    secrets = LocalSecrets({})
    file.write_text("old")
    old = secrets.resolve(f"file://{file}")
    file.write_text("new")

    assert (old, secrets.resolve(f"file://{file}")) == ("old", "new")


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("env://OTHER", "not set or empty"),
        ("env://EMPTY", "not set or empty"),
        ("env://", "not set or empty"),
        ("file:///no/such/file", "No such file"),
        ("file:///", "Is a directory"),
        ("file://\0", "is no path"),
        ("vault://a/b", "vault:// is not a kind"),
        ("KEY", "is not a kind"),
        ("", "is not a kind"),
    ],
)
def test_what_has_no_value_says_why(reference: str, why: str) -> None:
    """The message names the reference, or the kind that is not read, and no value."""
    with pytest.raises(SecretError) as caught:
        LocalSecrets({"KEY": VALUE, "EMPTY": ""}).resolve(reference)

    assert why in str(caught.value)
    assert VALUE not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not set or empty"),
        (b" \n", "not set or empty"),
        (b"s3cret\xff", "is not text"),
        (b"s3cret" * SECRET_BYTES_MAX, "over 65536 bytes"),
    ],
)
def test_a_bad_file_says_why(tmp_path: Path, content: bytes, why: str) -> None:
    """An empty file, one that is no text, one that is no secret but a disk image."""
    file = tmp_path / "key"
    file.write_bytes(content)

    with pytest.raises(SecretError) as caught:
        LocalSecrets({}).resolve(f"file://{file}")

    assert why in str(caught.value)
    assert str(file) in str(caught.value)
    assert "s3cret" not in f"{caught.value!r} {caught.value.__cause__}"


def test_a_file_of_the_limit_is_read(tmp_path: Path) -> None:
    """The limit itself is within."""
    (tmp_path / "key").write_bytes(b"x" * SECRET_BYTES_MAX)

    assert len(LocalSecrets({}).resolve(f"file://{tmp_path / 'key'}")) == SECRET_BYTES_MAX


def test_the_value_is_not_in_the_repr() -> None:
    """Printing the adapter prints no environment."""
    assert VALUE not in repr(LocalSecrets({"KEY": VALUE}))
