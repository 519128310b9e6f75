"""PDT builds: start, status, stop. All three are GET, two of them change something."""

import json

from interlock.sandbox.looker.answers import Answer, Call, Refused, not_found
from interlock.sandbox.looker.builds import Build
from interlock.sandbox.looker.instance import Looker

__all__ = ["check_pdt_build", "start_pdt_build", "stop_pdt_build"]


def start_pdt_build(looker: Looker, call: Call) -> Answer:
    """Start to build the derived table of a view."""
    model = looker.content.model(call.path["model"])
    view = model.views.get(call.path["view"]) if model else None
    if model is None or view is None or view.sql is None:
        raise not_found()
    if view.persistence is None:
        # The whole of what the real instance says about it (sdk-codegen issue 1107).
        raise Refused(400, "An error has occurred.")
    build_s = looker.content.pdt_build_s if view.build_s is None else view.build_s
    build_id, effects = looker.builds.start(
        f"{model.name}::{call.path['view']}", build_s, looker.clock.monotonic()
    )
    return Answer({"materialization_id": build_id, "resp_text": None}, effects=effects)


def check_pdt_build(looker: Looker, call: Call) -> Answer:
    """How a build comes along, as JSON inside `resp_text`. An id never issued is a 404 (chosen)."""
    build = _build(looker, call)
    text = build.status_text(looker.clock.monotonic())
    return Answer({"materialization_id": build.id, "resp_text": text})


def stop_pdt_build(looker: Looker, call: Call) -> Answer:
    """Kill a build; one that has ended already is left as it is (`success` false; chosen)."""
    build = _build(looker, call)
    effects = looker.builds.stop(build, looker.clock.monotonic())
    model = looker.content.model(build.view.partition("::")[0])
    text = {
        "success": bool(effects),
        "connection": model.connection if model else None,
        "statusment": f"KILL {build.id}",  # sic
        "task_slug": build.task_slug,
    }
    return Answer({"materialization_id": build.id, "resp_text": json.dumps(text)}, effects=effects)


def _build(looker: Looker, call: Call) -> Build:
    found = looker.builds.get(call.path["build"])
    if found is None:
        raise not_found()
    return found
