"""One Looker instance: its content, its clock and everything that changes."""

from collections.abc import Callable

from interlock.sandbox.looker.builds import Builds
from interlock.sandbox.looker.clock import Clock
from interlock.sandbox.looker.content import Content
from interlock.sandbox.looker.datagroups import Datagroups
from interlock.sandbox.looker.queries import Queries
from interlock.sandbox.looker.tasks import Tasks
from interlock.sandbox.looker.tokens import Tokens

__all__ = ["Looker"]


class Looker:
    """A parts list; the operations act on it.

    Args:
        content: What the instance contains.
        now: The real clock, UNIX seconds.
    """

    def __init__(self, content: Content, now: Callable[[], float]) -> None:
        self.content = content
        self.clock = Clock(now)
        self.tokens = Tokens(content.token_ttl_s)
        self.datagroups = Datagroups(content, int(self.clock.wall()))
        self.builds = Builds()
        self.queries = Queries(content)
        self.tasks = Tasks()
