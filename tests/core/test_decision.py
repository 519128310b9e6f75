"""Resources are named as in a policy, and an error never allows."""

import pytest

from interlock.core.decision import Decision
from tests.making import AIRFLOW, dashboard


def test_an_error_never_allows() -> None:
    """A decision that carries an error and allows cannot be made."""
    with pytest.raises(AssertionError):
        Decision(allowed=True, error="no policy could be read")


def test_a_no_may_carry_its_error() -> None:
    """What cannot be decided is a "no" that says why."""
    assert not Decision(allowed=False, error="no policy could be read").allowed


def test_resources_and_principals_read_as_in_a_policy() -> None:
    """What the record shows can be pasted into a rule."""
    assert str(dashboard("sales")) == 'Dashboard::"looker/sales"'
    assert str(dashboard("sales").parent) == 'Target::"looker"'
    assert str(AIRFLOW) == 'Service::"okta/airflow"'
