"""What a view reads: its table or its query, and the subqueries of its fields."""

from collections.abc import Iterator

from interlock.lookml.assets import DerivedTable, Persistence
from interlock.lookml.refine import UNRESOLVED
from interlock.lookml.scope import Scope
from interlock.lookml.source import Node
from interlock.lookml.sql import Clause
from interlock.lookml.tables import ANYTHING, Confidence, TableName

SOURCES = ("sql_table_name", "derived_table")
"""The parameters that give a view its table."""

_QUERIES = ("sql", "sql_create", "sql_step")
_PERSISTENCE = {
    "datagroup_trigger": Persistence.DATAGROUP,
    "sql_trigger_value": Persistence.SQL_TRIGGER,
    "interval_trigger": Persistence.INTERVAL,
    "persist_for": Persistence.PERSIST_FOR,
}


def is_sourced(view: Node | None) -> bool:
    """Does the view say what it reads? Views of nested records do not: a join unnests them."""
    return view is not None and any(child.key in SOURCES for child in view.children)


def read(scope: Scope, view: Node) -> None:
    """Note everything that a view reads."""
    node = scope.view(view.name, view)
    scope.unresolved(view, node)
    for table in view.all("sql_table_name"):
        reading = scope.read_sql(table, Clause.TABLE, view.name)
        scope.note(reading, node, table, f"view {view.name}")
    for derived in view.all("derived_table"):
        _read_derived(scope, view, derived)
    if not is_sourced(view) and not view.last(UNRESOLVED):
        name = TableName.parse(view.name) or ANYTHING
        told = f"view {view.name} names no table, so Looker reads one called {name}"
        scope.findings.table(name, node, view, Confidence.DEFAULT, told)
    fields = [n for child in view.children if child.key not in SOURCES for n in child.walk()]
    reader = f"a field of view {view.name}"
    scope.subqueries(fields, scope.fields(view.name, view), reader, view.name)


def _read_derived(scope: Scope, view: Node, derived: Node) -> None:
    node, reader = scope.view(view.name, view), f"derived table {view.name}"
    queries = list(_queries(derived))
    for query in queries:
        scope.note(scope.read_sql(query, Clause.QUERY, view.name), node, query, reader)
    sources = list(derived.all("explore_source"))
    for source in sources:
        _read_explore_source(scope, source, node, reader)
    if not queries and not sources:
        scope.findings.unknown(node, derived, f"{reader} has no query that this graph knows")
    _persist(scope, view, derived)


def _queries(derived: Node) -> Iterator[Node]:
    steps = [step for process in derived.all("create_process") for step in process.children]
    return (node for node in (*derived.children, *steps) if node.key in _QUERIES)


def _read_explore_source(scope: Scope, source: Node, node: str, reader: str) -> None:
    name = source.name or source.value
    if scope.explores.get(name) is None:
        scope.findings.unknown(node, source, f"{reader} asks explore {name}, not included")
        return
    told = f"{reader} asks explore {name} (explore_source)"
    scope.findings.edge(f"explore {scope.id(name)}", node, source, told)
    scope.subqueries(list(source.walk()), node, reader)


def _persist(scope: Scope, view: Node, derived: Node) -> None:
    """Note the derived table itself. Looker heeds the first kind of persistence that it finds."""
    set_ = next((key for key in _PERSISTENCE if derived.text(key)), "")
    persistence = _PERSISTENCE.get(set_, Persistence.NONE)
    trigger = derived.text(set_)
    asset = DerivedTable(scope.model, view.name, persistence, trigger, view.file, view.line)
    scope.findings.assets.append(asset)
    if persistence is Persistence.DATAGROUP:
        place = derived.last(set_) or derived
        told = f"datagroup {trigger} rebuilds derived table {view.name}"
        datagroup = f"datagroup {scope.id(trigger)}"
        scope.findings.edge(scope.view(view.name, view), datagroup, place, told)
