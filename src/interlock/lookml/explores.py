"""What an explore reads: its base view, what it joins, and the subqueries in its conditions."""

from interlock.lookml.assets import Explore, node_of
from interlock.lookml.scope import Scope
from interlock.lookml.source import Node
from interlock.lookml.sql import Clause, Reading
from interlock.lookml.views import is_sourced

_OWN_TABLE = "sql_table_name"
_READ_APART = (_OWN_TABLE, "join")


def read(scope: Scope, explore: Node) -> None:
    """Note an explore, and everything that it reads."""
    joins = list(explore.all("join"))
    base = _view_of(explore)
    asset = Explore(
        model=scope.model,
        name=explore.name,
        label=explore.text("label") or explore.name.replace("_", " ").title(),
        datagroup=_datagroup(scope, explore),
        views=tuple(dict.fromkeys([base, *(_view_of(join) for join in joins)])),
        file=explore.file,
        line=explore.line,
    )
    node, reader = node_of(asset), f"explore {explore.name}"
    scope.findings.assets.append(asset)
    scope.unresolved(explore, node)
    _read_part(scope, explore, node, f"{reader} is built on view {base}")
    conditions = [child for child in explore.children if child.key not in _READ_APART]
    scope.subqueries([n for child in conditions for n in child.walk()], node, reader)
    for join in joins:
        _read_join(scope, explore, join, node)
    if asset.datagroup:
        told = f"datagroup {asset.datagroup} caches explore {explore.name}"
        scope.findings.edge(node, f"datagroup {scope.id(asset.datagroup)}", explore, told)


def _view_of(part: Node) -> str:
    """The view behind an explore or a join, whatever it is called there."""
    return part.text("from") or part.text("view_name") or part.name


def _datagroup(scope: Scope, explore: Node) -> str:
    """The explore's own; an explore that caches for a time has none; else the model's."""
    own = explore.text("persist_with")
    return own or ("" if explore.text("persist_for") else scope.persist_with)


def _read_join(scope: Scope, explore: Node, join: Node, node: str) -> None:
    view, reader = _view_of(join), f"explore {explore.name}"
    told = f"{reader} joins view {view}" + (f" as {join.name}" if view != join.name else "")
    raw = list(join.all("sql"))
    if not raw:
        _read_part(scope, join, node, told)
    for sql in raw:
        reading = scope.read_sql(sql, Clause.JOIN)
        _rename_aliases(explore, reading)
        scope.note(reading, node, sql, reader)
    if raw:
        # The SQL may still name the view's own table, which Looker then puts before the query.
        # A view without a source is a record that the SQL unnests: no table of that name exists.
        if is_sourced(scope.views.get(view)):
            scope.findings.edge(scope.view(view, join), node, join, told)
        scope.findings.edge(scope.fields(view, join), node, join, told)
    scope.subqueries([n for n in join.children if n not in raw], node, reader)


def _read_part(scope: Scope, part: Node, node: str, told: str) -> None:
    """Note what an explore's base or a join reads: its own table, or else its view's."""
    view = _view_of(part)
    place = part.last("from") or part.last("view_name") or part
    own = list(part.all(_OWN_TABLE))
    for table in own:
        reading = scope.read_sql(table, Clause.TABLE, view)
        scope.note(reading, node, table, node)
    if not own:
        scope.findings.edge(scope.view(view, place), node, place, told)
    scope.findings.edge(scope.fields(view, part), node, place, told)


def _rename_aliases(explore: Node, reading: Reading) -> None:
    """In a join's own SQL a bare name may be a view's alias, which is no table of that name."""
    parts = {part.name.lower(): _view_of(part) for part in (explore, *explore.all("join"))}
    for name in list(reading.tables):
        alias = parts.get(str(name))
        if alias:
            del reading.tables[name]
            reading.views.add(alias)
