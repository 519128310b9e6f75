"""What a configured target keeps between deliveries."""

from dataclasses import dataclass, field
from datetime import timedelta

from interlock.connectors.kit import Tools
from interlock.connectors.looker.checkouts import Checkouts
from interlock.connectors.looker.client import Client
from interlock.connectors.looker.config import LookerConfig
from interlock.connectors.looker.content import Content

BEGUN_MAX = 1_000  # steps at once of which some queries were started and some were not


@dataclass(slots=True)
class LookerSession:
    """A Looker and its LookML.

    Attributes:
        begun: by step, the tasks (by query) of an attempt that broke off, so that the next one
            goes on where it ended. Forgetting is harmless: a query then runs once more.
    """

    config: LookerConfig
    tools: Tools
    client: Client = field(init=False)
    content: Content = field(init=False)
    checkouts: Checkouts = field(init=False)
    begun: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def __post_init__(self) -> None:
        self.client = Client(self.config, self.tools)
        self.content = Content(self.client)
        self.checkouts = Checkouts(self.config.projects, self.config.dialect)

    @property
    def poll(self) -> timedelta:
        """Between two looks at running work."""
        return timedelta(seconds=self.config.poll_s)

    def begin(self, step: str) -> dict[str, str]:
        """The tasks of that step so far, for the caller to add to."""
        while len(self.begun) >= BEGUN_MAX:
            del self.begun[next(iter(self.begun))]
        return self.begun.setdefault(step, {})
