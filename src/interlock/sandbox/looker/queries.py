"""Saved queries: unique, immutable, never deleted (Looker 4.0 specification, `query`)."""

import hashlib
import json

from interlock.sandbox.looker.answers import unprocessable
from interlock.sandbox.looker.content import Content, Query, QueryParameters

__all__ = ["Queries", "client_id"]


class Queries:
    """The content's queries and those created since."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._by_id = {query.id: query for query in content.queries}

    def get(self, query_id: str) -> Query | None:
        """The query with that id, if there is one."""
        return self._by_id.get(query_id)

    def create(self, wanted: QueryParameters) -> tuple[Query, tuple[str, ...]]:
        """The query that asks this, made if there is none yet; and the effects.

        Raises:
            Refused: 422, there is no such model or explore, or the `client_id` is another query's.
        """
        model = self._content.model(wanted.model)
        if model is None:
            raise unprocessable("model", "invalid", f"model {wanted.model!r} does not exist")
        if model.explore(wanted.view) is None:
            raise unprocessable("view", "invalid", f"explore {wanted.view!r} does not exist")
        same = next((q for q in self._by_id.values() if _asks(q) == _asks(wanted)), None)
        if same:
            return same, ()
        if wanted.client_id in {client_id(query) for query in self._by_id.values()}:
            raise unprocessable("client_id", "already_exists", "client_id must be unique")
        query = Query(id=self._free_id(), **wanted.model_dump())
        self._by_id[query.id] = query
        return query, (f"created query {query.id}",)

    def _free_id(self) -> str:
        return str(max((int(known) for known in self._by_id if known.isdecimal()), default=0) + 1)


def client_id(query: QueryParameters) -> str:
    """The 22 characters that name a query in short URLs: its own, else made from what it asks."""
    return query.client_id or hashlib.sha256(_asks(query).encode()).hexdigest()[:22]


def _asks(query: QueryParameters) -> str:
    parameters = query.model_dump(include=set(QueryParameters.model_fields) - {"client_id"})
    return json.dumps(parameters, sort_keys=True)
