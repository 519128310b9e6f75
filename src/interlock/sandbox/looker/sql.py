"""The SQL of a query: a sketch whose tables and joins are right and whose columns are only names.

The instance knows no dimensions, so a field stands for itself; what clients read here is tables.
"""

import hashlib
import re

from interlock.sandbox.looker.answers import Refused
from interlock.sandbox.looker.content import Content, Explore, Join, Model, QueryParameters

__all__ = ["compile_sql"]

_FIELD = re.compile(r"\$\{(\w+)\.(\w+)\}")
_TABLE = re.compile(r"\$\{(\w+)\.SQL_TABLE_NAME\}")
ROWS_DEFAULT = 500  # Looker's own default limit


def compile_sql(content: Content, query: QueryParameters) -> str:
    """The text that `run_query` answers for the format `sql`; nothing is executed."""
    model = content.model(query.model)
    explore = model.explore(query.view) if model else None
    assert model is not None, "the content and `create_query` let no other query in"
    assert explore is not None, "nor one without an explore"
    base = explore.view or explore.name
    columns = ", ".join(f"{f} AS {f.replace('.', '_')}" for f in query.fields or ())
    lines = [f"SELECT {columns or '1'}", f"FROM {_table(model, base)} AS {explore.name}"]
    for join in _used(explore, query):
        on = _FIELD.sub(r"\1.\2", join.sql_on)
        kind = join.type.replace("_", " ").upper()
        table = _table(model, join.view or join.name)
        lines.append(f"{kind} JOIN {table} AS {join.name} ON {on}")
    if query.limit is None or int(query.limit) >= 0:  # -1 asks for all rows
        lines.append(f"LIMIT {ROWS_DEFAULT if query.limit is None else query.limit}")
    return "\n".join(lines)


def _used(explore: Explore, query: QueryParameters) -> list[Join]:
    """The joins whose fields are named, and those that their conditions need."""
    named = {field.partition(".")[0] for field in [*(query.fields or ()), *(query.filters or {})]}
    for join in reversed(explore.joins):  # a condition names only what is joined before it
        if join.name in named:
            named |= {view for view, _ in _FIELD.findall(join.sql_on)}
    return [join for join in explore.joins if join.name in named]


def _table(model: Model, name: str, within: tuple[str, ...] = ()) -> str:
    if name in within:
        raise Refused(400, f"View {name} is derived from itself")
    view = model.views.get(name)
    if view is None:
        raise Refused(400, f"View {name} does not exist")
    if view.sql_table_name:
        return view.sql_table_name
    if view.persistence:
        # As Looker names them: a scratch schema, a hash of the definition, the view.
        digest = hashlib.sha256(f"{model.name}/{name}/{view.sql}".encode()).hexdigest()
        return f"looker_scratch.LR_{digest[:8].upper()}_{name}"
    sql = _TABLE.sub(lambda m: _table(model, m[1], (*within, name)), view.sql or "")
    return f"({sql.strip()})"
