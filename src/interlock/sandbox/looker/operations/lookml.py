"""Models, explores and datagroups."""

from dataclasses import asdict

from interlock.sandbox.looker.answers import Answer, Call, checked, not_found
from interlock.sandbox.looker.content import Explore, Join, Model
from interlock.sandbox.looker.datagroups import Change, DatagroupState, change
from interlock.sandbox.looker.instance import Looker

__all__ = [
    "all_datagroups",
    "all_lookml_models",
    "datagroup",
    "lookml_model_explore",
    "update_datagroup",
]


def all_lookml_models(looker: Looker, _call: Call) -> Answer:
    """Every model with the names of its explores."""
    return Answer([_model(model) for model in looker.content.models])


def lookml_model_explore(looker: Looker, call: Call) -> Answer:
    """One explore with its joins; as in the real API, not with its datagroup."""
    model = looker.content.model(call.path["model"])
    explore = model.explore(call.path["explore"]) if model else None
    if model is None or explore is None:
        raise not_found()
    base = explore.view or explore.name
    return Answer(
        {
            "id": f"{model.name}::{explore.name}",
            "name": explore.name,
            "label": explore.label or _title(explore.name),
            "model_name": model.name,
            "project_name": model.project,
            "view_name": base,
            "sql_table_name": model.views[base].sql_table_name,
            "connection_name": model.connection,
            "dialect_name": looker.content.dialect(model),
            "scopes": [explore.name, *(join.name for join in explore.joins)],
            "source_file": f"{model.name}.model.lkml",
            "files": _files(model, explore),
            "joins": [_join(model, join) for join in explore.joins],
            "hidden": False,
            "tags": [],
            "errors": None,
        }
    )


def all_datagroups(looker: Looker, _call: Call) -> Answer:
    """Every datagroup; the call takes no `fields` and no pages."""
    return Answer([asdict(datagroup) for datagroup in looker.datagroups.all()])


def datagroup(looker: Looker, call: Call) -> Answer:
    """One datagroup."""
    return Answer(asdict(_datagroup(looker, call)))


def update_datagroup(looker: Looker, call: Call) -> Answer:
    """Set `stale_before`, `triggered_at` or both, neither in the future."""
    wanted = _datagroup(looker, call)
    effects = change(wanted, checked(Change, call.body), looker.clock.wall())
    return Answer(asdict(wanted), effects=effects)


def _datagroup(looker: Looker, call: Call) -> DatagroupState:
    found = looker.datagroups.get(call.path["datagroup"])
    if found is None:
        raise not_found()
    return found


def _model(model: Model) -> dict[str, object]:
    return {
        "name": model.name,
        "label": model.label or _title(model.name),
        "project_name": model.project,
        "allowed_db_connection_names": [model.connection],
        "unlimited_db_connections": False,
        "has_content": True,
        "explores": [
            {"name": e.name, "label": e.label or _title(e.name), "hidden": False}
            for e in model.explores
        ],
    }


def _join(model: Model, join: Join) -> dict[str, object]:
    return {
        "name": join.name,
        "from": join.view,
        "sql_on": join.sql_on,
        "sql_table_name": model.views[join.view or join.name].sql_table_name,
        "type": join.type,
        "relationship": join.relationship,
        "required_joins": [],
        "dependent_fields": [],
    }


def _files(model: Model, explore: Explore) -> list[str]:
    views = [explore.view or explore.name, *(join.view or join.name for join in explore.joins)]
    return [f"{model.name}.model.lkml", *(f"views/{view}.view.lkml" for view in views)]


def _title(name: str) -> str:
    return name.replace("_", " ").title()
