"""Tests of the BigQuery warehouse where something goes wrong: answers get lost, writers meet, tables differ."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chicago_crime.storage.google.bigquery.warehouse import BigQueryWarehouse
from chicago_crime.storage.warehouse import WarehouseError
from chicago_crime.tables import CRIMES, RAW_CRIMES, REJECTED_CRIMES
from chicago_crime_tests.patience import PATIENCE_S
from chicago_crime_tests.servers.bigquery_jobs_server import Job
from chicago_crime_tests.servers.faults import NO_FAULT, Fault
from chicago_crime_tests.storage.google.cloud import DATASET, Cloud, cloud_in
from chicago_crime_tests.support import crime, crimes_of_months


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with cloud_in(tmp_path) as found:
        yield found


@pytest.fixture
def warehouse(cloud: Cloud) -> BigQueryWarehouse:
    """A warehouse whose tables are there and hold 2014."""
    warehouse = cloud.warehouse()
    cloud.load(warehouse, 2014, crimes_of_months(2014))
    return warehouse


FAULTS = {
    "429": Fault(status=429),
    "500": Fault(status=500),
    "503": Fault(status=503),
    "cut": Fault(cut_after=10),
    "lost": Fault(loses_answer=True),
    "slow": Fault(wait_s=0.2),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_every_call_may_fail_and_the_year_is_replaced_once(
    cloud: Cloud, warehouse: BigQueryWarehouse, fault: Fault
) -> None:
    """Every call fails the first time it is made, and does well the second time."""
    jobs = set(cloud.bigquery.jobs.by_id)
    for _ in range(100):
        cloud.bigquery.will(fault, on="/bigquery/")
        cloud.bigquery.will(NO_FAULT, on="/bigquery/")
    assert warehouse.replace_year(CRIMES, 2014).rows == 36
    cloud.bigquery.forget_faults()
    named = [id_ for id_ in set(cloud.bigquery.jobs.by_id) - jobs if id_.startswith("chicago_crime_crimes_2014_")]
    assert len(named) == 1
    assert cloud.years("crimes") == {2014: 36}


def test_a_later_materialization_runs_again(cloud: Cloud, warehouse: BigQueryWarehouse) -> None:
    for _ in range(2):
        warehouse.replace_year(CRIMES, 2014)
    assert sum(id_.startswith("chicago_crime_crimes_2014_") for id_ in cloud.bigquery.jobs.by_id) == 3


@pytest.mark.parametrize("reason", ["backendError", "internalError", "jobRateLimitExceeded"])
def test_a_job_that_failed_for_a_passing_reason_is_begun_anew(
    cloud: Cloud, warehouse: BigQueryWarehouse, reason: str
) -> None:
    cloud.bigquery.jobs.will_fail = [("BEGIN TRANSACTION", reason, "Try it again")] * 2
    assert warehouse.replace_year(CRIMES, 2014).rows == 36
    assert cloud.bigquery.jobs.will_fail == []


def test_a_job_that_fails_for_good_is_told_at_once(cloud: Cloud, warehouse: BigQueryWarehouse) -> None:
    cloud.bigquery.jobs.will_fail = [("BEGIN TRANSACTION", "resourcesExceeded", "Resources exceeded: too much")]
    with pytest.raises(WarehouseError, match=r"cannot compute crimes for 2014: .*Resources exceeded: too much"):
        warehouse.replace_year(CRIMES, 2014)
    assert cloud.years("crimes") == {2014: 36}


def test_bigquery_that_never_answers_is_told(cloud: Cloud, warehouse: BigQueryWarehouse) -> None:
    cloud.bigquery.will(Fault(status=503), times=1000)
    with pytest.raises(WarehouseError, match=r"cannot compute crimes for 2014: .*BigQuery.*503.*try again later"):
        warehouse.replace_year(CRIMES, 2014)


def test_two_writers_of_one_year_both_come_through_and_it_is_whole(cloud: Cloud, warehouse: BigQueryWarehouse) -> None:
    aborted: list[Job] = []
    meet = threading.Barrier(2, timeout=PATIENCE_S)

    def both_begin(job: Job) -> None:
        if "BEGIN TRANSACTION" in str(job.configuration) and len(met) < 2:
            met.append(job)
            meet.wait()

    met: list[Job] = []
    cloud.bigquery.engine.pause_s = 0.1
    cloud.bigquery.jobs.before_work = both_begin
    with ThreadPoolExecutor(2) as pool:  # as two processes: each has a warehouse of its own
        done = list(pool.map(lambda w: w.replace_year(CRIMES, 2014), [warehouse, cloud.warehouse()]))
    aborted = [job for job in cloud.bigquery.jobs.by_id.values() if job.error]
    assert [year.rows for year in done] == [36, 36]
    assert cloud.years("crimes") == {2014: 36}
    assert len(aborted) >= 1
    assert all("aborted due to concurrent update" in (job.error or {})["message"] for job in aborted)


def test_two_years_at_once_in_one_process_never_meet(cloud: Cloud, warehouse: BigQueryWarehouse) -> None:
    warehouse.load_csv(RAW_CRIMES, 2015, cloud.put(2015, crimes_of_months(2015)))
    cloud.bigquery.engine.pause_s = 0.05
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda year: warehouse.replace_year(CRIMES, year), [2014, 2015]))
    assert [job for job in cloud.bigquery.jobs.by_id.values() if job.error] == []
    assert cloud.years("crimes") == {2014: 36, 2015: 36}


def test_a_reader_sees_the_old_year_or_the_new_one_never_a_mix(cloud: Cloud, warehouse: BigQueryWarehouse) -> None:
    seen, stop = set(), threading.Event()
    reading = cloud.warehouse()

    def read() -> None:
        while not stop.is_set():
            rows = reading.query("SELECT COUNT(*) AS n, COUNT(DISTINCT arrest) AS flags FROM crimes").to_pylist()
            seen.add(tuple(rows[0].values()))

    cloud.bigquery.engine.pause_s = 0.1
    reader = threading.Thread(target=read)
    reader.start()
    for flag in ("true", "false"):
        cloud.load(warehouse, 2014, crimes_of_months(2014, arrest=flag))
    stop.set()
    reader.join()
    assert seen == {(36, 1)}


def test_a_column_that_is_new_is_added_by_itself_and_its_years_are_outdated(
    cloud: Cloud, warehouse: BigQueryWarehouse
) -> None:
    live = cloud.bigquery.catalog.find(DATASET, "crimes")
    cloud.bigquery.catalog.database.cursor().execute(f"ALTER TABLE {live.rows_table} DROP COLUMN ward")
    live.columns = [column for column in live.columns if column[0] != "ward"]
    cloud.load(cloud.warehouse(), 2015, [])  # what is there of 2015 is of no matter
    other = cloud.warehouse()
    assert "ward" in [name for name, _, _ in live.columns]
    assert other.outdated(CRIMES) == [2014]
    other.replace_year(CRIMES, 2014)
    assert other.outdated(CRIMES) == []
    assert {row["ward"] for row in cloud.bigquery.rows(DATASET, "crimes")} == {42}


def test_a_table_that_lacks_a_column_is_outdated_before_anything_is_written(
    cloud: Cloud, warehouse: BigQueryWarehouse
) -> None:
    live = cloud.bigquery.catalog.find(DATASET, "crimes")
    live.columns = [column for column in live.columns if column[0] != "ward"]
    assert cloud.warehouse().outdated(CRIMES) == [2014]
    assert warehouse.outdated(REJECTED_CRIMES) == []


def test_any_other_difference_is_told_with_the_migration(cloud: Cloud, warehouse: BigQueryWarehouse) -> None:
    catalog = cloud.bigquery.catalog
    crimes = catalog.find(DATASET, "crimes")
    catalog.add_column(crimes, "mood", "STRING", "How it felt.")
    with pytest.raises(
        WarehouseError, match=r"has a column mood STRING.*ALTER TABLE `chicago_crime\.crimes` DROP COLUMN"
    ):
        cloud.warehouse().replace_year(CRIMES, 2014)
    catalog.database.cursor().execute(f"ALTER TABLE {crimes.rows_table} ALTER COLUMN beat TYPE VARCHAR")
    crimes.columns = [
        (name, "STRING" if name == "beat" else kind, text) for name, kind, text in crimes.columns if name != "mood"
    ]
    with pytest.raises(WarehouseError, match=r"column beat is STRING and should be INT64.*DROP TABLE"):
        cloud.warehouse().replace_year(CRIMES, 2014)
    crimes.clusters = []
    with pytest.raises(WarehouseError, match="it is partitioned by"):
        cloud.warehouse().replace_year(CRIMES, 2014)
    assert cloud.years("crimes") == {2014: 36}


def test_a_sign_in_that_is_refused_is_told_without_the_token(cloud: Cloud, warehouse: BigQueryWarehouse) -> None:
    cloud.bigquery.will(Fault(status=401), times=1000)
    with pytest.raises(WarehouseError, match="sign in with") as caught:
        warehouse.replace_year(CRIMES, 2014)
    assert "ya29" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"


def test_half_typed_rows_never_show(cloud: Cloud, warehouse: BigQueryWarehouse) -> None:
    """A script that fails between DELETE and COMMIT leaves the old year."""
    warehouse.load_csv(RAW_CRIMES, 2014, cloud.put(2014, [crime()]))
    seen: list[dict[int, int]] = []
    cloud.bigquery.engine.pause_s = 0.3
    writer = threading.Thread(target=warehouse.replace_year, args=[CRIMES, 2014])
    writer.start()
    while writer.is_alive():
        seen.append(cloud.years("crimes"))
        writer.join(0.05)
    assert {tuple(years.items()) for years in seen} <= {((2014, 36),), ((2014, 1),)}
