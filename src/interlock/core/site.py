"""The site: everything the configuration says that the rules need, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass

from interlock.core.decision import Resource
from interlock.core.route import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A system whose events we take.

    Attributes:
        uri: events whose `source` is this, or starts with this and a `/`, are from it.
    """

    name: str
    uri: str
    owner: str

    @property
    def resource(self) -> Resource:
        """As policy knows it."""
        return Resource(
            type="Source", id=self.name, attributes={"owner": self.owner, "uri": self.uri}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One installation. Replaced whole when its configuration changes.

    Attributes:
        rev: digest of the configuration, recorded with each hand-off.
        environment: what policy sees as `context.environment`.
        pending_max: how many open deliveries a target may have before events for it are refused.
    """

    name: str
    rev: str
    environment: str
    sources: Mapping[str, Source]
    routes: tuple[Route, ...]
    pending_max: int = 100_000

    def source_of(self, uri: str) -> Source | None:
        """The source with the longest uri that `uri` equals or lies under; None: unknown."""
        found = [
            source
            for source in self.sources.values()
            if uri == source.uri or uri.startswith(source.uri.rstrip("/") + "/")
        ]
        return max(found, key=lambda source: len(source.uri), default=None)
