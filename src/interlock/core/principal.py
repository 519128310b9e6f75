"""Who is asking, and for whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

VerifiedClaims = NewType("VerifiedClaims", Mapping[str, object])
"""Claims whose signature, issuer, audience and times were checked. Only a Verifier makes one."""


class Kind(StrEnum):
    """What sort of caller it is; also the Cedar entity type."""

    USER = "User"
    SERVICE = "Service"
    AGENT = "Agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An identity proven at the boundary.

    Attributes:
        id: `<issuer name>/<subject>`; the issuer's configured name, never an e-mail address.
        groups: each `<issuer name>/<group>`, so that no issuer can hand out another's groups.
        verified_at: when its credential was checked.
        expires_at: when that credential ends; None for one that has no end of its own.
        acting_for: the principal on whose behalf this one acts (RFC 8693 `act`), outermost last.
    """

    kind: Kind
    id: str
    groups: frozenset[str] = frozenset()
    verified_at: datetime
    expires_at: datetime | None = None
    acting_for: "Principal | None" = None

    def __str__(self) -> str:
        """As in a policy: `Service::"okta/airflow-prod"`."""
        return f'{self.kind}::"{self.id}"'
