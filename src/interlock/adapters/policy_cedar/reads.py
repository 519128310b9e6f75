"""Which members of the context a policy reads, so that an answer can be remembered under them.

Told from the text, and on the safe side: wherever `context` is followed by anything but a plain
member access or `has`, the policy is taken to read everything.
"""

import re
from collections.abc import Iterable

EVERYTHING = frozenset({"*"})

_CONTEXT = re.compile(r"\bcontext\b(?:\s*\.\s*([A-Za-z_]\w*)|\s+has\s+([A-Za-z_]\w*))?")


def reads(texts: Iterable[str]) -> frozenset[str]:
    """The names of the members read; EVERYTHING if that cannot be told."""
    found: set[str] = set()
    for text in texts:
        for mention in _CONTEXT.finditer(text):
            name = mention[1] or mention[2]
            if name is None:
                return EVERYTHING
            found.add(name)
    return frozenset(found)
