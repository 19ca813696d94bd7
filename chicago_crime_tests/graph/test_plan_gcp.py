"""Tests of `chicago_crime/plan_gcp.py`: what a plan says beforehand is what a run then does on Google Cloud."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chicago_crime.cli.app import app
from chicago_crime.graph.plan_types import BYTES_A_ROW, CloudPlan, Plan
from chicago_crime.graph.run import RunReport
from chicago_crime.settings import Settings, load_settings
from chicago_crime.storage.google.bigquery.costs import MIB, billed
from chicago_crime.storage.google.permissions import grants_for
from chicago_crime.storage.google.prices import machine_usd_per_hour
from chicago_crime.tables import TABLES
from chicago_crime_tests.servers.faults import Asked
from chicago_crime_tests.support import crimes_of_months, files_below, run_well, write_csv
from chicago_crime_tests.whole_cloud import DATASET, WholeCloud, whole_cloud

YEARS = (2014, 2015)
ROWS = 360
FIRST_TIME = {"dataset": 1, "all tables": 1, "community_areas": 1}
"""Writes to BigQuery that only the very first run makes."""


@dataclass
class Told:
    """A run on Google Cloud, what was planned before it, and what writes that made."""

    cloud: WholeCloud
    settings: Settings
    before: Plan
    writes_of_plan: list[str]
    files_of_plan: dict[str, bytes]
    writes: dict[str, int]
    report: RunReport
    queries: list[Asked]
    methods: set[str]
    after: Plan


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Two years, planned and then loaded."""
    folder = tmp_path_factory.mktemp("plan_gcp")
    for year in YEARS:
        write_csv(folder / "in" / f"{year}.csv", crimes_of_months(year, per_month=ROWS // 12))
    with whole_cloud(folder, source="folder", folder=folder / "in") as cloud:
        given = {name.removeprefix("CHICAGO_CRIME_").lower(): value for name, value in cloud.environment.items()}
        settings = load_settings(**given)
        before = plan_of(settings, YEARS)
        writes_of_plan, files = writes_in(cloud), files_below(folder / "data")
        began = {server: len(server.calls) for server in (cloud.storage, cloud.bigquery, cloud.dataproc)}
        [report] = run_well(settings, *YEARS)
        calls = [call for server, count in began.items() for call in server.calls[count:]]
        queries = [call for call in calls if call.call == "bigquery.jobs.query"]
        methods = {call.call.removesuffix(" (upload)") for call in calls}
        writes = {
            "objects": sum(call.call.startswith("storage.objects.insert") for call in cloud.storage.calls),
            "BigQuery": len(cloud.bigquery.writes()),
            "Dataproc": sum(call.method != "GET" for call in cloud.dataproc.calls),
        }
        now = writes_in(cloud), files_below(folder / "data")
        after = plan_of(settings, YEARS)
        assert (writes_in(cloud), files_below(folder / "data")) == now
        yield Told(cloud, settings, before, writes_of_plan, files, writes, report, queries, methods, after)


def writes_in(cloud: WholeCloud) -> list[str]:
    """Every call so far that changed something."""
    calls = [call for server in (cloud.storage, cloud.dataproc) for call in server.calls if call.method != "GET"]
    return [call.call for call in calls] + cloud.bigquery.writes()


def of_cloud(plan: Plan) -> CloudPlan:
    assert plan.cloud
    return plan.cloud


def read(plan: Plan, table: str, what: str) -> list[int]:
    return [reading.read for reading in of_cloud(plan).readings if (reading.table, reading.what) == (table, what)]


def test_a_plan_writes_nothing_here_or_there(told: Told) -> None:
    assert told.writes_of_plan == []
    assert told.files_of_plan == {}  # and the fixture sees that the second one changes nothing either


def test_before_anything_is_loaded_all_bytes_are_estimates_from_the_files(told: Told) -> None:
    assert all(reading.is_estimate for reading in of_cloud(told.before).readings)
    sizes = [(told.settings.data_dir.parent / "in" / f"{year}.csv").stat().st_size for year in YEARS]
    assert [year.bytes for year in told.before.years] == sizes
    assert of_cloud(told.before).uploaded == sum(sizes)
    of_raw = 12 * len(TABLES["raw_crimes"].columns)
    assert read(told.before, "crimes", "compute") == pytest.approx([n // BYTES_A_ROW * of_raw for n in sizes], rel=0.1)


def test_the_estimates_are_near_to_what_was_then_read(told: Told) -> None:
    for table, year in (("crimes", 2014), ("crimes", 2015), ("rejected_crimes", 2014)):
        [*estimates] = read(told.before, table, "compute")
        actual = told.report.metadata["crimes", year]["bigquery_bytes_estimated"]
        assert estimates[YEARS.index(year)] == pytest.approx(actual, rel=0.7)


def test_the_writes_are_those_that_the_run_then_made(told: Told) -> None:
    planned = of_cloud(told.before).writes
    programs = 5
    assert planned["Dataproc calls"] == told.writes["Dataproc"] == 3
    assert planned["BigQuery jobs or labels"] + sum(FIRST_TIME.values()) == told.writes["BigQuery"]
    assert planned["objects"] + programs == told.writes["objects"]
    assert (planned["objects"] + planned["BigQuery jobs or labels"]) / len(YEARS) <= 12


def test_the_queries_are_those_that_the_run_then_asked(told: Told) -> None:
    asked = [call.body for call in told.queries]
    lookups = sum(b"INFORMATION_SCHEMA" in body for body in asked)
    planned = [reading.what for reading in of_cloud(told.before).readings]
    assert planned.count("look up years") == pytest.approx(lookups, rel=0.1)
    assert planned.count("check") == len(asked) - lookups


METHODS = {
    "storage.buckets.get": {"storage.buckets.get"},  # Google's client looks, and does without if it may not
    "storage.batch": {"storage.objects.delete"},
    "storage.objects.compose": {"storage.objects.create", "storage.objects.get"},
    "storage.objects.delete": {"storage.objects.delete"},
    "storage.objects.get": {"storage.objects.get"},
    "storage.objects.insert": {"storage.objects.create", "storage.objects.delete"},
    "storage.objects.list": {"storage.objects.list"},
    "bigquery.datasets.get": {"bigquery.datasets.get"},
    "bigquery.datasets.insert": {"bigquery.datasets.create"},
    "bigquery.tables.get": {"bigquery.tables.get"},
    "bigquery.tables.patch": {"bigquery.tables.update"},
    "bigquery.jobs.get": {"bigquery.jobs.create"},  # of one's own jobs
    "bigquery.jobs.insert": {"bigquery.jobs.create"},
    "bigquery.jobs.query": {"bigquery.jobs.create", "bigquery.tables.getData", "bigquery.tables.list"},
    "clusters.create": {"dataproc.clusters.create"},
    "clusters.delete": {"dataproc.clusters.delete"},
    "clusters.get": {"dataproc.clusters.get"},
    "jobs.cancel": {"dataproc.jobs.cancel"},
    "jobs.get": {"dataproc.jobs.get"},
    "jobs.submit": {"dataproc.jobs.create", "dataproc.clusters.use"},
}
"""The permissions that Google's documentation names for each method."""


def test_a_run_calls_nothing_that_the_table_of_roles_does_not_allow(told: Told) -> None:
    allowed = {permission for grant in grants_for(told.settings) for permission in grant.permissions}
    assert {permission for needed in METHODS.values() for permission in needed} <= allowed
    assert told.methods
    assert {method for method in told.methods if method not in METHODS} == set()


def test_of_loaded_years_rows_and_bytes_are_known(told: Told) -> None:
    for year in told.after.years:
        assert year.loaded == {name: told.report.metadata[name, year.year]["partition_row_count"] for name in TABLES}
        assert year.loaded["crimes"] == ROWS
    for table in ("crimes", "crimes_monthly", "area_rates"):
        foreseen = [told.report.metadata[table, year]["bigquery_bytes_estimated"] for year in YEARS]
        assert read(told.after, table, "compute") == foreseen
    guessed = {reading.what for reading in of_cloud(told.after).readings if reading.is_estimate}
    assert guessed == {"load", "look up years", "see that all is of the year"}


def test_what_changed_is_looked_for_where_something_is_loaded(told: Told) -> None:
    assert read(told.before, "revisions", "compute") == []
    assert len(read(told.after, "revisions", "compute")) == len(YEARS)
    alone = plan_of(told.settings, YEARS, "crimes")  # crimes notes it, also where it is not chosen
    assert read(alone, "revisions", "compute") == read(told.after, "revisions", "compute")
    assert min(read(alone, "revisions", "compute")) > 0
    assert of_cloud(alone).writes["BigQuery jobs or labels"] == 4


def test_of_years_beside_loaded_ones_only_theirs_are_estimates(told: Told) -> None:
    plan = plan_of(told.settings, [2015, 2016], "crimes,crime_csv")
    kinds = [r.is_estimate for r in of_cloud(plan).readings if (r.table, r.what) == ("crimes", "compute")]
    assert kinds == [False, True]
    assert "the source folder has nothing for 2016" in plan.warnings[0]


def test_a_statement_above_the_cap_is_warned_of(told: Told) -> None:
    plan = plan_of(told.settings.model_copy(update={"bigquery_max_gb_billed": 3e-5}), YEARS, "crimes")
    assert of_cloud(plan).cap == 30_000
    above = {reading.table for reading in of_cloud(plan).above_cap}
    assert above == {"crimes", "revisions"}
    assert all("CHICAGO_CRIME_BIGQUERY_MAX_GB_BILLED" in warning for warning in plan.warnings)
    assert len(plan.warnings) == len(of_cloud(plan).above_cap)


def test_one_cluster_a_run_and_none_without_spark(told: Told) -> None:
    cloud = of_cloud(plan_of(told.settings, [2014, 2015, 2017], "crimes_daily"))
    assert (cloud.clusters, cloud.most_minutes) == (2, 240)
    assert cloud.machines == "a cluster of a master and 2 workers, n2-standard-4"
    alone = of_cloud(plan_of(told.settings, YEARS, "crimes,rejected_crimes"))
    assert (alone.machines, alone.clusters, alone.writes["Dataproc calls"], alone.writes["objects"]) == ("", 0, 0, 0)
    assert alone.usd["Spark's machines"] == 0


def test_what_it_costs_is_what_the_list_prices_make_of_it(told: Told) -> None:
    cloud = of_cloud(told.after)
    assert cloud.usd_at_most == pytest.approx(2 * 0.719145, rel=1e-4)  # three machines for two hours, by hand
    assert cloud.usd["queries"] == pytest.approx(sum(r.billed for r in cloud.readings) / 2**40 * 6.25)
    assert cloud.usd["bucket writes"] == pytest.approx(4 * 0.005 / 1000)
    of_rows = [reading for reading in cloud.readings if reading.what != "look up years"]
    assert all(r.billed % MIB == 0 and (r.billed >= 10 * MIB) == (r.read > 0) for r in of_rows)


def test_a_batch_costs_by_its_units(told: Told) -> None:
    settings = told.settings.model_copy(update={"dataproc_mode": "serverless"})
    cloud = of_cloud(plan_of(settings, YEARS, "crimes_daily"))
    assert cloud.machines == "a batch of 12 DCUs"
    assert cloud.usd_at_most == pytest.approx(12 * 0.06 * 2)


def test_a_machine_of_unknown_price_is_left_out(told: Told) -> None:
    settings = told.settings.model_copy(update={"dataproc_machine_type": "c4-standard-4"})
    cloud = of_cloud(plan_of(settings, YEARS, "crimes_daily"))
    assert cloud.usd_at_most is None
    assert "Spark's machines" not in cloud.usd


@pytest.mark.parametrize(
    ("machine", "usd"),
    [  # Google's list price of the machine, Dataproc's cent a vCPU and the disk
        ("n2-standard-4", 0.194236 + 0.04 + 0.005479),
        ("e2-standard-4", 0.134012 + 0.04 + 0.005479),
        ("n1-standard-4", 0.189999 + 0.04 + 0.005479),
        ("n2d-highmem-8", 0.455920 + 0.08 + 0.005479),
    ],
)
def test_the_price_of_a_machine(machine: str, usd: float) -> None:
    assert machine_usd_per_hour(machine, 100) == pytest.approx(usd, abs=1e-4)


def test_bytes_are_billed_by_whole_mib_and_ten_at_least() -> None:
    assert [billed(n) for n in (0, 1, 10 * MIB + 1)] == [0, 10 * MIB, 11 * MIB]
    assert billed(1, tables=3) == 30 * MIB


def test_the_command_shows_it_and_begins_nothing(told: Told, tmp_path: Path) -> None:
    before = writes_in(told.cloud)
    arguments = ["run", "--years", "2014-2015", "--dry-run"]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "160", **told.cloud.environment})
    assert result.exit_code == 0, result.output
    assert writes_in(told.cloud) == before
    text = " ".join(result.output.split())
    for part in (
        "no statement may read more than 20.0 GB",
        "API calls that write: at most 4 objects, 19 BigQuery jobs or labels, 3 Dataproc calls",
        "Spark: 1 x a cluster of a master and 2 workers, n2-standard-4",
        "120 at most (CHICAGO_CRIME_DATAPROC_MAX_MINUTES)",
        "estimated cost:",
    ):
        assert part in text
    assert json.dumps(DATASET) not in text
