"""Tests of `chicago_crime_tests/servers/googlesql.py`: what BigQuery takes is taken, the errors are Google's."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest

from chicago_crime_tests.servers.googlesql import Analyzer, GoogleSQLError, Typed

TABLES = {
    "raw": [("id", "STRING"), ("_PARTITIONTIME", "TIMESTAMP"), ("_PARTITIONDATE", "DATE")],
    "a-project.crime.crimes": [("id", "INT64"), ("date", "DATETIME"), ("month", "DATE"), ("arrest", "BOOL")],
    "crime.crimes": [("id", "INT64"), ("date", "DATETIME"), ("month", "DATE"), ("arrest", "BOOL")],
}
EVERY_TYPE = [("s", "STRING"), ("i", "INT64"), ("f", "FLOAT64"), ("b", "BOOL"), ("d", "DATE"), ("t", "DATETIME")]


@pytest.fixture(scope="module")
def google() -> Analyzer:
    return Analyzer(TABLES)


@pytest.mark.parametrize(
    "sql",
    [
        "BEGIN TRANSACTION; DELETE FROM crime.crimes WHERE month BETWEEN DATE(@year, 1, 1) AND DATE(@year, 12, 1); "
        "INSERT INTO crime.crimes (id, month) SELECT 1, DATE '2014-01-01'; COMMIT TRANSACTION;",
        "BEGIN TRANSACTION; ROLLBACK TRANSACTION",
        "CREATE TABLE IF NOT EXISTS `a-project`.crime.n (id INT64 NOT NULL OPTIONS(description='x'), month DATE) "
        "PARTITION BY month CLUSTER BY id OPTIONS(description='x', require_partition_filter=FALSE)",
        "CREATE TABLE crime.n (month DATE) PARTITION BY DATE_TRUNC(month, YEAR)",
        "CREATE TABLE crime.n (year INT64) PARTITION BY RANGE_BUCKET(year, GENERATE_ARRAY(2001, 2101, 1))",
        "CREATE TABLE crime.n (id STRING) PARTITION BY TIMESTAMP_TRUNC(_PARTITIONTIME, YEAR)",
        "CREATE TABLE crime.n (id STRING) PARTITION BY _PARTITIONDATE",
        "ALTER TABLE crime.crimes ADD COLUMN IF NOT EXISTS beat INT64 OPTIONS(description='x')",
        "EXPORT DATA OPTIONS(uri='gs://b/*.parquet', format='PARQUET', overwrite=TRUE) AS SELECT id FROM crime.crimes",
        "DELETE FROM raw WHERE _PARTITIONTIME = TIMESTAMP '2014-01-01 00:00:00'",
        "MERGE crime.crimes AS c USING raw AS r ON c.id = CAST(r.id AS INT64) WHEN MATCHED THEN DELETE",
        "TRUNCATE TABLE crime.crimes; DROP TABLE IF EXISTS crime.crimes; -- the end",
    ],
)
def test_what_bigquery_takes_is_taken(google: Analyzer, sql: str) -> None:
    assert google.check(sql, {"year": int}) == []


@pytest.mark.parametrize("name", ["a-project.crime.crimes", "`a-project`.`crime`.`crimes`", "`a-project.crime.crimes`"])
def test_a_table_is_found_by_its_whole_name(google: Analyzer, name: str) -> None:
    assert google.check(f"SELECT id, date FROM {name}") == [("id", "INT64"), ("date", "DATETIME")]


def test_a_pseudo_column_is_no_column_of_star(google: Analyzer) -> None:
    assert google.check("SELECT * FROM raw WHERE _PARTITIONDATE = '2014-01-01'") == [("id", "STRING")]


def test_a_table_that_a_script_creates_is_known_in_it_and_not_afterwards(google: Analyzer) -> None:
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
        ("CREATE TABLE crime.n (id INT64) PARTITION BY day", "Unrecognized name: day"),
        ("SELECT @other", "Query parameter 'other' not found"),
    ],
)
def test_the_error_is_googles(google: Analyzer, sql: str, why: str) -> None:
    with pytest.raises(GoogleSQLError, match=why):
        google.check(sql, {"year": int})


def test_every_type_goes_in_and_comes_out() -> None:
    row = {
        "s": "é😀",
        "i": -(2**63),
        "f": 0.1,
        "b": False,
        "d": date(1969, 7, 20),
        "t": datetime(2014, 2, 9, 3, 4, 5, 6),
    }
    nothing = dict.fromkeys(row)
    assert Analyzer({"every": EVERY_TYPE}).evaluate("SELECT * FROM every", {"every": [row, {}]}) == [row, nothing]


def test_parameters_have_the_types_of_their_values_or_those_given() -> None:
    query = "SELECT @a AS a, @b AS b, @c AS c, @d AS d, ARRAY_LENGTH(@e) AS e, @f AS f"
    parameters = {
        "a": 1,
        "b": "x",
        "c": date(2014, 1, 1),
        "d": [1, 2],
        "e": Typed("ARRAY<STRING>", []),
        "f": Typed("BOOL"),
    }
    [row] = Analyzer({}).evaluate(query, {}, parameters)
    assert row == {"a": 1, "b": "x", "c": date(2014, 1, 1), "d": [1, 2], "e": 0, "f": None}
    types = dict(Analyzer({}).check(query, parameters))
    assert types == {"a": "INT64", "b": "STRING", "c": "DATE", "d": "ARRAY<INT64>", "e": "INT64", "f": "BOOL"}
    with pytest.raises(TypeError, match="does not tell its GoogleSQL type"):
        Analyzer({}).check(query, parameters | {"f": None})


def test_a_partition_is_chosen_by_its_pseudo_column() -> None:
    rows = [{"id": str(year), "_PARTITIONTIME": datetime(year, 1, 1, tzinfo=UTC)} for year in (2014, 2015)]
    query = "SELECT id FROM raw WHERE _PARTITIONTIME = TIMESTAMP(DATE(@year, 1, 1))"
    assert Analyzer(TABLES).evaluate(query, {"raw": rows}, {"year": 2015}) == [{"id": "2015"}]


def test_a_failure_on_a_row_is_an_error_and_the_next_query_works(google: Analyzer) -> None:
    with pytest.raises(GoogleSQLError, match="division by zero"):
        google.evaluate("SELECT 1 / CAST(id AS INT64) AS x FROM raw", {"raw": [{"id": "0"}]})
    assert google.evaluate("SELECT 1 AS x", {}) == [{"x": 1}]


def test_many_threads_take_turns(google: Analyzer) -> None:
    def ask(number: int) -> tuple[list[dict[str, int]], list[tuple[str, str]]]:
        return google.evaluate("SELECT @n AS n", {}, {"n": number}), google.check(f"SELECT {number} AS n{number}")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(24)))
    assert answers == [([{"n": number}], [(f"n{number}", "INT64")]) for number in range(24)]
