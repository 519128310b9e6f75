"""One LookML file, read into nodes that know where they stand."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lkml.lexer import Lexer
from lkml.parser import Parser
from lkml.tokens import ExpressionBlockToken, StreamEndToken
from lkml.tree import BlockNode, ListNode, PairNode

FILE_BYTES_MAX = 16 * 2**20
"""Bytes of one file. The largest of 4,115 public files has 3.2 MB."""


@dataclass(frozen=True, slots=True)
class Node:
    """One parameter of LookML: `key: name { children }`, `key: value` or `key: [children]`.

    `file` and `line` (from 1) are where its key stands. Merging keeps them, so that a parameter
    set by a refinement points at the refinement.
    """

    key: str
    file: str
    line: int
    name: str = ""
    value: str = ""
    children: tuple["Node", ...] = ()

    def all(self, key: str) -> Iterator["Node"]:
        """The children of that key, in their order."""
        return (child for child in self.children if child.key == key)

    def last(self, key: str) -> "Node | None":
        """The last child of that key: where LookML repeats a single parameter, the last counts."""
        found = list(self.all(key))
        return found[-1] if found else None

    def text(self, key: str) -> str:
        """The value of the last child of that key, or an empty string."""
        found = self.last(key)
        return found.value if found else ""

    def listed(self, key: str) -> Iterator[str]:
        """The items of every list of that key; `key: item` counts as a list of one."""
        for child in self.all(key):
            yield from (item.value for item in child.children)
            if child.value:
                yield child.value

    def walk(self) -> Iterator["Node"]:
        """This node and everything under it, in the order of the file."""
        pending = [self]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(reversed(node.children))


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Something the graph could not read; while there is one, "not affected" is never certain."""

    file: str
    line: int
    sentence: str


class LookmlError(Exception):
    """A file is not LookML. The message says where and what was expected."""


def parse(data: bytes, file: str) -> tuple[Node, ...]:
    """The top level of a LookML file. `file` is the name that its nodes carry.

    Bytes that are not UTF-8 become U+FFFD: an accent in a label must not lose a view.

    Raises:
        LookmlError: the file does not parse or is larger than `FILE_BYTES_MAX`.
    """
    text = decode(data)
    try:
        parser = Parser(_Lexer(text).scan())
        nodes = tuple(_nodes(parser.parse().container.items, file))
    except Exception as error:  # lkml raises eight kinds, RecursionError and IndexError included
        reason = str(error) or "a quote or a block is not closed"
        raise LookmlError(f"does not parse as LookML: {reason}") from error

    if not parser.check(StreamEndToken):  # lkml drops what follows a stray brace
        raise LookmlError(f"has a stray }} on line {parser.peek().line_number}")
    return nodes


def decode(data: bytes) -> str:
    """The text of a file, with one kind of line end.

    Raises:
        LookmlError: the file is larger than `FILE_BYTES_MAX` or holds a NUL.
    """
    if len(data) > FILE_BYTES_MAX:
        raise LookmlError(f"is {len(data)} bytes; the limit is {FILE_BYTES_MAX}: split it")
    if b"\0" in data:  # lkml would take it for the end of the file
        raise LookmlError("holds a NUL byte, so it is not text")
    text = data.decode("utf-8-sig", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _nodes(items: Iterable[Any], file: str) -> Iterator[Node]:
    for item in items:
        key, line = item.type.value, item.line_number
        match item:
            case BlockNode(name=name, container=container):
                children = tuple(_nodes(container.items, file))
                yield Node(key, file, line, name.value if name else "", "", children)
            case ListNode(items=listed):
                yield Node(key, file, line, "", "", tuple(_items(listed, file)))
            case _:
                yield Node(key, file, line, "", item.value.value)


def _items(items: Iterable[Any], file: str) -> Iterator[Node]:
    for item in items:
        if isinstance(item, PairNode):  # as in `filters: [orders.status: "open"]`
            yield from _nodes([item], file)
        else:
            yield Node("", file, item.line_number, "", item.value)


class _Lexer(Lexer):
    """lkml's lexer; without this one, 1.3.7 spins for ever on a lone semicolon."""

    def peek_multiple(self, length: int) -> str:
        text: str = self.text[self.index : self.index + length]
        if length == len(";;") and text != ";;":
            raise SyntaxError(f"a lone semicolon on line {self.line_number}")
        return text

    def scan_expression_block(self) -> ExpressionBlockToken:
        end = self.text.find(";;", self.index)
        if end < 0:
            raise SyntaxError(f"no ;; after line {self.line_number}")
        value = self.text[self.index : end]
        self.index = end
        self.line_number += value.count("\n")
        return ExpressionBlockToken(value, self.line_number)
