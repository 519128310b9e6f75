"""The ledger in SQL: one schema and one set of statements, on SQLite and (to come) PostgreSQL."""

from interlock.adapters.ledger_sql.ledger import SqlLedger
from interlock.adapters.ledger_sql.opening import LedgerRefusedError, open_ledger

__all__ = ["LedgerRefusedError", "SqlLedger", "open_ledger"]
