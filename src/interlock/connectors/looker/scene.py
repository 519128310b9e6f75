"""The scene: all that a plan follows from, as it was at one moment. Plain JSON when it travels.

`why` says why something is affected and `doubt` why it may be; both empty: it is not.
"""

from functools import cached_property

from pydantic import Field

from interlock.connectors.kit import Model


class Member(Model):
    """What may hang on a datagroup (`model::name`); empty: it hangs on none."""

    id: str
    datagroup: str = ""
    why: str = ""
    doubt: str = ""


class Explore(Member):
    """An explore; `derived` are the ids of the persistent derived tables that it reads."""

    derived: tuple[str, ...] = ()


class Derived(Member):
    """A persistent derived table; `reads` are the ids of those that it reads."""

    reads: tuple[str, ...] = ()


class Tile(Model):
    """A tile that asks explores. `obstacle` says why its query cannot be run, if it cannot."""

    title: str
    explores: tuple[str, ...]
    query: str = ""
    obstacle: str = ""


class Dashboard(Model):
    """A dashboard of either kind. Its own `why` is for all of its tiles, whatever they ask."""

    id: str
    title: str
    tiles: tuple[Tile, ...] = ()
    why: str = ""
    doubt: str = ""


class Doubt(Model):
    """Something that could not be resolved, so that nothing is surely unaffected."""

    asset: str
    why: str


class Scene(Model):
    """Everything in a Looker that a run may touch.

    Attributes:
        cause: what was changed, for people: `analytics.orders`.
        unread: why what is not affected is not: `reads none of analytics.orders`.
        at: when it was seen, UNIX seconds on Looker's own clock, rounded down.
        datagroups: ids by `model::name`, of those that Looker has.
    """

    cause: str
    unread: str
    at: int
    explores: tuple[Explore, ...] = ()
    derived: tuple[Derived, ...] = ()
    datagroups: dict[str, str] = Field(default_factory=dict)
    dashboards: tuple[Dashboard, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @property
    def has_affected(self) -> bool:
        """Whether an explore or a derived table is affected for sure."""
        return any(each.why for each in (*self.explores, *self.derived))

    def explore(self, name: str) -> Explore | None:
        """The explore of that id; None: no project has it."""
        return self._explores.get(name)

    def derived_table(self, name: str) -> Derived | None:
        """The persistent derived table of that id; None: no project has it."""
        return self._derived.get(name)

    @cached_property
    def _explores(self) -> dict[str, Explore]:
        return {each.id: each for each in self.explores}

    @cached_property
    def _derived(self) -> dict[str, Derived]:
        return {each.id: each for each in self.derived}
