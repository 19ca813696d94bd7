"""Tests of `chicago_crime/resources/duckdb_dialect.py`: each rewrite, by what DuckDB then answers.

That this is what GoogleSQL means is shown in `sql/test_googlesql_traps.py`, where Google's own evaluator is asked.
"""

from datetime import date, datetime
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from chicago_crime.sql.duckdb_dialect import to_duckdb


def answer(query: str, rows: str = "(SELECT 1 AS x)", **parameters: object) -> Any:
    parsed = sqlglot.parse_one(query, read="bigquery")
    assert isinstance(parsed, exp.Query)
    text = to_duckdb(parsed, {"year": 2014} | parameters, lambda table: sqlglot.parse_one(rows, read="duckdb"))
    [row] = duckdb.sql(text).fetchall()
    return row[0]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT @year + 1", 2015),
        ("SELECT SAFE.PARSE_DATETIME('%m/%d/%Y %I:%M:%S %p', '03/15/2014 02:30:00 PM')", datetime(2014, 3, 15, 14, 30)),
        ("SELECT SAFE.PARSE_DATETIME('%m/%d/%Y', 'soon')", None),
        ("SELECT SAFE.PARSE_DATETIME('%Y', REPLACE('x', 'x', 'y'))", None),
        ("SELECT REGEXP_EXTRACT('17.0', r'^(\\d+)(?:\\.0)?$')", "17"),
        ("SELECT REGEXP_EXTRACT('x17', r'^(\\d+)$')", None),
        ("SELECT REGEXP_REPLACE('a-b-c', r'-', '+')", "a+b+c"),
        ("SELECT x FROM t WHERE _PARTITIONTIME = TIMESTAMP(DATE(@year, 1, 1))", 1),
        ("SELECT CAST(SAFE_CAST(REPLACE('1_000', '_', 'x') AS NUMERIC) AS FLOAT64)", None),
        ("SELECT CAST(SAFE_CAST(REPLACE('0.1234567895', '_', 'x') AS NUMERIC) AS FLOAT64)", 0.12345679),
        ("SELECT TRIM('  a b ', ' ')", "a b"),
        ("SELECT TRIM('\u3000a\t', ' ')", "\u3000a\t"),
        ("SELECT EXTRACT(DAYOFWEEK FROM DATE '2014-03-16')", 1),
        ("SELECT DATE_TRUNC(DATE '2014-03-16', MONTH)", date(2014, 3, 1)),
        ("SELECT DATE_SUB(DATE '2014-03-16', INTERVAL 1 YEAR)", date(2013, 3, 16)),
        ("SELECT COUNTIF(x > 1) FROM t WHERE FALSE", 0),
        ("SELECT ARRAY_TO_STRING([CAST(NULL AS STRING)], ',')", ""),
        ("SELECT 0.1 + 0.2", 0.1 + 0.2),
        ("SELECT 7 / 2", 3.5),
        ("SELECT FORMAT_DATETIME('%Y-%m', DATETIME '2014-03-15 10:00:00')", "2014-03"),
    ],
)
def test_a_query_means_on_duckdb_what_it_means_in_googlesql(query: str, expected: object) -> None:
    assert answer(query) == expected


@pytest.mark.parametrize(
    ("query", "value", "expected"),
    [
        ("SELECT @value", "O'HARE'; DROP TABLE x --", "O'HARE'; DROP TABLE x --"),
        ("SELECT @value", date(2016, 2, 29), date(2016, 2, 29)),
        ("SELECT DATE_SUB(@value, INTERVAL 1 YEAR) = DATE '2015-02-28'", date(2016, 2, 29), True),
        ("SELECT @value IS NULL OR x = @value FROM t", None, True),
        ("SELECT x IN UNNEST(@value) FROM t", [1, 2], True),
        ("SELECT x IN UNNEST(@value) FROM t", [2, 3], False),
        ("SELECT x IN UNNEST(@value) FROM t", [], False),
        ("SELECT ARRAY_LENGTH(@value) = 0", [], True),
        ("SELECT 'b' IN UNNEST(@value)", ["a", "b"], True),
        ("SELECT IF(@value, 'yes', 'no')", False, "no"),
    ],
)
def test_a_parameter_stands_for_its_value_and_for_nothing_else(query: str, value: object, expected: object) -> None:
    assert answer(query, value=value) == expected


def test_rows_are_told_apart_by_several_values_and_their_places() -> None:
    rows = "(FROM (VALUES (1, NULL), (NULL, 1), (1, NULL), (1, 1)) AS v(a, b))"
    assert answer("SELECT COUNT(DISTINCT TO_JSON_STRING(STRUCT(a, b))) FROM t", rows) == 3


def test_tables_are_replaced_and_common_table_expressions_are_not() -> None:
    assert answer("WITH t AS (SELECT 5 AS x) SELECT t.x + s.x FROM t CROSS JOIN somewhere AS s") == 6


def test_the_query_itself_is_left_as_it_is() -> None:
    query = sqlglot.parse_one("SELECT @year", read="bigquery")
    assert isinstance(query, exp.Query)
    to_duckdb(query, {"year": 2014}, lambda table: exp.to_table(table))
    assert query.sql("bigquery") == "SELECT @year"
