"""The name of a physical table, and how sure we are that it is read."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from interlock.lookml.liquid import HOLE


class Confidence(StrEnum):
    """How a table's name was found, the surest first.

    EXACT: written in the LookML. ENUMERATED: one of a finite list written there (branches of an
    `if`, allowed values of a parameter). REGEX: found by pattern in SQL that did not parse.
    PATTERN: a part of the name is not known. DEFAULT: no table is written; Looker then reads one
    named like the view.
    """

    EXACT = "exact"
    ENUMERATED = "enumerated"
    REGEX = "regex"
    PATTERN = "pattern"
    DEFAULT = "default"

    @property
    def sure(self) -> bool:
        """Whether what depends on it is affected, rather than possibly affected."""
        return self in (Confidence.EXACT, Confidence.ENUMERATED, Confidence.REGEX)


def weakest(*confidences: Confidence) -> Confidence:
    """A chain is as sure as its least sure edge; an empty chain is exact."""
    order = list(Confidence)
    return max(confidences, key=order.index, default=Confidence.EXACT)


_QUOTES = str.maketrans("", "", '`"[]')
_PARTITION = re.compile(r"\$(\d{4,10}|__\w+__)$")
_SHARD = re.compile(r"_\d{8}$")
_STARS = re.compile(rf"(?:\*|{HOLE})+")


@dataclass(frozen=True, slots=True)
class TableName:
    """A table's name in lower case, the table last: ("project", "dataset", "table").

    A `*` in a part stands for any characters: date shards, or what is not known.
    """

    parts: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "TableName | None":
        """The name, whatever its case and quotes; None if there is none in the text.

        A partition (`orders$20240131`) is part of its table; `project:dataset.table` is BigQuery's
        legacy spelling; in `database..table` (Snowflake) the schema is not known.
        """
        bare = _PARTITION.sub("", text.strip().translate(_QUOTES).lower())
        parts = [part.strip() for part in re.split("[.:]", bare)]
        if not parts[0] or not parts[-1]:
            return None
        return cls(tuple(_STARS.sub("*", part) or "*" for part in parts))

    @property
    def is_pattern(self) -> bool:
        """Whether the last part stands for several tables."""
        return "*" in self.parts[-1]

    @property
    def family(self) -> str:
        """The last part, where all date shards (`events_20240131`, `events_*`) are one table."""
        return _SHARD.sub("_*", self.parts[-1])

    def match(self, other: "TableName") -> Confidence | None:
        """Whether both can be the same table: EXACT, PATTERN (perhaps), or None.

        A side that lacks the project, or the project and the dataset, is compared from the right.
        Two sides that share a bare table name only are perhaps the same.
        """
        if self.family != other.family and not _alike(self.parts[-1], other.parts[-1]):
            return None
        pairs = zip(reversed(self.parts[:-1]), reversed(other.parts[:-1]), strict=False)
        if not all(_alike(mine, theirs) for mine, theirs in pairs):
            return None
        bare = min(len(self.parts), len(other.parts)) == 1
        return Confidence.PATTERN if bare and self.parts != other.parts else Confidence.EXACT

    def __str__(self) -> str:
        return ".".join(self.parts)


ANYTHING = TableName(("*",))
"""The table that we could not read the name of."""


def _alike(left: str, right: str) -> bool:
    return left == right or bool(_glob(left).fullmatch(right) or _glob(right).fullmatch(left))


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(piece) for piece in pattern.split("*")), re.DOTALL)
