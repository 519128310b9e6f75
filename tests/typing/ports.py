"""Every adapter fits its port. Never run; type-checked."""

from typing import Any

from interlock.adapters.clock import SystemClock
from interlock.adapters.http_client import AioHttp
from interlock.adapters.issuer import OidcIssuer
from interlock.adapters.ledger_memory import MemoryLedger
from interlock.adapters.ledger_sql import SqlLedger
from interlock.adapters.mapper import JmesMapper
from interlock.adapters.secrets import LocalSecrets
from interlock.connectors.kit import Configured, Minter
from interlock.ports import Clock, Http, Ledger, Mapper, Secrets, Target

clock: type[Clock] = SystemClock
http: type[Http] = AioHttp
ledgers: list[type[Ledger]] = [MemoryLedger, SqlLedger]
mapper: type[Mapper] = JmesMapper
minter: type[Minter] = OidcIssuer
secrets: type[Secrets] = LocalSecrets
target: type[Target] = Configured[Any, Any]
