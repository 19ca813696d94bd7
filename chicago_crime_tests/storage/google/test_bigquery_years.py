"""Tests of `chicago_crime/resources/bigquery_years.py`: a question about partitions is billed, so few are asked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chicago_crime.storage.google.bigquery.live_tables import _CHANGED
from chicago_crime.tables import CRIMES, RAW_CRIMES, REJECTED_CRIMES, TABLES
from chicago_crime_tests.servers.bigquery_jobs_server import Job
from chicago_crime_tests.storage.google.cloud import Cloud, cloud_in
from chicago_crime_tests.support import crime, crimes_of_months


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with cloud_in(tmp_path) as found:
        found.load(found.warehouse(), 2014, crimes_of_months(2014))
        yield found


@pytest.fixture
def asked(cloud: Cloud) -> list[list[str]]:
    """The tables of each question about partitions, from now on."""
    questions: list[list[str]] = []

    def note(job: Job) -> None:
        query = job.configuration.get("query", {})
        if "INFORMATION_SCHEMA.PARTITIONS" in query.get("query", ""):
            [tables] = [one["parameterValue"]["arrayValues"] for one in query["queryParameters"]]
            questions.append(sorted(one["value"] for one in tables))

    cloud.bigquery.jobs.before_work = note
    return questions


def test_only_tables_that_changed_are_asked_about_again(cloud: Cloud, asked: list[list[str]]) -> None:
    reader, writer = cloud.warehouse(), cloud.warehouse()
    before = reader.stored_of_all(list(TABLES.values()))
    assert reader.stored_of_all(list(TABLES.values())) == before
    assert asked == [sorted(TABLES)]
    writer.load_csv(RAW_CRIMES, 2015, cloud.put(2015, [crime(year=2015, date="05/05/2015 10:00:00 AM")]))
    asked.clear()
    after = reader.stored_of_all(list(TABLES.values()))
    assert asked == [["raw_crimes"]]
    assert after == before | {"raw_crimes": after["raw_crimes"]}
    assert {year: held.rows for year, held in after["raw_crimes"].items()} == {2014: 36, 2015: 1}


def test_a_table_that_is_dropped_holds_nothing(cloud: Cloud) -> None:
    warehouse = cloud.warehouse()
    assert warehouse.stored_of_all([CRIMES, REJECTED_CRIMES])["crimes"][2014].rows == 36
    warehouse._connect().delete_table(warehouse.tables.reference_to("crimes"))
    assert warehouse.stored_of_all([CRIMES, REJECTED_CRIMES])["crimes"] == {}


def test_whether_migrated_tables_are_outdated_costs_no_further_question(cloud: Cloud, asked: list[list[str]]) -> None:
    writer, reader = cloud.warehouse(), cloud.warehouse()
    for table in TABLES.values():  # as adding a column leaves it; the rows are from before
        writer.tables._label(table, _CHANGED, 4e9)
    reader.stored_of_all(list(TABLES.values()))
    assert [reader.outdated(table) for table in (CRIMES, RAW_CRIMES)] == [[2014], [2014]]
    assert len(asked) == 1
