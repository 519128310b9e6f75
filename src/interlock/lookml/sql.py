"""The tables that a piece of LookML's SQL reads: the warehouse's, and the model's own."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import sqlglot
from sqlglot import exp

from interlock.lookml.liquid import HOLE, Values, texts
from interlock.lookml.tables import ANYTHING, Confidence, TableName, weakest

SQL_CHARS_MAX = 400_000
"""Characters of one text that are parsed; a longer one is searched by pattern."""


REASON_CHARS_MAX = 200
"""Characters of a parser's complaint that we repeat; some quote the whole statement."""


class Clause(StrEnum):
    """Where Looker puts a piece of SQL; the value is what it writes before."""

    TABLE = "SELECT * FROM "
    QUERY = ""
    JOIN = "SELECT * FROM lookml_self "
    EXPRESSION = "SELECT "


@dataclass(slots=True)
class Reading:
    """What a piece of SQL reads. `views` are those written `${view.SQL_TABLE_NAME}`.

    `problem` says what was not understood; `ANYTHING` is then among the tables, as a pattern.
    """

    tables: dict[TableName, Confidence] = field(default_factory=dict)
    views: set[str] = field(default_factory=set)
    problem: str = ""


@dataclass(slots=True)
class _Names:
    """What one text without Liquid reads."""

    tables: dict[TableName, Confidence] = field(default_factory=dict)
    problem: str = ""


_OWN = "lookml_self"
_FIELD = "lookml_field"
_REFERENCE = re.compile(r"\$\{\s*([^}]*?)\s*\}")
_VIEW = re.compile(r"lookml_view_(\w+?)_end")
_NAME = r"(?:`[^`]+`|\"[^\"]+\"|\[[^\]]+\]|[\w$*-]+)"
_PLAIN = re.compile(rf"{_NAME}(?:\.{_NAME})*")
_WRITING = (exp.Create, exp.Insert, exp.Delete, exp.Drop, exp.Alter, exp.TruncateTable)
_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.)*'", re.DOTALL)
_AFTER_FROM = re.compile(
    rf"\b(?:from|join)\s+((?>{_NAME}(?:\s*[.]\s*{_NAME})*))(?!\s*\()", re.IGNORECASE
)


class SqlReader:
    """Reads SQL in one dialect. Remembers what it read: models share most of their views.

    Raises:
        ValueError: sqlglot does not know the dialect.
    """

    def __init__(self, dialect: str) -> None:
        sqlglot.Dialect.get_or_raise(dialect)
        self.dialect = dialect
        self._seen: dict[tuple[Clause, str], _Names] = {}

    def read(self, template: str, clause: Clause, values: Values = lambda _: ()) -> Reading:
        """What the template reads, whatever its Liquid prints."""
        rendered = texts(_REFERENCE.sub(_placeholder, template), values)
        variants = [self._names(clause, text) for text in rendered.each]
        reading = Reading(
            {name: _confidence(name, variants) for v in variants for name in v.tables}
        )
        reading.views = {view for text in rendered.each for view in _VIEW.findall(text)}
        if not rendered.complete:
            reading.problem = "its Liquid has more variants than are tried"
        reading.problem = next((v.problem for v in variants if v.problem), reading.problem)
        if reading.problem:
            reading.tables[ANYTHING] = Confidence.PATTERN
        return reading

    def _names(self, clause: Clause, text: str) -> _Names:
        key = (clause, text)
        if key not in self._seen:
            self._seen[key] = self._read(clause, text.strip())
        return self._seen[key]

    def _read(self, clause: Clause, text: str) -> _Names:
        if not text:
            return _Names()
        if clause is Clause.TABLE and _PLAIN.fullmatch(text):
            return _Names(_physical([text]))
        if clause is Clause.QUERY and text.startswith(","):
            # Looker itself opens the WITH clause; a derived table may continue it.
            text = f"WITH lookml_first AS (SELECT 1) {text}"
        try:
            return self._parsed(clause, text)
        except Exception as error:  # noqa: BLE001 - sqlglot's own errors, RecursionError, and more
            return _searched(clause + text, error)

    def _parsed(self, clause: Clause, text: str) -> _Names:
        sql = clause + text
        if len(sql) > SQL_CHARS_MAX:
            raise _NotUnderstoodError(f"{len(sql)} characters; the limit is {SQL_CHARS_MAX}")
        statements = [s for s in sqlglot.parse(sql, read=self.dialect) if s is not None]
        read: set[str] = set()
        written: set[str] = set()
        for statement in statements:
            _expect_understood(statement)
            for table in statement.find_all(exp.Table):
                if _is_target(table):
                    written.add(_spelled(table))
                elif isinstance(table.this, exp.Identifier) and not self._is_local(table):
                    read.add(_spelled(table))
        names = _Names(_physical(read - written))
        if clause is Clause.QUERY and not read and HOLE in sql:
            names.problem = "all of its tables come out of Liquid or an unknown constant"
        return names

    def _is_local(self, table: exp.Table) -> bool:
        """Is this no table but a WITH clause or, in BigQuery, an array of another table's row?"""
        return _is_cte(table) or (self.dialect == "bigquery" and _is_array(table))


def _placeholder(reference: re.Match[str]) -> str:
    """An identifier for `${...}`, so that the SQL parses."""
    view, _, what = reference.group(1).rpartition(".")
    if what == "SQL_TABLE_NAME":
        return f"lookml_view_{view}_end" if view else _OWN
    return _OWN if reference.group(1) == "TABLE" else _FIELD


def _physical(spelled: Iterable[str]) -> dict[TableName, Confidence]:
    """The names that are tables of the warehouse."""
    tables = {}
    for text in spelled:
        name = TableName.parse(text)
        if name and not any(_is_model_own(part) for part in name.parts):
            tables[name] = Confidence.PATTERN if HOLE in text else Confidence.EXACT
    return tables


def _is_model_own(part: str) -> bool:
    return part in (_OWN, _FIELD, "lookml_first") or bool(_VIEW.search(part))


def _confidence(name: TableName, variants: list[_Names]) -> Confidence:
    """The surest find counts; one that is not in every variant is only one of several."""
    found = [variant.tables.get(name) for variant in variants]
    order = list(Confidence)
    surest = min((one for one in found if one), key=order.index)
    if surest is Confidence.EXACT and None in found:
        return Confidence.ENUMERATED
    return surest


class _NotUnderstoodError(Exception):
    """sqlglot carries a piece of SQL along without knowing what it reads."""


def _expect_understood(statement: exp.Expr) -> None:
    for node in statement.find_all(exp.Command, exp.Table):
        if isinstance(node, exp.Command):
            raise _NotUnderstoodError(f"a {node.name} statement")
        if isinstance(node.this, exp.Anonymous):
            raise _NotUnderstoodError(f"the table function {node.this.name}")
        if HOLE in node.alias.lower():
            raise _NotUnderstoodError("Liquid prints what follows a table's name")


def _is_target(table: exp.Table) -> bool:
    """Is this the table that the statement writes?"""
    owner = table.parent.parent if isinstance(table.parent, exp.Schema) else table.parent
    return isinstance(owner, _WRITING) and table.arg_key != "expression"


def _spelled(table: exp.Table) -> str:
    parts = [part.name for part in table.parts]
    if table.catalog and not table.db:  # Snowflake's `database..table`
        parts.insert(1, "*")
    return ".".join(parts).lower()


def _is_cte(table: exp.Table) -> bool:
    """Is this bare name a WITH clause in sight? Inside a clause only the earlier ones are."""
    name = table.name.lower()
    child: exp.Expr = table
    node = table.parent
    while node and not table.db:
        if isinstance(node, exp.With):
            seen = node.expressions if node.recursive else node.expressions[: child.index]
        elif isinstance(node, exp.Query) and not isinstance(child, exp.With):
            seen = node.ctes
        else:
            seen = []
        if any(cte.alias.lower() == name for cte in seen):
            return True
        child, node = node, node.parent
    return False


def _is_array(table: exp.Table) -> bool:
    """Is the first part of this name the alias of another source in sight, as in `o.items`?"""
    first = table.parts[0].name.lower()
    select = table.parent_select
    while select and table.db:
        clause = select.find(exp.From)
        joined = [join.this for join in select.args.get("joins") or ()]
        sources = [clause.this, *joined] if clause else joined
        if any(source is not table and source.alias_or_name.lower() == first for source in sources):
            return True
        select = select.parent_select
    return False


def _searched(sql: str, error: Exception) -> _Names:
    """The tables named after FROM or JOIN. Bare names are left out: they may be columns or CTEs."""
    names = _physical(_AFTER_FROM.findall(_NOISE.sub(" ", sql)))
    tables = {
        name: weakest(confidence, Confidence.REGEX)
        for name, confidence in names.items()
        if len(name.parts) > 1
    }
    reason = str(error).split("\n", 1)[0][:REASON_CHARS_MAX]
    return _Names(tables, f"its SQL was searched, not parsed: {reason}")
