"""A Liquid template, and the finite list of texts that it can become.

Nobody runs the template: what it prints depends on the user, and the question is which tables any
user could read. So each `if` becomes every one of its branches, each parameter every one of its
allowed values, and whatever else is printed becomes a `HOLE`.
Rule 1: every branch stands in at least one text.
Rule 2: the number of texts is limited; `complete` says whether a name glued together from several
choices could have been missed.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TypeAlias

HOLE = "lookml_hole"
"""What stands where Liquid prints something unknown: an identifier, so that SQL still parses."""

TEXTS_MAX = 64
"""Texts of one template while choices are combined freely; beyond, choices vary side by side."""
BRANCHES_MAX = 512
"""Texts of one template in all; the largest `case` of the public projects has 60 branches."""
DEPTH_MAX = 40
"""Blocks inside one another. People stop at four; the limit is for hostile files."""

Values: TypeAlias = Callable[[str], Sequence[str]]
"""From a parameter's name to its allowed values; none when any value is allowed."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Everything a template can become. `complete` is False where names may be missing."""

    each: tuple[str, ...]
    complete: bool


@dataclass(slots=True)
class _Choice:
    branches: list[list["str | _Choice"]] = field(default_factory=lambda: [[]])


_Part: TypeAlias = str | _Choice
_OPENING = re.compile(r"\{[%{]")
_CHOOSING = {"if", "unless", "case", "for"}
_NEXT_BRANCH = {"elsif", "else", "when"}
_PRINTING = {"parameter", "date_start", "date_end"}
_PARAMETER_VALUE = re.compile(
    r"(?:parameter\s+)?([\w.]+?)(?:\._parameter_value)?\s*(?:\|.*)?", re.DOTALL
)
_NAME_CHARACTER = re.compile(r"[\w.`\"*$-]")


def texts(template: str, values: Values = lambda _: ()) -> Texts:
    """Every text that the template can become, without repeats, the first branches first."""
    if "{%" not in template and "{{" not in template:
        return Texts((template,), complete=True)
    parser = _Parser(values)
    for kind, text in _tokens(template):
        parser.take(kind, text)
    writer = _Writer(complete=parser.complete)
    return Texts(tuple(dict.fromkeys(writer.write(parser.parts))), writer.complete)


def _tokens(template: str) -> Iterator[tuple[str, str]]:
    """Pairs of kind ("text", "%" or "{") and content; an opening never closed is text."""
    position, trim = 0, False
    while opening := _OPENING.search(template, position):
        kind = opening.group()[1]
        end = template.find("%}" if kind == "%" else "}}", opening.end())
        if end < 0:
            yield "unclosed", template[position:]
            return
        text, inside = template[position : opening.start()], template[opening.end() : end]
        text = text.lstrip() if trim else text
        yield "text", text.rstrip() if inside.startswith("-") else text
        yield kind, inside.strip("-").strip()
        position, trim = end + 2, inside.endswith("-")
    yield "text", template[position:].lstrip() if trim else template[position:]


class _Parser:
    """Builds the tree of choices. Tags that choose nothing vanish; their content stays."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.parts: list[_Part] = []
        self.complete = True
        self._open: list[tuple[list[_Part], _Choice]] = []
        self._has_else: list[bool] = []
        self._here = self.parts
        self._commented = False

    def take(self, kind: str, text: str) -> None:
        """One token."""
        word = text.partition(" ")[0] if kind == "%" else ""
        if self._commented or word == "comment":
            self._commented = word != "endcomment"
        elif kind in ("text", "unclosed"):
            self.complete &= kind == "text"
            if text:  # an empty one would hide that two choices touch
                self._here.append(text)
        elif kind == "{" or word in _PRINTING:
            self._here.append(self._printed(text))
        else:
            self._tag(word)

    def _tag(self, word: str) -> None:
        if word in _CHOOSING:
            self._begin()
        elif word in _NEXT_BRANCH and self._open:
            self._branch(is_else=word == "else")
        elif word.removeprefix("end") in _CHOOSING and self._open:
            self._end()

    def _begin(self) -> None:
        if len(self._open) >= DEPTH_MAX:
            self.complete = False
            return
        choice = _Choice()
        self._here.append(choice)
        self._open.append((self._here, choice))
        self._has_else.append(False)
        self._here = choice.branches[0]

    def _branch(self, *, is_else: bool) -> None:
        choice = self._open[-1][1]
        choice.branches.append([])
        self._has_else[-1] |= is_else
        self._here = choice.branches[-1]

    def _end(self) -> None:
        self._here, choice = self._open.pop()
        if not self._has_else.pop():
            choice.branches.append([])

    def _printed(self, text: str) -> _Part:
        name = _PARAMETER_VALUE.fullmatch(text)
        values = self.values(name.group(1)) if name else ()
        return _Choice([[value] for value in values]) if values else HOLE


class _Writer:
    """Writes the tree of choices out as texts."""

    def __init__(self, *, complete: bool) -> None:
        self.complete = complete

    def write(self, parts: list[_Part]) -> list[str]:
        """The texts of a sequence of parts."""
        written = [""]
        for index, part in enumerate(parts):
            if isinstance(part, str):
                written = [text + part for text in written]
                continue
            options = list(dict.fromkeys(t for branch in part.branches for t in self.write(branch)))
            if len(options) > BRANCHES_MAX:
                self.complete, options = False, options[:BRANCHES_MAX]
            if len(written) * len(options) <= TEXTS_MAX:
                written = ["".join(pair) for pair in product(written, options)]
            else:
                self.complete &= not _glued(parts, index)
                written = _side_by_side(written, options)
        return written


def _side_by_side(left: list[str], right: list[str]) -> list[str]:
    """As many texts as the longer list; each item of either list is in at least one."""
    count = max(len(left), len(right))
    return [left[i % len(left)] + right[i % len(right)] for i in range(count)]


def _glued(parts: list[_Part], index: int) -> bool:
    """Does that choice touch a name, so that a table's name may be made of several choices?"""
    before = parts[index - 1] if index else " "
    after = parts[index + 1] if index + 1 < len(parts) else " "
    if isinstance(before, _Choice) or isinstance(after, _Choice):
        return True
    return bool(_NAME_CHARACTER.match(before[-1:]) or _NAME_CHARACTER.match(after[:1]))
