"""The BigQuery server counts what a statement reads as Google's documentation says that a dry run does."""

from collections.abc import Iterator

import pytest
from google.cloud import bigquery

from chicago_crime_tests.storage.google.cloud import DATASET, Cloud, cloud_in

DDL = f"""
CREATE TABLE {DATASET}.by_year (year INT64, word STRING, flag BOOL, share FLOAT64, day DATE)
PARTITION BY RANGE_BUCKET(year, GENERATE_ARRAY(2001, 2101, 1));
CREATE TABLE {DATASET}.by_month (month DATE, word STRING) PARTITION BY DATE_TRUNC(month, MONTH);
INSERT INTO {DATASET}.by_year (year, word, flag, share, day)
SELECT 2014, 'abc', TRUE, 0.5, DATE '2014-01-01' UNION ALL
SELECT 2014, 'é', NULL, 0.5, NULL UNION ALL
SELECT 2015, NULL, FALSE, NULL, DATE '2015-01-01';
INSERT INTO {DATASET}.by_month (month, word)
SELECT DATE '2014-01-01', 'a' UNION ALL SELECT DATE '2014-02-01', 'bb' UNION ALL SELECT DATE '2015-01-01', 'ccc';
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bigquery.Client]:
    with pytest.MonkeyPatch.context() as patch, cloud_in(tmp_path_factory.mktemp("bytes")) as cloud:
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        yield fill(cloud)


def fill(cloud: Cloud) -> bigquery.Client:
    client = cloud.warehouse()._connect()
    client.create_dataset(DATASET)
    client.query(DDL).result()
    return client


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT year FROM by_year", 3 * 8),
        ("SELECT word FROM by_year", (2 + 3) + (2 + 2)),  # two and the text in UTF-8; a NULL is nothing
        ("SELECT flag FROM by_year", 2 * 1),
        ("SELECT share, day FROM by_year", 2 * 8 + 2 * 8),
        ("SELECT COUNT(*) FROM by_year", 0),
        ("SELECT * FROM by_year WHERE year = 2015", 8 + 1 + 8),
        ("SELECT COUNT(*) FROM by_year WHERE word = 'abc'", 9),  # what is filtered by is read, too, and all of it
        ("SELECT word FROM by_year WHERE year = 2014", 2 * 8 + 9),
        ("SELECT flag FROM by_year WHERE year IN (2014, 2013)", 2 * 8 + 1),
        ("SELECT flag FROM by_year WHERE year BETWEEN 2015 AND 2020 AND flag", 8 + 1),
        ("SELECT flag FROM by_year WHERE year = 2015 OR flag", 3 * 8 + 2),  # it does not choose partitions
        ("SELECT flag FROM by_year WHERE year + 0 = CAST(share AS INT64)", 3 * 8 + 2 * 8 + 2),
        ("SELECT word FROM by_month WHERE month IN (DATE '2014-02-01')", 8 + 4),
        ("SELECT w FROM (SELECT word AS w, month AS word FROM by_month) WHERE word > DATE '2014-12-31'", 3 * 8 + 12),
        ("WITH t AS (SELECT flag FROM by_year) SELECT COUNTIF(flag) FROM t", 2),
        ("SELECT a.flag FROM by_year AS a JOIN by_month AS b ON a.day = b.month", 2 + 2 * 8 + 3 * 8),
    ],
)
def test_a_dry_run_counts_columns_in_partitions(client: bigquery.Client, query: str, expected: int) -> None:
    config = bigquery.QueryJobConfig(dry_run=True, default_dataset=f"{client.project}.{DATASET}")
    assert client.query(query, config).total_bytes_processed == expected


def test_a_parameter_chooses_partitions_as_a_literal_does(client: bigquery.Client) -> None:
    config = bigquery.QueryJobConfig(
        dry_run=True,
        default_dataset=f"{client.project}.{DATASET}",
        query_parameters=[bigquery.ScalarQueryParameter("year", "INT64", 2014)],
    )
    assert client.query("SELECT flag FROM by_year WHERE year = @year", config).total_bytes_processed == 2 * 8 + 1
