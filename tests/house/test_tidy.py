"""The house rules that no linter checks. A rule that is not checked is a wish."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "interlock"
PROVIDER = ROOT / "airflow-provider" / "src"
FILES = sorted([*SRC.rglob("*.py"), *PROVIDER.rglob("*.py")])
LINES_PER_FILE, LINES_PER_FUNCTION = 400, 50
CORE_MAY_IMPORT = {
    "collections", "dataclasses", "datetime", "enum", "hashlib", "interlock", "typing",
}  # fmt: skip
INNER_LINES_MAX = 2_000  # core, ports and engine: an afternoon's reading
SLEEPS = re.compile(r"\btime\.sleep\(|@pytest\.mark\.(?:skip|xfail)\b|\bassert True\b")


def name(path: Path) -> str:
    """The path as people say it."""
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", FILES, ids=name)
def test_it_fits_in_the_head(path: Path) -> None:
    """A function fits a screen; a file fits a sitting."""
    long = [
        f"{each.name}: {length} lines"
        for each in functions(path)
        if (length := (each.end_lineno or each.lineno) - each.lineno + 1) > LINES_PER_FUNCTION
    ]

    assert path.read_text().count("\n") <= LINES_PER_FILE
    assert not long


@pytest.mark.parametrize("path", sorted((SRC / "core").rglob("*.py")), ids=name)
def test_the_core_is_plain_values(path: Path) -> None:
    """The core imports a short, named list of the standard library, and itself."""
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])

    assert imported <= CORE_MAY_IMPORT


def test_the_inner_rooms_can_be_read_in_an_afternoon() -> None:
    """Core, ports and engine together stay under two thousand lines that are not blank."""
    inner = [*(SRC / "core").rglob("*.py"), *(SRC / "engine").rglob("*.py"), SRC / "ports.py"]
    lines = sum(1 for path in inner for line in path.read_text().splitlines() if line.strip())

    assert lines <= INNER_LINES_MAX


def test_tests_do_not_wait_or_skip() -> None:
    """No test sleeps, is skipped by hand, or asserts nothing."""
    tests = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "airflow-provider" / "tests").rglob("*.py")]
    offending = [
        name(path) for path in tests if path != Path(__file__) and SLEEPS.search(path.read_text())
    ]

    assert not offending


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("test_*.py")), ids=name)
def test_every_test_is_a_sentence(path: Path) -> None:
    """A test's docstring says the promise it checks."""
    silent = [
        each.name
        for each in functions(path)
        if each.name.startswith("test_") and not ast.get_docstring(each)
    ]

    assert not silent


def committed() -> list[Path]:
    """Every file of the repository, new ones too, but for what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]


def test_no_file_names_an_index_or_a_machine() -> None:
    """Locks and docs hold no address of a package index and no path of somebody's machine."""
    index = re.compile(
        rb"""https?://[^\s"']*/(?:simple|packages)/|"resolved": ?"http|--index-url"""
    )
    offending = [
        name(path)
        for path in committed()
        if path != Path(__file__) and index.search(path.read_bytes())
    ]

    assert not offending


def test_the_rules_can_fail(tmp_path: Path) -> None:
    """A long function is seen as one."""
    path = tmp_path / "long.py"
    path.write_text("def long():\n" + "    x = 1\n" * LINES_PER_FUNCTION)

    [found] = functions(path)

    assert (found.end_lineno or 0) - found.lineno + 1 > LINES_PER_FUNCTION
