"""The memory ledger keeps the ledger contract."""

import pytest

from interlock.adapters.ledger_memory import MemoryLedger
from tests.contracts.ledger import LedgerContract
from tests.making import FixedClock


class TestMemoryLedger(LedgerContract):
    """Nothing but the contract."""

    @pytest.fixture
    def clock(self) -> FixedClock:
        """Noon."""
        return FixedClock()

    @pytest.fixture
    def ledger(self, clock: FixedClock) -> MemoryLedger:
        """An empty one."""
        return MemoryLedger(clock)
