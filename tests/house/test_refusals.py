"""Every way of saying no has a code of its own that never changes, and a place where it is explained."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import interlock
from interlock.core.errors import Refusal

DOCS = Path(__file__).parents[2] / "docs" / "refusals.md"
CODE = re.compile(r"[a-z]+\.[a-z]+(_[a-z]+)*\Z")
HEADING = re.compile(r"^## `(.+)`$", re.MULTILINE)
NO_IMPORT = ("__main__", "migrations")
"""Modules that do something when they are imported."""


def refusals() -> Iterator[type[Refusal]]:
    """Every refusal of the product, wherever it is defined."""
    for module in walk_packages(interlock.__path__, "interlock."):
        if not any(word in module.name for word in NO_IMPORT):
            import_module(module.name)
    found = [Refusal]
    for each in found:
        found += each.__subclasses__()
    return (each for each in found[1:] if each.__module__.startswith("interlock."))


REFUSALS = sorted(refusals(), key=lambda refusal: refusal.__name__)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.__name__)
def test_a_refusal_says_what_it_is(refusal: type[Refusal]) -> None:
    """A dotted code, a status that is an error's, a title, and a docstring."""
    assert CODE.match(refusal.code)
    assert 400 <= refusal.status <= 599
    assert refusal.title
    assert refusal.__doc__


def test_no_two_share_a_code() -> None:
    """A program that branches on a code meets one refusal."""
    codes = [refusal.code for refusal in REFUSALS]

    assert len(codes) == len(set(codes))


def test_every_code_has_its_heading() -> None:
    """docs/refusals.md explains each code under a heading of its own, and none that is not there."""
    headings = HEADING.findall(DOCS.read_text(encoding="utf-8"))

    assert sorted(headings) == sorted(refusal.code for refusal in REFUSALS)


def test_the_walk_finds_those_of_the_surfaces() -> None:
    """The walk can fail: it finds a refusal that only a surface defines, and none of a test's."""

    class Made(Refusal):
        """A test's own."""

        code, status, title = "test.made", 418, "Made for a test"

    modules = {refusal.__module__.rpartition(".")[0] for refusal in refusals()}

    assert {"interlock.core", "interlock.surfaces.http"} <= modules
    assert Made not in set(refusals())
