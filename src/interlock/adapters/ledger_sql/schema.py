"""The tables. Times are whole microseconds since 1970 UTC; values are JSON text; ids are text.

`event_keys` is never purged: it is the promise that an event is captured once for ever. Bodies live
in `events`, so that retention can take them and leave the key and digest.

Ids begin with the time and with the parent's id (core/ids.py): all tables but `event_keys` grow at
their right edge, so that a commit of many events writes few pages; children are found by range. No
foreign keys: every row is written with its parent in one transaction, and checking that again would
cost each event a tenth of its time.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

METADATA = MetaData()

event_keys = Table(
    "event_keys",
    METADATA,
    Column("key", Text, primary_key=True),  # hex SHA-256 of source and id
    Column("digest", Text, nullable=False),
    Column("handoff", Text, nullable=False),  # the first acceptance
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    METADATA,
    Column("first", Text, primary_key=True),  # the hand-off that brought it
    Column("key", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject", Text),
    Column("digest", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),  # CloudEvents JSON
    Index("events_id", "id"),
    Index("events_subject", "subject", "first"),
    sqlite_with_rowid=False,
)

handoffs = Table(
    "handoffs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("event", Text, nullable=False),
    Column("first", Text, nullable=False),  # the event's row
    Column("source", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("principal", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("config_rev", Text, nullable=False),
    Column("accepted_at", BigInteger, nullable=False),
    Column("hop", Integer, nullable=False),
    sqlite_with_rowid=False,
)

deliveries = Table(
    "deliveries",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("handoff", Text, nullable=False),
    Column("seq", Integer, nullable=False),  # the order of the routes
    Column("route", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("params", Text, nullable=False),
    Column("admitted", BigInteger, nullable=False),
    Column("deadline", BigInteger, nullable=False),
    Column("on_unknown", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("open", Boolean, nullable=False),  # a worker can move it; what `claim` looks for
    Column("planned", Boolean, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("notes", Text, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("lease_until", BigInteger, nullable=False),  # 0: nobody has it
    sqlite_with_rowid=False,
)
# One index finds what is due for a target; it holds open deliveries only.
Index(
    "deliveries_due",
    deliveries.c.target,
    deliveries.c.not_before,
    sqlite_where=text(
        "open = 1"
    ),  # word for word as the statements say it, or SQLite will not use it
    postgresql_where=deliveries.c.open,
)

steps = Table(
    "steps",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("delivery", Text, nullable=False),
    Column("seq", Integer, nullable=False),  # the order of the plan
    Column("key", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("repeat", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("reference", Text),
    Column("result", Text, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_with_rowid=False,
)

attempts = Table(
    "attempts",
    METADATA,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("step", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("asked", Boolean, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("attempts_step", "step"),
)

entries = Table(
    "entries",
    METADATA,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("handoff", Text, nullable=False),
    Column("delivery", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("entries_handoff", "handoff"),
)

cursors = Table(
    "cursors",
    METADATA,
    Column("follower", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
