"""What a target of this connector may say."""

from typing import Any

import pytest
from pydantic import ValidationError

from interlock.connectors.looker.config import RefreshParams
from tests.connectors.looker.shop import config


def test_the_dialect_is_that_of_the_connections() -> None:
    """BigQuery's where none are listed."""
    assert config().dialect == "bigquery"
    assert config(connections={"a": "snowflake", "b": "snowflake"}).dialect == "snowflake"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"connections": {"a": "snowflake", "b": "bigquery"}}, "make a target of each"),
        ({"client_secret": "hunter2"}, "a secret is a reference"),
        ({"projects": []}, "at least 1 item"),
        ({"over_invalidation_max": 0.5}, "greater than or equal to 1"),
        ({"poll_s": 0}, "greater than 0"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], told: str) -> None:
    """The refusal says what to write, and never repeats a secret."""
    with pytest.raises(ValidationError, match=told) as caught:
        config(**changes)

    assert "hunter2" not in "".join(error["msg"] for error in caught.value.errors())


def test_a_name_must_not_be_empty() -> None:
    """An empty table is a mistake in a DAG, not a table."""
    with pytest.raises(ValidationError):
        RefreshParams.model_validate({"tables": [""]})
