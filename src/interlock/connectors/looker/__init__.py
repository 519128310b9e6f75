"""Looker: refresh what a finished run has changed, and no more.

run -> tables -> LookML graph -> derived tables, datagroups, dashboards -> API 4.0
"""

from interlock.connectors.kit import Action, Connector
from interlock.connectors.looker.config import LookerConfig, RefreshParams
from interlock.connectors.looker.look import look
from interlock.connectors.looker.plan import plan
from interlock.connectors.looker.session import LookerSession
from interlock.connectors.looker.steps import find, send

__all__ = ["CONNECTOR"]

CONNECTOR = Connector(
    name="looker",
    summary="refresh the Looker content that reads what a run has changed, and no other",
    config=LookerConfig,
    open=LookerSession,
    resources={
        "Model": ("Target",),
        "Datagroup": ("Model",),
        "DerivedTable": ("Model",),
        "Dashboard": ("Model", "Target"),
    },
    actions={"refresh": Action(params=RefreshParams, look=look, plan=plan, send=send, find=find)},
)
