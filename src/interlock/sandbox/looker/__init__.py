"""A Looker that behaves like the real API 4.0, for the part of it that Interlock uses.

Official clients (looker-sdk) work against it unchanged; scripts make it fail as the real one fails.
Played: tokens, models, explores, datagroups, PDT builds, queries, query tasks, dashboards.
Not played yet: the regenerator (a triggered datagroup rebuilds nothing), Looks, schedules, alerts.
"""

from interlock.sandbox.looker.api import create_app
from interlock.sandbox.looker.content import Content, load

__all__ = ["Content", "create_app", "load"]
