"""The verbs over HTTP."""

from interlock.surfaces.http.app import application
from interlock.surfaces.http.server import listen, serve

__all__ = ["application", "listen", "serve"]
