"""What a run names, and what happens when it names nothing."""

import pytest

from interlock.connectors.looker.config import OnUnknownTables, RefreshParams
from interlock.connectors.looker.wanted import Wanted, wanted
from interlock.core.step import Rejected
from tests.connectors.looker.shop import config

ASSETS = {"s3://lake/orders": "analytics.orders", "s3://lake": "analytics.lake"}


def named(**params: object) -> Wanted | Rejected:
    """What a run of a target with some assets wants."""
    return wanted(config(assets=ASSETS), RefreshParams.model_validate(params))


def test_tables_are_taken_as_named() -> None:
    """Each counts once, in the order given."""
    assert named(tables=["b.t", "a.t", "b.t"]) == Wanted(tables=("b.t", "a.t"))


@pytest.mark.parametrize(
    ("asset", "table"),
    [
        ("s3://lake/orders", "analytics.orders"),
        ("s3://lake/orders/day=1", "analytics.orders"),
        ("s3://lake/orders_old", "analytics.lake"),
    ],
)
def test_an_asset_stands_for_the_table_of_the_longest_uri(asset: str, table: str) -> None:
    """What lies below a URI belongs to it; what merely begins alike does not."""
    assert named(assets=[asset]) == Wanted(tables=(table,))


def test_assets_count_only_where_no_tables_are_named() -> None:
    """Who names tables has said it all."""
    assert named(tables=["a.t"], assets=["s3://unknown"]) == Wanted(tables=("a.t",))


def test_an_asset_nobody_knows_is_kept_as_a_doubt() -> None:
    """Beside assets that are known it does not stop the run, and is not forgotten."""
    found = named(assets=["s3://lake/orders", "gs://x"])

    assert found == Wanted(tables=("analytics.orders",), unmapped=("gs://x",))


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({}, "the run names no tables"),
        ({"tables": None, "assets": None, "explores": []}, "the run names no tables"),
        ({"tables": []}, "the run names no tables"),
        ({"assets": ["gs://x"]}, "nobody knows the tables behind gs://x"),
    ],
)
def test_a_run_that_names_nothing_is_refused_aloud(params: dict[str, object], told: str) -> None:
    """By default: "nothing affected" would be a guess."""
    found = named(**params)

    assert isinstance(found, Rejected)
    assert found.reason.startswith(told)


def test_a_route_may_want_all_refreshed_instead() -> None:
    """Or nothing; then it says so, and nothing else."""
    assert named(on_unknown_tables=OnUnknownTables.REFRESH_ALL) == Wanted(everything=True)
    assert named(on_unknown_tables="ignore") == Wanted()


@pytest.mark.parametrize("name", ["shop::orders", "orders"])
def test_an_explore_may_be_named_with_or_without_its_model(name: str) -> None:
    """A whole model names all of its explores."""
    assert Wanted(explores=(name,)).has_explore("shop::orders")
    assert Wanted(models=("shop",)).has_explore("shop::orders")
    assert not Wanted(explores=(name,), models=("other",)).has_explore("shop::stock")
