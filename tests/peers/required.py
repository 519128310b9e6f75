"""What to do when a peer cannot be started: skip on a laptop, fail where peers are promised."""

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip the test because `what` is not installed; fail it where INTERLOCK_PEERS=required."""
    sentence = f"{what} is not installed: run `make setup-peers`"
    if os.environ.get("INTERLOCK_PEERS") == "required":  # noqa: TID251 - a switch of the tests
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
