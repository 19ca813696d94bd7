"""Tests of `googlesql.py`: BigQuery's statements are accepted, and the errors are Google's."""

from datetime import UTC, date, datetime

import pytest

from chicago_crime_tests.servers.googlesql import Analyzer, GoogleSQLError, Typed

TABLES = {
    "raw": [("id", "STRING"), ("_PARTITIONTIME", "TIMESTAMP"), ("_PARTITIONDATE", "DATE")],
    "a-project.crime.crimes": [("id", "INT64"), ("date", "DATETIME"), ("month", "DATE"), ("arrest", "BOOL")],
    "crime.crimes": [("id", "INT64"), ("date", "DATETIME"), ("month", "DATE"), ("arrest", "BOOL")],
}


@pytest.fixture(scope="module")
def google() -> Analyzer:
    return Analyzer(TABLES)


@pytest.mark.parametrize(
    "sql",
    [
        "BEGIN TRANSACTION; DELETE FROM crime.crimes WHERE month BETWEEN DATE(@year, 1, 1) AND DATE(@year, 12, 1); "
        "INSERT INTO crime.crimes (id, month) SELECT 1, DATE '2014-01-01'; COMMIT TRANSACTION;",
        "CREATE TABLE IF NOT EXISTS `a-project`.crime.n (id INT64 NOT NULL OPTIONS(description='x'), month DATE) "
        "PARTITION BY DATE_TRUNC(month, MONTH) CLUSTER BY id OPTIONS(description='x', require_partition_filter=FALSE)",
        "CREATE TABLE crime.n (year INT64) PARTITION BY RANGE_BUCKET(year, GENERATE_ARRAY(2001, 2101, 1))",
        "CREATE TABLE crime.n (id STRING) PARTITION BY TIMESTAMP_TRUNC(_PARTITIONTIME, YEAR)",
        "ALTER TABLE crime.crimes ADD COLUMN IF NOT EXISTS beat INT64 OPTIONS(description='x')",
        "EXPORT DATA OPTIONS(uri='gs://b/*.parquet', format='PARQUET', overwrite=TRUE) AS SELECT id FROM crime.crimes",
        "DELETE FROM raw WHERE _PARTITIONTIME = TIMESTAMP '2014-01-01 00:00:00'",
    ],
)
def test_statements_of_bigquery_are_accepted(google: Analyzer, sql: str) -> None:
    assert google.check(sql, {"year": int}) == []


def test_the_columns_of_a_result_are_found(google: Analyzer) -> None:
    for name in ("a-project.crime.crimes", "`a-project`.`crime`.`crimes`", "`a-project.crime.crimes`"):
        assert google.check(f"SELECT id, date FROM {name}") == [("id", "INT64"), ("date", "DATETIME")]
    # A pseudo column is not part of a star.
    assert google.check("SELECT * FROM raw WHERE _PARTITIONDATE = '2014-01-01'") == [("id", "STRING")]
    script = "CREATE TEMP TABLE staged AS SELECT 'é' AS a, id FROM crime.crimes; SELECT * FROM staged"
    assert google.check(script) == [("a", "STRING"), ("id", "INT64")]
    with pytest.raises(GoogleSQLError, match="Table not found: staged"):
        google.check("SELECT * FROM staged")


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT nothing FROM raw", "Unrecognized name: nothing"),
        ("SELEC 1", "Syntax error"),
        ("SELECT 1; SELECT id + 1 FROM raw", "No matching signature for operator"),
        ("INSERT INTO crime.crimes (id) SELECT 'x'", "cannot be inserted into column id"),
        ("SELECT @other", "Query parameter 'other' not found"),
    ],
)
def test_the_error_is_googles(google: Analyzer, sql: str, why: str) -> None:
    with pytest.raises(GoogleSQLError, match=why):
        google.check(sql, {"year": int})


def test_values_of_every_type_come_back() -> None:
    columns = [("s", "STRING"), ("i", "INT64"), ("f", "FLOAT64"), ("b", "BOOL"), ("d", "DATE"), ("t", "DATETIME")]
    day, time = date(1969, 7, 20), datetime(2014, 2, 9, 3, 4, 5, 6)
    row = {"s": "é😀", "i": -(2**63), "f": 0.1, "b": False, "d": day, "t": time}
    rows = Analyzer({"every": columns}).evaluate("SELECT * FROM every", {"every": [row, {}]})
    assert rows == [row, dict.fromkeys(row)]
    query = "SELECT @a AS a, @d AS d, ARRAY_LENGTH(@e) AS e, @f AS f"
    parameters = {"a": 1, "d": [1, 2], "e": Typed("ARRAY<STRING>", []), "f": Typed("BOOL")}
    assert Analyzer({}).evaluate(query, {}, parameters) == [{"a": 1, "d": [1, 2], "e": 0, "f": None}]


def test_a_partition_is_selected_by_its_pseudo_column_and_an_error_does_not_last(google: Analyzer) -> None:
    rows = [{"id": str(year), "_PARTITIONTIME": datetime(year, 1, 1, tzinfo=UTC)} for year in (2014, 2015)]
    query = "SELECT id FROM raw WHERE _PARTITIONTIME = TIMESTAMP(DATE(@year, 1, 1))"
    with pytest.raises(GoogleSQLError, match="division by zero"):
        google.evaluate("SELECT 1 / CAST(id AS INT64) AS x FROM raw", {"raw": [{"id": "0"}]})
    assert google.evaluate(query, {"raw": rows}, {"year": 2015}) == [{"id": "2015"}]
