"""Tests of what the translation for DuckDB does with parameters and tables.

`test_googlesql_traps.py` compares the meaning of each construct with Google's own evaluator.
"""

from datetime import date
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


def test_the_condition_on_the_partition_is_dropped() -> None:
    assert answer("SELECT x FROM t WHERE _PARTITIONTIME = TIMESTAMP(DATE(@year, 1, 1))") == 1


def test_tables_are_replaced_and_common_table_expressions_are_not() -> None:
    assert answer("WITH t AS (SELECT 5 AS x) SELECT t.x + s.x FROM t CROSS JOIN somewhere AS s") == 6


def test_the_query_itself_is_not_changed() -> None:
    query = sqlglot.parse_one("SELECT @year", read="bigquery")
    assert isinstance(query, exp.Query)
    to_duckdb(query, {"year": 2014}, lambda table: exp.to_table(table))
    assert query.sql("bigquery") == "SELECT @year"
