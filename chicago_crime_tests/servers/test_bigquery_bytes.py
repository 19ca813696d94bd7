"""Tests of `bigquery_bytes.py`: bytes are counted as Google documents it for dry runs."""

import pytest
from google.cloud import bigquery

from chicago_crime_tests.storage.google.cloud import DATASET, cloud_in

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

BYTES = {
    "SELECT word FROM by_year": (2 + 3) + (2 + 2),  # two and the text in UTF-8; a NULL is free
    "SELECT flag, share, day FROM by_year": 2 * 1 + 2 * 8 + 2 * 8,
    "SELECT COUNT(*) FROM by_year": 0,
    "SELECT * FROM by_year WHERE year = 2015": 8 + 1 + 8,
    "SELECT COUNT(*) FROM by_year WHERE word = 'abc'": 9,  # a filter reads its column in full
    "SELECT word FROM by_year WHERE year = 2014": 2 * 8 + 9,
    "SELECT flag FROM by_year WHERE year = @year": 2 * 8 + 1,
    "SELECT flag FROM by_year WHERE year BETWEEN 2015 AND 2020 AND flag": 8 + 1,
    "SELECT flag FROM by_year WHERE year = 2015 OR flag": 3 * 8 + 2,  # it does not select partitions
    "SELECT word FROM by_month WHERE month IN (DATE '2014-02-01')": 8 + 4,
    "SELECT w FROM (SELECT word AS w, month AS word FROM by_month) WHERE word > DATE '2014-12-31'": 3 * 8 + 12,
    "WITH t AS (SELECT flag FROM by_year) SELECT COUNTIF(flag) FROM t": 2,
    "SELECT a.flag FROM by_year AS a JOIN by_month AS b ON a.day = b.month": 2 + 2 * 8 + 3 * 8,
}


def test_a_dry_run_counts_columns_in_partitions(tmp_path_factory: pytest.TempPathFactory) -> None:
    with cloud_in(tmp_path_factory.mktemp("bytes")) as cloud:
        client = cloud.warehouse()._connect()
        client.create_dataset(DATASET)
        client.query(DDL).result()
        config = bigquery.QueryJobConfig(
            dry_run=True,
            default_dataset=f"{client.project}.{DATASET}",
            query_parameters=[bigquery.ScalarQueryParameter("year", "INT64", 2014)],
        )
        assert {query: client.query(query, config).total_bytes_processed for query in BYTES} == BYTES
