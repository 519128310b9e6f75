"""Events as the wire has them: structured bodies and binary headers."""

import json
from collections.abc import Mapping

LEAST = {"specversion": "1.0", "id": "1", "source": "airflow://prod", "type": "t"}
FULL = LEAST | {
    "subject": "load_orders",
    "time": "2026-01-01T12:00:00.5+02:00",
    "dataschema": "https://acme.example/schema#1",
    "datacontenttype": "application/json",
    "team": "web",
    "data": {"tables": ["a.b"], "n": 1.5},
}


def body(*parts: Mapping[str, object], **more: object) -> bytes:
    """The least event with these attributes, as the wire has it."""
    made: dict[str, object] = dict(LEAST)
    for part in parts:
        made |= part
    return json.dumps(made | more).encode()


def headers(**found: str) -> list[tuple[bytes, bytes]]:
    """The headers of a binary event: the least, with these in their place."""
    made = LEAST | found
    return [(f"ce-{name}".encode(), text.encode()) for name, text in made.items()]
