"""Whose event it is: the source with the longest uri that it lies under, at a boundary."""

from dataclasses import replace

import pytest

from interlock.core.site import Source
from tests.making import PROD, SITE

SOURCES = {
    name: Source(name=name, uri=uri, owner="team")
    for name, uri in {
        "prod": "airflow://prod",
        "web": "airflow://prod/web",
        "shop": "https://shop.example/",
        "jobs": "/jobs",
    }.items()
}
MANY = replace(SITE, sources=SOURCES)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("airflow://prod", "prod"),
        ("airflow://prod/", "prod"),
        ("airflow://prod/app", "prod"),
        ("airflow://prod/web", "web"),
        ("airflow://prod/web/a", "web"),
        ("airflow://prod/website", "prod"),
        ("https://shop.example/orders", "shop"),
        ("https://shop.example/", "shop"),
        ("/jobs/1", "jobs"),
    ],
)
def test_the_longest_uri_wins(uri: str, expected: str) -> None:
    """A source within another is told apart, whatever the order in the configuration."""
    backwards = replace(MANY, sources=dict(reversed(SOURCES.items())))

    for site in (MANY, backwards):
        found = site.source_of(uri)
        assert found is not None
        assert found.name == expected


@pytest.mark.parametrize(
    "uri",
    [
        "airflow://prod2",
        "airflow://prod.evil.example",
        "airflow://prod?x",
        "airflow://prod#x",
        "airflow://PROD",
        "airflow://pro",
        "xairflow://prod",
        "https://shop.example.evil/",
        "https://shop.example",
        "jobs",
        "",
    ],
)
def test_a_lookalike_is_unknown(uri: str) -> None:
    """A prefix counts only where a path segment ends: nobody poses as another's instance."""
    assert MANY.source_of(uri) is None


def test_no_sources_know_nobody() -> None:
    """Empty means no."""
    assert replace(SITE, sources={}).source_of(PROD.uri) is None


def test_policy_knows_the_owner_and_uri_of_a_source() -> None:
    """What rules can be written about."""
    assert str(PROD.resource) == 'Source::"airflow-prod"'
    assert PROD.resource.attributes == {"owner": "data-platform", "uri": "airflow://prod"}
