"""What single pieces of SQL read."""

import pytest

from interlock.lookml.sql import SQL_CHARS_MAX, Clause, SqlReader

BIGQUERY = SqlReader("bigquery")


def tables(sql: str, clause: Clause = Clause.QUERY, reader: SqlReader = BIGQUERY) -> set[str]:
    """The names of the tables that a piece of SQL reads."""
    return {str(name) for name in reader.read(sql, clause).tables}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM `a-b.c.events_*`", {"a-b.c.events_*"}),
        ("SELECT * FROM UNNEST(GENERATE_ARRAY(1, 9)) n", set()),
        ("WITH a AS (SELECT * FROM ds.t) SELECT * FROM a", {"ds.t"}),
        ("WITH t AS (SELECT * FROM t) SELECT * FROM t", {"t"}),
        ("WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b", set()),
        ("WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT * FROM a) SELECT * FROM a", set()),
        ("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) JOIN a ON TRUE", {"a"}),
        ("SELECT * FROM ds.o o LEFT JOIN o.items i JOIN ds.z ON TRUE", {"ds.o", "ds.z"}),
        ("SELECT (SELECT COUNT(*) FROM o.items) FROM ds.o o", {"ds.o"}),
        ("SELECT extract(day FROM created_at) FROM ds.t", {"ds.t"}),
        ("CREATE TEMP TABLE x AS SELECT * FROM ds.y; SELECT * FROM x", {"ds.y"}),
        ("INSERT INTO ds.a (x) SELECT x FROM ds.b", {"ds.b"}),
        ("SELECT * FROM ML.PREDICT(MODEL ds.m, (SELECT * FROM ds.i))", {"ds.m", "ds.i"}),
        ("SELECT 'FROM ds.literal' FROM ds.t -- JOIN ds.comment", {"ds.t"}),
    ],
)
def test_a_query_reads_its_physical_tables_only(sql: str, expected: set[str]) -> None:
    """No CTE, array, literal or target is taken for a table that is read."""
    assert tables(sql) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM ds.my_function(1)",
        "SELECT * FROM EXTERNAL_QUERY('c', 'SELECT 1 FROM t')",
        "SELECT * FROM ds.t {{ joins }}",
        "{{ everything }}",
        "BEGIN; SELECT 1; END",
        "SELECT ((",
        "SELECT " + "1," * SQL_CHARS_MAX + "1",
    ],
)
def test_what_is_not_understood_may_read_anything(sql: str) -> None:
    """A function, a foreign query or Liquid can hide tables: then every table is possible."""
    reading = BIGQUERY.read(sql, Clause.QUERY)

    assert "*" in {str(name) for name in reading.tables}
    assert reading.problem


def test_an_alias_hides_a_schema_in_bigquery_alone() -> None:
    """Elsewhere `sales.customers` is a table, whatever the alias of the one before it."""
    sql = "SELECT * FROM sales.sales JOIN sales.customers ON TRUE"

    assert tables(sql, reader=SqlReader("postgres")) == {"sales.sales", "sales.customers"}


def test_snowflakes_default_schema_matches_any() -> None:
    """In `database..table` the schema is left to the session."""
    assert tables("SELECT * FROM db..t", reader=SqlReader("snowflake")) == {"db.*.t"}


def test_a_searched_query_never_invents_a_bare_name() -> None:
    """What follows FROM may be a column, a CTE or a function where the SQL does not parse."""
    sql = "SELECT EXTRACT(day FROM created_at), f( FROM ds.t JOIN cte JOIN ds.f(1) WHERE ("

    assert tables(sql) == {"ds.t", "*"}


def test_views_of_the_model_are_told_apart_from_tables() -> None:
    """`${view.SQL_TABLE_NAME}` is an edge in the model, `${SQL_TABLE_NAME}` the table itself."""
    sql = (
        "CREATE TABLE ${SQL_TABLE_NAME} AS SELECT * FROM ${ orders.SQL_TABLE_NAME } JOIN ds.t ON 1"
    )

    reading = BIGQUERY.read(sql, Clause.QUERY)

    assert reading.views == {"orders"}
    assert {str(name) for name in reading.tables} == {"ds.t"}
