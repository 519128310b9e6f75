"""Dashboards: searched, and one by one. No content search returns a LookML dashboard."""

import re
from collections.abc import Iterable

from interlock.sandbox.looker.answers import Answer, Call, not_found
from interlock.sandbox.looker.content import Dashboard
from interlock.sandbox.looker.instance import Looker
from interlock.sandbox.looker.operations.queries import query_body

__all__ = ["dashboard", "search_dashboards", "search_lookml_dashboards"]

LOOKML_FOLDER = {"id": "lookml", "name": "LookML Dashboards"}
SHARED_FOLDER = {"id": "1", "name": "Shared"}


def search_dashboards(looker: Looker, call: Call) -> Answer:
    """User-defined dashboards by `id` (comma list), `title` (% and _) and `deleted`.

    A dashboard in the bin is found too, unless `deleted=false` is asked. Results show no elements.
    """
    found: Iterable[Dashboard] = (d for d in looker.content.dashboards if not d.is_lookml)
    if "id" in call.query:
        ids = call.query["id"].split(",")
        found = (d for d in found if d.id in ids)
    if "deleted" in call.query:
        deleted = call.query["deleted"] == "true"
        found = (d for d in found if d.deleted == deleted)
    return Answer([_summary(d) for d in found if _like(d.title, call.query.get("title"))])


def search_lookml_dashboards(looker: Looker, call: Call) -> Answer:
    """LookML dashboards; `title` matches the name in the LookML code, not the displayed title."""
    found = [d for d in looker.content.dashboards if d.is_lookml]
    title = call.query.get("title")
    return Answer([_summary(d) for d in found if _like(d.id.partition("::")[2], title)])


def dashboard(looker: Looker, call: Call) -> Answer:
    """One dashboard of either kind with its elements; a LookML one by `model::name`."""
    wanted = call.path["dashboard"]
    found = next((d for d in looker.content.dashboards if d.id == wanted), None)
    if found is None:
        raise not_found()
    return Answer({**_summary(found), "dashboard_elements": _elements(looker, found)})


def _summary(found: Dashboard) -> dict[str, object]:
    model = found.id.partition("::")[0] if found.is_lookml else None
    return {
        "id": found.id,
        "title": found.title,
        "deleted": found.deleted,
        "hidden": False,
        "readonly": found.is_lookml,
        "model": {"id": model, "label": model} if model else None,
        "folder": LOOKML_FOLDER if found.is_lookml else SHARED_FOLDER,
        "url": f"/dashboards/{found.id}",
        "dashboard_elements": None,
        "dashboard_filters": None,
    }


def _elements(looker: Looker, found: Dashboard) -> list[dict[str, object]]:
    elements: list[dict[str, object]] = []
    for number, tile in enumerate(found.tiles, start=1):
        query = looker.queries.get(tile.query)
        assert query, "the content lets no other tile in"
        shown = query_body(query)
        filterable = {"model": query.model, "view": query.view, "name": tile.title, "listen": []}
        elements.append(
            {
                "id": f"{found.id}::{number}" if found.is_lookml else f"{found.id}{number:03}",
                "dashboard_id": found.id,
                "title": tile.title,
                "type": "vis",
                "query_id": query.id,
                "query": shown,
                "look_id": None,
                "look": None,
                "merge_result_id": None,
                "result_maker": {
                    "query_id": query.id,
                    "query": shown,
                    "filterables": [filterable],
                },
            }
        )
    return elements


def _like(text: str, pattern: str | None) -> bool:
    """SQL's LIKE, without regard to case; no pattern matches all."""
    if pattern is None:
        return True
    parts = (".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(parts), text, re.IGNORECASE | re.DOTALL) is not None
