"""Tests of the BigQuery warehouse: the effect of each operation on the tables, and of lost responses and conflicts."""

import hashlib
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from unittest.mock import Mock

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chicago_crime.installation import build_bigquery
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.bigquery import jobs
from chicago_crime.storage.google.bigquery.jobs import JobFailedError
from chicago_crime.storage.google.bigquery.warehouse import BigQueryWarehouse
from chicago_crime.storage.lineage import Lineage
from chicago_crime.storage.warehouse import TableYear, WarehouseError
from chicago_crime.tables import AREA_RATES, CRIME_TYPE_COUNT, CRIMES, RAW_CRIMES, REJECTED_CRIMES, REVISIONS
from chicago_crime.tables.marts import CRIMES_DAILY
from chicago_crime_tests.servers.bigquery_catalog import LiveTable
from chicago_crime_tests.servers.bigquery_engine import Job
from chicago_crime_tests.servers.faults import NO_FAULT, Fault
from chicago_crime_tests.support import crime, crimes_of_months, write_csv
from chicago_crime_tests.whole_cloud import BUCKET, DATASET, STAGING, WholeCloud, whole_cloud

POLICY = RetryPolicy(timeout_s=10, first_wait_s=0.02, deadline_s=5)


class Cloud(WholeCloud):
    """The servers, with helpers that load rows into the bucket and the tables."""

    def warehouse(self, **changes: object) -> BigQueryWarehouse:
        """A new warehouse with empty caches, as in another process."""
        return replace(build_bigquery(self.settings.model_copy(update=changes)), policy=POLICY)

    def load(self, warehouse: BigQueryWarehouse, year: int, rows: Sequence[dict[str, str]]) -> None:
        """Load rows into the raw table, and from there into the typed ones."""
        self.load_raw(warehouse, year, rows)
        warehouse.replace_year(CRIMES, year)
        warehouse.replace_year(REJECTED_CRIMES, year)

    def load_raw(self, warehouse: BigQueryWarehouse, year: int, rows: Sequence[dict[str, str]]) -> TableYear:
        content, key = write_csv(self.folder / f"{year}.csv", rows).read_bytes(), f"crimes/{year}.csv"
        self.storage.buckets.write(BUCKET, key, content)
        return warehouse.load_csv(RAW_CRIMES, year, f"gs://{BUCKET}/{key}", hashlib.sha256(content).hexdigest())

    def years(self, table: str) -> dict[int, int]:
        """Number of rows by year of a table of crimes."""
        return dict(Counter(row["year"] for row in self.bigquery.rows(DATASET, table)))


@pytest.fixture
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud without tables."""
    with whole_cloud(tmp_path_factory.mktemp("cloud"), False, Cloud) as made:
        yield made


@pytest.fixture
def warehouse(cloud: Cloud) -> BigQueryWarehouse:
    return cloud.warehouse()


@pytest.fixture
def loaded(cloud: Cloud, warehouse: BigQueryWarehouse) -> BigQueryWarehouse:
    """A warehouse with 2014."""
    cloud.load(warehouse, 2014, crimes_of_months(2014))
    return warehouse


def counts(year: int, *names: str) -> pa.Table:
    """Rows of crime_type_count, one per crime type."""
    numbers = {"crimes": 1, "arrests": 0, "arrest_rate": 0.0, "domestic_crimes": 0}
    return pa.Table.from_pylist([{"year": year, "primary_type": name, **numbers} for name in names])


def put_parquet(cloud: Cloud, name: str, rows: pa.Table) -> str:
    """Store rows as a Parquet object below a folder; returns the folder's address."""
    file = cloud.storage.buckets.path(BUCKET, f"{name}/part/0.parquet")
    file.parent.mkdir(parents=True)
    pq.write_table(rows, file)
    return f"gs://{BUCKET}/{name}"


def test_tables_are_created_as_defined(cloud: Cloud) -> None:
    warehouse = cloud.warehouse()
    with pytest.raises(WarehouseError, match="To load a year: "):
        warehouse.first_rows("SELECT * FROM crimes", None)
    cloud.load_raw(warehouse, 2014, [crime()])
    client = warehouse.jobs.client()
    crimes, raw, monthly = (client.get_table(f"{DATASET}.{one}") for one in ("crimes", "raw_crimes", "crimes_monthly"))
    assert [(f.name, f.description) for f in crimes.schema] == [(c.name, c.description) for c in CRIMES.columns]
    assert (crimes.time_partitioning.type_, crimes.time_partitioning.field) == ("MONTH", "month")
    assert crimes.clustering_fields == ["primary_type"]
    assert (raw.time_partitioning.type_, raw.time_partitioning.field) == ("YEAR", None)
    assert {field.field_type for field in raw.schema} == {"STRING"}
    assert (monthly.range_partitioning.field, monthly.range_partitioning.range_.interval) == ("year", 1)
    assert "One row per reported crime" in crimes.description
    assert crimes.labels == {"platform": "chicago_crime"}
    assert client.get_dataset(DATASET).location == "us-central1"


def test_a_failed_load_keeps_the_old_year(cloud: Cloud, warehouse: BigQueryWarehouse) -> None:
    cloud.load_raw(warehouse, 2014, crimes_of_months(2014))
    cloud.storage.buckets.write(BUCKET, "crimes/broken.csv", b"id,date\n1\n")
    with pytest.raises(WarehouseError, match=r"cannot load gs://.*broken\.csv into raw_crimes: Error while reading"):
        warehouse.load_csv(RAW_CRIMES, 2014, f"gs://{BUCKET}/crimes/broken.csv", "checksum")
    wrong = counts(2014, "THEFT").set_column(2, "crimes", pa.array(["many"]))
    for name, rows, problem in (
        ("strange", counts(2013, "THEFT"), "a row for crime_type_count is not from 2014"),
        ("lacking", pa.table({"year": [2014]}), "Unrecognized name: primary_type"),
        ("wrong", wrong, "many"),
    ):
        with pytest.raises(WarehouseError, match=f"cannot load 2014 into crime_type_count: .*{problem}"):
            warehouse.load_parquet(CRIME_TYPE_COUNT, 2014, put_parquet(cloud, name, rows))
    assert warehouse.stored(RAW_CRIMES)[2014].rows == 36
    assert warehouse.stored(CRIME_TYPE_COUNT) == {}


def test_parquet_is_loaded_through_staging_tables_that_expire(cloud: Cloud, warehouse: BigQueryWarehouse) -> None:
    warehouse.load_parquet(CRIME_TYPE_COUNT, 2015, put_parquet(cloud, "old", counts(2015, "ARSON")))
    folder = put_parquet(cloud, "made", counts(2014, "ARSON", "THEFT"))
    staged: list[LiveTable] = []

    def note(job: Job) -> None:
        tables = cloud.bigquery.catalog.tables.values()
        if "FROM `staged" in str(job.configuration):
            staged.extend(table for table in tables if "staged" in table.name)

    cloud.bigquery.jobs.before_work = note
    stored = warehouse.load_parquets({CRIME_TYPE_COUNT: folder, CRIMES_DAILY: f"gs://{BUCKET}/none"}, 2014)
    assert (stored["crime_type_count"].rows, stored["crimes_daily"].rows) == (2, 0)
    assert cloud.years("crime_type_count") == {2014: 2, 2015: 1}
    assert list(warehouse.stored(CRIMES_DAILY)) == [2014]
    [table] = staged
    assert int(table.about["expirationTime"]) / 1000 == pytest.approx(time.time() + 86_400, abs=600)
    assert table.name not in [name for _, name in cloud.bigquery.catalog.tables]
    # A published file is restored with its lineage.
    one = cloud.storage.buckets.names(BUCKET, "made/")[0]
    lineage = Lineage("0123456789abcdef", "fedcba9876543210")
    assert warehouse.load_parquet(CRIME_TYPE_COUNT, 2014, f"gs://{BUCKET}/{one}", lineage).lineage == lineage
    assert cloud.warehouse().stored(CRIME_TYPE_COUNT)[2014].lineage == lineage


def test_a_year_records_its_lineage_and_its_rows(cloud: Cloud, warehouse: BigQueryWarehouse) -> None:
    block = "001XX \x01N STATE\x1f"  # by default, BigQuery drops control characters
    cloud.load(warehouse, 2014, [*crimes_of_months(2014), crime(id="", block=block)])
    assert block in {row["block"] for row in cloud.bigquery.rows(DATASET, "raw_crimes")}
    raw, typed, rejected = (warehouse.stored(table)[2014] for table in (RAW_CRIMES, CRIMES, REJECTED_CRIMES))
    assert [year.rows for year in (raw, typed, rejected)] == [37, 36, 1]
    checksum = hashlib.sha256(cloud.storage.buckets.read(BUCKET, "crimes/2014.csv")).hexdigest()
    assert raw.lineage == Lineage.of(RAW_CRIMES, [checksum])
    assert typed.lineage == Lineage.of(CRIMES, [raw.lineage.identity])
    assert raw.bytes == cloud.bigquery.catalog.size(cloud.bigquery.catalog.find(DATASET, "raw_crimes"))[1]
    cloud.load_raw(warehouse, 2014, crimes_of_months(2014))
    changed = warehouse.stored(RAW_CRIMES)[2014].lineage
    assert changed and typed.lineage and typed.lineage.inputs != Lineage.of(CRIMES, [changed.identity]).inputs
    assert warehouse.replace_year(CRIMES, 2014).lineage == Lineage.of(CRIMES, [changed.identity])


def test_a_year_is_not_loaded_if_the_run_dies_during_the_write(cloud: Cloud, warehouse: BigQueryWarehouse) -> None:
    for year in (2014, 2015):
        cloud.load(warehouse, year, crimes_of_months(year))
    cloud.bigquery.will(Fault(status=400), on="tables/crimes", after=2)  # the label after the write
    with pytest.raises(WarehouseError, match="cannot label crimes"):
        warehouse.replace_year(CRIMES, 2014)
    assert list(cloud.warehouse().stored(CRIMES)) == [2015]
    assert warehouse.clear_year(CRIMES, 2014).rows == 0  # deletes its rows although they have no label
    assert cloud.years("crimes") == {2015: 36}


@pytest.mark.parametrize("writes_no_rows", [True, False], ids=["a file of no rows", "no file"])
def test_tables_are_fetched_in_order_as_of_one_instant(
    cloud: Cloud, warehouse: BigQueryWarehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes_no_rows: bool
) -> None:
    cloud.bigquery.catalog.exports_no_rows = writes_no_rows
    for year in (2014, 2015):
        cloud.load(warehouse, year, [*crimes_of_months(year), crime(id="")])
        warehouse.clear_year(REVISIONS, year)
    warehouse.leases.mkdir(parents=True, exist_ok=True)
    (warehouse.leases / "dead").write_text("an export that was killed")
    cloud.storage.buckets.write(STAGING, "exports/dead/crimes/1.parquet", b"")
    connect = Mock(wraps=duckdb.connect)
    monkeypatch.setattr(duckdb, "connect", connect)
    files = warehouse.fetch_parquet([CRIMES, REJECTED_CRIMES, REVISIONS], [2014, 2015], tmp_path)
    connect.assert_called_once()  # each database could use the full memory limit
    rows = {key: pq.read_table(file) for key, file in files.items()}
    expected = {"crimes": 36, "rejected_crimes": 1, "revisions": 0}
    assert {key: len(found) for key, found in rows.items()} == {
        (name, year): count for year in (2014, 2015) for name, count in expected.items()
    }
    assert rows["revisions", 2014].column_names == [column.name for column in REVISIONS.columns]
    crimes = rows["crimes", 2014]
    assert crimes.column_names == [column.name for column in CRIMES.columns]
    order = [tuple(row[name] for name in CRIMES.total_order) for row in crimes.to_pylist()]
    assert order == sorted(order)
    assert crimes.schema.field("date").type == pa.timestamp("us")
    sent = "\n".join(str(job.configuration) for job in cloud.bigquery.jobs.by_id.values())
    assert len({*re.findall("SYSTEM_TIME AS OF .*?'(.*?)'", sent)}) == 1
    assert cloud.storage.buckets.names(STAGING, "exports/") == [*warehouse.leases.iterdir()] == []
    assert sorted(tmp_path.iterdir()) == sorted(files.values())


def test_an_empty_year_is_a_stored_year(cloud: Cloud, warehouse: BigQueryWarehouse) -> None:
    for year in (2014, 2015):
        cloud.load(warehouse, year, [*crimes_of_months(year, months=[1]), crime(id="")])
    for table in (RAW_CRIMES, CRIMES, REJECTED_CRIMES):
        other = warehouse.stored(table)[2015].rows
        assert warehouse.clear_year(table, 2014).rows == 0
        found = cloud.warehouse().stored(table)
        assert {year: stored.rows for year, stored in found.items()} == {2014: 0, 2015: other}
    assert warehouse.count_by(REJECTED_CRIMES, [2014], "reason") == {2014: {}}
    assert warehouse.measure(REJECTED_CRIMES, [2014], {"n": "COUNT(*)"}) == {2014: {"n": 0}}
    cloud.load(warehouse, 2014, [crime(id="")])
    assert warehouse.stored(REJECTED_CRIMES)[2014].rows == 1


def test_a_query_changes_nothing_and_a_large_statement_is_refused(cloud: Cloud, loaded: BigQueryWarehouse) -> None:
    found = loaded.first_rows("SELECT month, COUNT(*) AS n FROM crimes GROUP BY month ORDER BY month", 1)
    assert (found.columns, found.rows) == (["month", "n"], [(date(2014, 1, 1), 3)])
    with pytest.raises(WarehouseError, match="Unrecognized name: nothing"):
        loaded.first_rows("SELECT nothing FROM crimes", None)
    for statement in ("DELETE FROM crimes WHERE TRUE", "DROP TABLE crimes", "SELECT 1; SELECT 2"):
        with pytest.raises(WarehouseError, match="only SELECT statements are run"):
            loaded.first_rows(statement, None)
    cloud.load_raw(cloud.warehouse(), 2014, crimes_of_months(2014, months=[1, 2, 3, 4, 5]))
    small = cloud.warehouse(bigquery_max_gb_billed=1e-6)
    refused = r"Query exceeded limit.*CHICAGO_CRIME_BIGQUERY_MAX_GB_BILLED"
    for use in (lambda: small.replace_year(CRIMES, 2014), lambda: small.first_rows("SELECT * FROM crimes", None)):
        with pytest.raises(JobFailedError, match=refused):
            use()
    assert cloud.years("crimes") == {2014: 36}


def test_jobs_have_labels_and_report_their_costs(cloud: Cloud, loaded: BigQueryWarehouse) -> None:
    details = loaded.for_run("0f1e-RUN").replace_year(CRIMES, 2014).details
    job = list(cloud.bigquery.jobs.by_id.values())[-1]
    labels = {"platform": "chicago_crime", "asset": "crimes", "year": "2014", "run": "0f1e-run"}
    assert job.configuration["labels"] == labels
    assert job.id.startswith("chicago_crime_crimes_2014_")
    assert details["bigquery_bytes_billed"] >= 10 << 20
    assert details["bigquery_estimated_usd"] == pytest.approx(details["bigquery_bytes_billed"] / 2**40 * 6.25, abs=1e-6)


def test_reference_tables_are_loaded_once_and_after_a_change(cloud: Cloud, loaded: BigQueryWarehouse) -> None:
    def loads() -> int:
        jobs = cloud.bigquery.jobs.by_id.values()
        return sum("CREATE OR REPLACE TABLE `community_areas`" in str(job.configuration) for job in jobs)

    loaded.replace_year(AREA_RATES, 2014)
    before = loads()
    cloud.warehouse().replace_year(AREA_RATES, 2014)
    assert loads() == before
    assert len(cloud.bigquery.rows(DATASET, "community_areas")) == 77
    cloud.bigquery.catalog.find(DATASET, "community_areas").labels["content"] = "older"
    cloud.warehouse().replace_year(AREA_RATES, 2014)
    assert loads() == before + 1


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(loses_answer=True)], ids=["503", "lost response"])
def test_each_request_may_fail_once(cloud: Cloud, loaded: BigQueryWarehouse, fault: Fault) -> None:
    before = set(cloud.bigquery.jobs.by_id)
    for _ in range(100):
        cloud.bigquery.will(fault, on="/bigquery/")
        cloud.bigquery.will(NO_FAULT, on="/bigquery/")
    assert loaded.replace_year(CRIMES, 2014).rows == 36
    cloud.bigquery.forget_faults()
    named = [id_ for id_ in set(cloud.bigquery.jobs.by_id) - before if id_.startswith("chicago_crime_crimes_2014_")]
    assert len(named) == 1
    assert cloud.years("crimes") == {2014: 36}


def test_a_job_is_restarted_after_a_transient_failure_only(
    cloud: Cloud, loaded: BigQueryWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    reasons = {"backendError": "Try it again", "jobRateLimitExceeded": "Try it again"}
    reasons["invalidQuery"] = "Could not serialize access to table crimes due to concurrent update"
    cloud.bigquery.jobs.will_fail = [("MERGE", *reason) for reason in reasons.items()]
    assert loaded.replace_year(CRIMES, 2014).rows == 36
    assert cloud.bigquery.jobs.will_fail == []
    for reason, message in (("quotaExceeded", "responds with 403"), ("accessDenied", "denies permission")):
        cloud.bigquery.jobs.will_fail = [("MERGE", reason, "No more for this table")]
        with pytest.raises(WarehouseError, match=rf"{message} \(No more for this table\)"):
            loaded.replace_year(CRIMES, 2014)
    monkeypatch.setattr(jobs, "JOB_DEADLINE_S", 0)
    cloud.bigquery.jobs.will_fail = [("MERGE", "backendError", "Try it again")]
    with pytest.raises(JobFailedError, match="2014: Try it again, even after restarts: try again later"):
        loaded.replace_year(CRIMES, 2014)


def test_an_export_needs_its_years_and_keeps_no_files_of_a_failed_job(cloud: Cloud, loaded: BigQueryWarehouse) -> None:
    with pytest.raises(WarehouseError, match=r"crimes has no year 2017.*run --years 2017`"):
        loaded.export_parquet(CRIMES, [2014, 2017], f"gs://{STAGING}/in")
    left = [b"half of the rows"]
    cloud.bigquery.jobs.will_fail = [("EXPORT DATA", "backendError", "Try it again")]
    cloud.bigquery.jobs.before_work = lambda job: (
        left and cloud.storage.buckets.write(STAGING, "in/crimes-9.parquet", left.pop())
    )
    loaded.export_parquet(CRIMES, [2014], f"gs://{STAGING}/in")
    [name] = cloud.storage.buckets.names(STAGING, "in/")
    rows = pq.read_table(cloud.storage.buckets.path(STAGING, name))
    assert (len(rows), rows.schema.field("date").type) == (36, pa.timestamp("us"))


@pytest.mark.usefixtures("loaded")
def test_a_table_with_other_columns_is_outdated_and_refused_with_the_fix(cloud: Cloud) -> None:
    catalog = cloud.bigquery.catalog
    crimes = catalog.find(DATASET, "crimes")
    catalog.database.execute(f"ALTER TABLE {crimes.rows_table} RENAME ward TO mood")
    crimes.columns = [("mood", *column[1:]) if column[0] == "ward" else column for column in crimes.columns]
    steps = r"DROP TABLE `chicago_crime\.crimes`, and load its years again"
    with pytest.raises(WarehouseError, match=f"ward is missing, expected INT64; mood is INT64, .*{steps}"):
        cloud.warehouse().replace_year(CRIMES, 2014)
    warehouse = cloud.warehouse()
    assert (warehouse.outdated(CRIMES), warehouse.outdated(REJECTED_CRIMES)) == ([2014], [])
