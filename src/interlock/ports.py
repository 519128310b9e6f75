"""What the engine and its parts need from the outside world. Read this file to know every seam."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from interlock.core.decision import Decision, Question, Resource
from interlock.core.delivery import Delivery, Lease
from interlock.core.entry import Attempt, Entry
from interlock.core.event import Event, Json
from interlock.core.handoff import Handoff, Receipt
from interlock.core.plan import Facts, Plan
from interlock.core.principal import Principal
from interlock.core.route import Route
from interlock.core.step import Outcome, Rejected, State, Step, Unavailable


class Clock(Protocol):
    """Where "now" comes from."""

    def now(self) -> datetime:
        """The current time, aware, UTC."""
        ...


class Verifier(Protocol):
    """Turns a credential into a principal; nothing else makes one."""

    async def verify(self, credential: str) -> Principal:
        """The principal it proves.

        Raises NotIdentified, whatever is wrong with it; CannotIdentify if that cannot be told now.
        """
        ...


class Authorizer(Protocol):
    """Answers whether a principal may do something. Pure computation: it never waits."""

    def decide(self, question: Question) -> Decision:
        """Never raises: what cannot be decided is a "no" that carries its error."""
        ...


class MappingError(Exception):
    """An expression in a route's `with` has no value for this event."""


class Mapper(Protocol):
    """Renders the `${{ }}` expressions of a route. Pure computation: it never waits."""

    def render(self, route: Route, event: Event, principal: Principal) -> Mapping[str, Json]:
        """The parameters for this event. Raises MappingError, naming the expression."""
        ...


class Target(Protocol):
    """A configured instance of a connector: somewhere a delivery can go."""

    @property
    def resource(self) -> Resource:
        """As policy knows it: a `Target` with its owner."""
        ...

    @property
    def concurrency(self) -> int:
        """How many deliveries may be under way to it at once."""
        ...

    def known(self, lease: Lease) -> Facts | None:
        """What `plan` needs, where it can be told without a look; else None. Never waits."""
        ...

    async def look(self, lease: Lease) -> Facts | Rejected | Unavailable:
        """Read what `plan` needs to know, within a time of its own. Changes nothing anywhere."""
        ...

    def plan(self, lease: Lease, facts: Facts) -> Plan | Rejected:
        """What the delivery comes to. Pure: the same arguments, the same plan."""
        ...

    async def send(self, step: Step, lease: Lease) -> Outcome:
        """Attempt the step once, with `step.id` as idempotency key.

        What the world may do is an outcome, not an exception.
        """
        ...

    async def find(self, step: Step, lease: Lease) -> Outcome | None:
        """What became of the step, as the target tells it; None: the target does not know it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a worker has to write about the delivery it holds, and the entry that tells of it.

    Attributes:
        steps: those that changed; all of them, in the plan's order, if it is `planned` here.
        planned: the steps are new.
        release: whether the lease ends here.
    """

    fence: int
    delivery: Delivery
    entry: Entry
    steps: tuple[Step, ...] = ()
    planned: bool = False
    attempts: tuple[Attempt, ...] = ()
    release: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """All that accepting an event writes.

    Attributes:
        pending_max: how many open deliveries a target may have before it takes no more.
        leased: ids among `deliveries` that the caller takes in hand at once (fence 1).
        begun: the first change to some of the leased ones, written with them.
    """

    event: Event
    handoff: Handoff
    deliveries: tuple[Delivery, ...]
    entry: Entry
    pending_max: int
    leased: frozenset[str] = frozenset()
    begun: tuple[Change, ...] = ()

    @property
    def again(self) -> Mapping[str, Json]:
        """What the entry of a second sending tells."""
        return {"principal": str(self.handoff.principal), "digest": self.event.digest}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which hand-offs or deliveries to list: every part given must fit.

    Attributes:
        after: id of the last one seen; the list goes on behind it.
        limit: 1 to 500.
    """

    source: str = ""
    event: str = ""
    type: str = ""
    subject: str = ""
    handoff: str = ""
    route: str = ""
    target: str = ""
    state: State | None = None
    since: datetime | None = None
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One hand-off as the ledger has it; a list stops at the deliveries, a trace has the rest."""

    event: Event
    handoff: Handoff
    deliveries: tuple[Delivery, ...] = ()
    steps: Mapping[str, tuple[Step, ...]] = field(default_factory=dict[str, tuple[Step, ...]])
    attempts: tuple[Attempt, ...] = ()


class Ledger(Protocol):
    """The durable record. Everything Interlock knows, it reads back from here.

    What returns is on disk. Every method may raise NotReady: the record cannot be reached now, and
    nothing was half-written.
    """

    async def admit(self, admission: Admission, term: timedelta) -> Receipt:
        """Record the event and all it owes in one transaction.

        What it leases runs for `term`. The same source and id again: the first receipt, marked
        duplicate, or Conflict if the digest differs; all that is written then is one entry of
        kind `duplicate` or `conflict` about the first hand-off. Raises TooMany, and writes
        nothing, if a target it owes to has `pending_max` open deliveries.
        """
        ...

    async def record(self, entry: Entry) -> None:
        """Add an entry that belongs to no hand-off, such as a refusal."""
        ...

    async def claim(self, permits: Mapping[str, int], term: timedelta) -> Sequence[Lease]:
        """Lease due deliveries for `term`: at most `permits[target]` for each target named.

        Due: open, its time has come, and no lease on it runs. Earliest deadline first. A lease is
        this ledger's clock's business, so that nodes need not agree on the time.
        """
        ...

    async def save(self, change: Change, term: timedelta) -> bool:
        """Write the change; extend or end the lease. False: the fence is old, drop your work."""
        ...

    async def void(self) -> int:
        """End every lease: for a process that knows it is the only one. How many there were."""
        ...

    async def entries(self, after: int, limit: int) -> Sequence[Entry]:
        """Up to `limit` entries behind position `after`, in order, without gaps."""
        ...

    async def news(self, after: int) -> None:
        """Return when there is an entry behind position `after`; at once if there is."""
        ...

    async def last(self) -> int:
        """The position of the last entry; 0 if there is none."""
        ...

    async def cursor(self, follower: str) -> int:
        """The position that `follower` has come to; 0 for a new one."""
        ...

    async def move(self, follower: str, position: int) -> None:
        """Remember the position that `follower` has come to."""
        ...

    async def trace(self, handoff: str) -> Record | None:
        """One hand-off whole; None: there is none of this id."""
        ...

    async def history(self, handoff: str) -> Sequence[Entry]:
        """Every entry about that hand-off, refusals of it included, in order."""
        ...

    async def handoffs(self, wanted: Filter) -> Sequence[Record]:
        """Hand-offs, newest first, each with its deliveries."""
        ...

    async def deliveries(self, wanted: Filter) -> Sequence[tuple[Event, Handoff, Delivery]]:
        """Deliveries, newest first."""
        ...


class Secrets(Protocol):
    """Where the values behind secret references come from."""

    def resolve(self, reference: str) -> str:
        """The value now. Raises SecretError, which names the reference and never a value."""
        ...


class SecretError(Exception):
    """A secret reference has no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered: any status, headers by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSentError(Exception):
    """Nothing reached the server: safe to send again."""


class NoAnswerError(Exception):
    """The request may have been acted on, and no whole answer came back."""


class Http(Protocol):
    """HTTP out. Never follows a redirect, never retries."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        within: timedelta = timedelta(seconds=10),
        size_max: int = 1_048_576,
    ) -> Answer:
        """One request, one answer of at most `size_max` bytes in the time given.

        Raises NotSentError or NoAnswerError (an answer over `size_max` is NoAnswerError).
        """
        ...
