"""Rules of the translation to DuckDB in small expressions; `test_googlesql.py` compares complete statements."""

from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from chicago_crime_tests.servers.googlesql import Analyzer, GoogleSQLError
from chicago_crime_tests.sql.engines import in_duckdb

CATALOG = {"facts": [("n", "INT64"), ("i", "INT64"), ("s", "STRING"), ("d", "DATE"), ("t", "DATETIME"), ("b", "BOOL")]}
ROWS: list[dict[str, Any]] = [
    {"i": 7, "s": "a1b22", "d": date(2014, 3, 15), "t": datetime(2014, 3, 15, 14, 30, 5), "b": True},
    {"i": -7, "s": "", "d": date(2016, 1, 3), "t": datetime(2016, 1, 3, 0, 0, 0, 123456), "b": False},
    {"i": 0, "s": "É_x%\t ", "d": date(2024, 12, 29), "t": datetime(2024, 2, 29, 23, 59, 59)},
    {"i": 7, "s": " \u3000A1\n"},
    {},  # all NULL
]
for number, row in enumerate(ROWS):
    row["n"] = number

# Expressions whose translation no statement of ours depends on yet.
EXPRESSIONS = """
i / NULLIF(i, 0)
0.1 + 0.2
EXTRACT(DAYOFWEEK FROM d)
DATE_TRUNC(DATE(t), MONTH)
DATE_ADD(d, INTERVAL 1 MONTH)
DATE_SUB(d, INTERVAL (i + 1) DAY)
REGEXP_EXTRACT(s, r'\\d+')
REGEXP_EXTRACT(TRIM(s, ' '), r'^a(\\d)')
REGEXP_REPLACE(s, r'(\\d)', r'<\\1>')
ARRAY_TO_STRING([s, IF(b, 'y', NULL)], '; ')
i IN UNNEST([7, 0])
"""


def test_expressions_are_equivalent_and_division_by_zero_fails() -> None:
    google, expressions = Analyzer(CATALOG), EXPRESSIONS.strip().splitlines()
    columns = ", ".join(f"{text} AS v{number}" for number, text in enumerate(expressions))
    query = f"SELECT {columns} FROM facts ORDER BY n"
    theirs = google.evaluate(query, {"facts": ROWS})
    ours = in_duckdb(query, {"facts": ROWS}, {}, CATALOG)
    for number, text in enumerate(expressions):
        assert [repr(row[f"v{number}"]) for row in ours] == [repr(row[f"v{number}"]) for row in theirs], text

    query = "SELECT 1 / (i - 7) AS v FROM facts"
    with pytest.raises(GoogleSQLError, match="division by zero"):
        google.evaluate(query, {"facts": ROWS})
    with pytest.raises(duckdb.Error, match="division by zero"):
        in_duckdb(query, {"facts": ROWS}, {}, CATALOG)
