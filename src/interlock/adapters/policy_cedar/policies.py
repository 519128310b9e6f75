"""The policies of a site: a folder of Cedar files, all valid or none used."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import cedarpy

from interlock.adapters.policy_cedar.scope import Scope, scope_of

# Cedar's parser recurses on the stack and a stack overrun kills the process: measured with
# 8 MiB, at 600 brackets and at 2,000 links of `else if`, which take at least 16 characters each.
NESTING_MAX = 100
POLICY_CHARS_MAX = 16_384

# Strings and comments as Cedar's own lexer has them. Each statement is then parsed by Cedar and
# must be exactly one policy: a disagreement could refuse a file, never lose a policy in it.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|//[^\n\r]*|[;(){}\[\]]', re.DOTALL)
_BLANK = re.compile(r"(?:\s|//[^\n\r]*)*+")
_STEPS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


class PolicyInvalid(Exception):  # noqa: N818 - says what the policy is, as a refusal does
    """The policies cannot be used.

    Attributes:
        file: the file at fault, or the folder.
        line: where the policy at fault begins, from 1; None if it is not one policy's fault.
        message: what is wrong.
        remedy: what to do about it.
    """

    def __init__(self, file: Path, line: int | None, message: str, remedy: str) -> None:
        where = f"{file}:{line}" if line else f"{file}"
        super().__init__(f"{where}: {message}; {remedy}")
        self.file, self.line, self.message, self.remedy = file, line, message, remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy, parsed and valid under the schema it was loaded with.

    Attributes:
        id: `<file stem>/<@id, or its place in the file from 1>`; unique in its folder.
        line: where it begins, from 1.
        text: as written, with the comments before it.
    """

    id: str
    file: Path
    line: int
    text: str
    scope: Scope


def load(folder: Path, schema: str) -> tuple[Policy, ...]:
    """Every policy in `folder/*.cedar`, at least one, each valid under `schema`.

    Raises PolicyInvalid at the first thing wrong, and ValueError if the schema itself is.
    """
    if not folder.is_dir():
        raise PolicyInvalid(folder, None, "there is no such folder", "create it: empty means no")
    parsed_schema = cedarpy.Schema.from_str(schema)
    known: dict[str, Policy] = {}
    for file in sorted(folder.glob("*.cedar")):
        for policy in _policies(file, parsed_schema):
            first = known.setdefault(policy.id, policy)
            if first is not policy:
                message = f"the id {policy.id} is taken by {first.file}:{first.line}"
                raise PolicyInvalid(file, policy.line, message, "give one of them another @id")
    if not known:
        remedy = "write at least one, in a file that ends in .cedar: empty means no"
        raise PolicyInvalid(folder, None, "the folder holds no policy", remedy)
    return tuple(known.values())


def _policies(file: Path, schema: cedarpy.Schema) -> Iterator[Policy]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise PolicyInvalid(file, None, str(err), "make it a readable file in UTF-8") from err
    for number, (line, statement) in enumerate(_statements(text), start=1):
        try:
            name, scope = _checked(statement, schema)
        except ValueError as err:
            remedy = "correct or remove it: no policy is used until all are valid"
            raise PolicyInvalid(file, line, str(err), remedy) from err
        own_id = f"{file.stem}/{name or number}"
        yield Policy(id=own_id, file=file, line=line, text=statement, scope=scope)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each statement up to its semicolon, and the line its first token is on."""
    line, seen, start = 1, 0, 0
    ends = [token.end() for token in _TOKEN.finditer(text) if token[0] == ";"]
    for end in (*ends, len(text)):
        blank = _BLANK.match(text, start, end)
        assert blank, "it can match nothing at all"
        line, seen = line + text.count("\n", seen, blank.end()), blank.end()
        if seen < end:
            yield line, text[start:end]
        start = end


def _checked(statement: str, schema: cedarpy.Schema) -> tuple[str, Scope]:
    """The `@id` (empty without one) and scope of a policy. Raises ValueError for anything else."""
    if len(statement) > POLICY_CHARS_MAX:
        raise ValueError(f"longer than {POLICY_CHARS_MAX} characters; split it, or use a Group")
    steps = (_STEPS.get(token[0], 0) for token in _TOKEN.finditer(statement))
    if max(accumulate(steps, lambda depth, step: max(0, depth + step), initial=0)) > NESTING_MAX:
        raise ValueError(f"nested over {NESTING_MAX} brackets deep; split it")
    parsed = cedarpy.PolicySet.from_str(statement)
    if len(parsed) != 1 or parsed.templates():
        raise ValueError("not exactly one policy (a template, with ?slots, is none)")
    for error in cedarpy.validate_policies(statement, schema).errors:
        raise ValueError(error.error.removeprefix("for policy `policy0`, "))
    head = cedarpy.PolicySet.from_str(_head(statement)).to_pst().static_policies["policy0"]
    return head.annotations.get("id", ""), scope_of(head)


def _head(statement: str) -> str:
    """The policy without its conditions, whose trees may be too deep for to_pst()."""
    end = 0
    for token in _TOKEN.finditer(statement):
        if token[0] == "{":
            break
        if token[0] == ")":
            end = token.end()
    return f"{statement[:end]};"
