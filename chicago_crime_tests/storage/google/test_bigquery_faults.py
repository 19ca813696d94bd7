"""Tests of the BigQuery warehouse when something fails: lost responses, conflicting writers, changed tables."""

import pytest

from chicago_crime.storage.google.bigquery import jobs
from chicago_crime.storage.google.bigquery.jobs import JobFailedError
from chicago_crime.storage.google.bigquery.warehouse import BigQueryWarehouse
from chicago_crime.storage.warehouse import WarehouseError
from chicago_crime.tables import CRIMES, REJECTED_CRIMES
from chicago_crime_tests.servers.faults import NO_FAULT, Fault
from chicago_crime_tests.storage.google.cloud import Cloud
from chicago_crime_tests.support import crimes_of_months
from chicago_crime_tests.whole_cloud import DATASET, STAGING


@pytest.fixture
def warehouse(cloud: Cloud) -> BigQueryWarehouse:
    """A warehouse with 2014."""
    warehouse = cloud.warehouse()
    cloud.load(warehouse, 2014, crimes_of_months(2014))
    return warehouse


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(loses_answer=True)], ids=["503", "lost response"])
def test_each_request_may_fail_once(cloud: Cloud, warehouse: BigQueryWarehouse, fault: Fault) -> None:
    jobs = set(cloud.bigquery.jobs.by_id)
    for _ in range(100):
        cloud.bigquery.will(fault, on="/bigquery/")
        cloud.bigquery.will(NO_FAULT, on="/bigquery/")
    assert warehouse.replace_year(CRIMES, 2014).rows == 36
    cloud.bigquery.forget_faults()
    named = [id_ for id_ in set(cloud.bigquery.jobs.by_id) - jobs if id_.startswith("chicago_crime_crimes_2014_")]
    assert len(named) == 1
    assert cloud.years("crimes") == {2014: 36}


def test_a_job_is_restarted_after_a_transient_failure_only(
    cloud: Cloud, warehouse: BigQueryWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    reasons = {"backendError": "Try it again", "jobRateLimitExceeded": "Try it again"}
    reasons["invalidQuery"] = "Could not serialize access to table crimes due to concurrent update"
    cloud.bigquery.jobs.will_fail = [("MERGE", *reason) for reason in reasons.items()]
    assert warehouse.replace_year(CRIMES, 2014).rows == 36
    assert cloud.bigquery.jobs.will_fail == []
    for reason, message in (("quotaExceeded", "responds with 403"), ("accessDenied", "denies permission")):
        cloud.bigquery.jobs.will_fail = [("MERGE", reason, "No more for this table")]
        with pytest.raises(WarehouseError, match=rf"{message} \(No more for this table\)"):
            warehouse.replace_year(CRIMES, 2014)
    monkeypatch.setattr(jobs, "JOB_DEADLINE_S", 0)
    cloud.bigquery.jobs.will_fail = [("MERGE", "backendError", "Try it again")]
    with pytest.raises(JobFailedError, match="2014: Try it again, even after restarts: try again later"):
        warehouse.replace_year(CRIMES, 2014)


def test_files_of_a_failed_export_are_not_read(cloud: Cloud, warehouse: BigQueryWarehouse) -> None:
    left = [b"half of the rows"]
    cloud.bigquery.jobs.will_fail = [("EXPORT DATA", "backendError", "Try it again")]
    cloud.bigquery.jobs.before_work = lambda job: (
        left and cloud.storage.buckets.write(STAGING, "in/crimes-9.parquet", left.pop())
    )
    warehouse.export_parquet(CRIMES, [2014], f"gs://{STAGING}/in")
    assert cloud.storage.buckets.names(STAGING, "in/") == ["in/crimes-000000000000.parquet"]


@pytest.mark.usefixtures("warehouse")
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
