"""The only loops: admit what comes in, dispatch what is owed, recover, follow the record."""
