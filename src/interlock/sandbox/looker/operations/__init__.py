"""The operations of Looker API 4.0 that the sandbox plays, by their official ids.

To play one more: a function `(Looker, Call) -> Answer` of that name, and a line here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from interlock.sandbox.looker.answers import Answer, Call
from interlock.sandbox.looker.instance import Looker
from interlock.sandbox.looker.operations import auth, dashboards, derived_tables, lookml, queries

__all__ = ["FIELDS", "OPERATIONS", "PAGES", "Operation"]

FIELDS = frozenset({"fields"})  # the answer can be partial
PAGES = FIELDS | {"limit", "offset"}  # and a list can be had in pages


@dataclass(frozen=True)
class Operation:
    """One line of the API: where it is, who plays it, which general parameters it takes."""

    method: str
    path: str
    play: Callable[[Looker, Call], Answer]
    takes: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """The official operation id, which is also the name of its method in the SDKs."""
        return self.play.__name__


# The first line whose path fits is taken, so a fixed word stands before a parameter.
OPERATIONS = (
    Operation("POST", "/login", auth.login),
    Operation("DELETE", "/logout", auth.logout),
    Operation("GET", "/versions", auth.versions, FIELDS),
    Operation("GET", "/user", auth.me, FIELDS),
    Operation("GET", "/lookml_models", lookml.all_lookml_models, PAGES),
    Operation(
        "GET", "/lookml_models/{model}/explores/{explore}", lookml.lookml_model_explore, FIELDS
    ),
    Operation("GET", "/datagroups", lookml.all_datagroups),
    Operation("GET", "/datagroups/{datagroup}", lookml.datagroup),
    Operation("PATCH", "/datagroups/{datagroup}", lookml.update_datagroup),
    Operation("GET", "/derived_table/{model}/{view}/start", derived_tables.start_pdt_build),
    Operation("GET", "/derived_table/{build}/status", derived_tables.check_pdt_build),
    Operation("GET", "/derived_table/{build}/stop", derived_tables.stop_pdt_build),
    Operation("GET", "/dashboards/search", dashboards.search_dashboards, PAGES),
    Operation("GET", "/dashboards/lookml/search", dashboards.search_lookml_dashboards, PAGES),
    Operation("GET", "/dashboards/{dashboard}", dashboards.dashboard, FIELDS),
    Operation("POST", "/queries", queries.create_query, FIELDS),
    Operation("GET", "/queries/{query}", queries.query, FIELDS),
    Operation("GET", "/queries/{query}/run/{format}", queries.run_query),
    Operation("POST", "/query_tasks", queries.create_query_task, FIELDS),
    Operation("GET", "/query_tasks/multi_results", queries.query_task_multi_results),
    Operation("GET", "/query_tasks/{task}", queries.query_task, FIELDS),
    Operation("GET", "/query_tasks/{task}/results", queries.query_task_results),
)
