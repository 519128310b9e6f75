"""Alembic's entry: migrate on the connection that the ledger's opening holds."""

from alembic import context

from interlock.adapters.ledger_sql.schema import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA)
context.run_migrations()
