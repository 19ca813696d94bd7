"""Readers see one consistent snapshot, whatever happens to a run or a file."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from chicago_crime.definitions import build_definitions
from chicago_crime.errors import UsageError
from chicago_crime.graph.dagster_internals import range_tags
from chicago_crime.graph.instance import open_instance
from chicago_crime.graph.run import report_of
from chicago_crime.installation import Installation
from chicago_crime.published.catalog import CATALOG, Catalog, NothingPublishedError, kept_snapshots, snapshots
from chicago_crime.published.publisher import Candidate
from chicago_crime.settings import Settings
from chicago_crime.storage.object_store import lake_record
from chicago_crime_tests.support import crimes_of_months, files_below, rows_of, run, run_well, warehouse_of, write_csv

INVARIANT = """
SELECT (SELECT COUNT(*) FROM crimes), (SELECT COUNT(*) FROM enriched_crimes), (SELECT SUM(crimes) FROM crimes_monthly),
       (SELECT COUNT(*) FROM crimes WHERE arrest), (SELECT SUM(arrests) FROM crime_type_count)
"""


def rows_now(settings: Settings, query: str = INVARIANT) -> tuple:
    [row] = Installation(settings).reader().first_rows(query, None).rows
    return row


def counts(settings: Settings) -> dict[int, int]:
    query = "SELECT year, COUNT(*) FROM crimes GROUP BY year"
    return dict(Installation(settings).reader().first_rows(query, None).rows)


def test_a_file_that_lost_rows_is_refused_and_other_years_continue(loaded_copy: Settings) -> None:
    write_csv(loaded_copy.folder / "2014.csv", crimes_of_months(2014)[:30])
    write_csv(loaded_copy.folder / "2015.csv", crimes_of_months(2015, arrest="true"))
    csv, lake, tables = (files_below(loaded_copy.data_dir / name) for name in ("csv", "objects/crimes", "warehouse"))
    [report] = run(loaded_copy, 2014, 2015)
    assert not report.success
    assert (list(report.left_out), report.failures) == ([2014], {})
    file = loaded_copy.folder / "2014.csv"
    assert f"{file}: 6 of the 36 published crimes of 2014 are missing from the new file" in report.reasons[0]
    assert report.reasons[0].endswith("in the UI, set the tag chicago_crime/accept to the reason")
    for name, before in (("csv", csv), ("objects/crimes", lake), ("warehouse", tables)):
        now = files_below(loaded_copy.data_dir / name)
        assert {file: now[file] for file in now if "2014" in file} == {f: before[f] for f in before if "2014" in f}
    assert rows_now(loaded_copy) == (72, 72, 72, 36, 36), "2015 is loaded"
    assert {year for _, year in report.metadata} == {2015}, "Dagster records nothing for the year that was left out"

    assert not run(loaded_copy, 2014, accept=" ")[0].success, "a blank reason is not accepted"
    [report] = run(loaded_copy, 2014, assets="crime_csv", accept="the City withdrew them")
    assert report.success, "even without the assets that publish"
    [report] = run(loaded_copy, 2014, accept="the City withdrew them")
    assert report.success
    assert counts(loaded_copy) == {2014: 30, 2015: 36}
    assert Installation(loaded_copy).published_years()[2014].accepted == "the City withdrew them"


def test_a_failed_check_keeps_the_published_year(loaded_copy: Settings) -> None:
    before = Installation(loaded_copy).reader().catalog
    write_csv(loaded_copy.folder / "2014.csv", crimes_of_months(2014, fbi_code="0820"))
    [report] = run(loaded_copy, 2014)
    assert "crimes:values_are_possible: " in report.reasons[0]
    assert f"check the columns of {loaded_copy.folder / '2014.csv'}" in report.reasons[0]
    assert "06" not in {row["fbi_code"] for row in rows_of(loaded_copy, "crimes", 2014)}, "it is loaded"
    assert Installation(loaded_copy).reader().catalog == before


def test_an_older_export_with_emptied_columns_is_refused(loaded_copy: Settings) -> None:
    """Not one of the same day whose times lost their seconds; a reason given in a step holds for the next run."""
    write_csv(loaded_copy.folder / "2014.csv", crimes_of_months(2014, updated_on="2018-02-10 15:50"))
    run_well(loaded_copy, 2014)
    rows = crimes_of_months(2014, district="", updated_on="02/10/2017 03:50:01 PM")
    lost = [row | {"date": row["date"].replace("10:15:00 AM", "12:00:00 AM")} for row in rows]
    write_csv(loaded_copy.folder / "2014.csv", lost)
    [report] = run(loaded_copy, 2014)
    assert "36 crimes have an older update in the new file than in the published 2014" in report.reasons[0]
    for column in ("district", "the time of day in date"):
        assert f"{column} has values in the published 2014, but none in the new file" in report.reasons[0]
    run_well(loaded_copy, 2014, assets="crime_csv", accept="the City withdrew the updates")
    run_well(loaded_copy, 2014, assets="key:crime_object+")
    run_well(loaded_copy, 2014)  # which finds no problem: the published year lacks the same values
    manifest = Installation(loaded_copy).source_files.manifest(2014)
    assert manifest and manifest.accepted == "the City withdrew the updates"
    assert Installation(loaded_copy).published_years()[2014].accepted == manifest.accepted


def test_losses_of_one_area_or_month_are_detected(settings: Settings) -> None:
    most = crimes_of_months(2014, per_month=100)
    few = [row | {"id": str(900_000_000 + n), "community_area": "9"} for n, row in enumerate(most[:60])]
    write_csv(settings.folder / "2014.csv", [*most, *few])
    run_well(settings, 2014)
    moved = [row | {"date": re.sub("^12", "11", row["date"])} for row in most]
    write_csv(settings.folder / "2014.csv", [*moved, *few[7:], most[0] | {"id": "7", "date": "12/31/2015 11:00:00 PM"}])
    with (settings.folder / "2014.csv").open("a") as file:
        file.write("cut short\n")
    [report] = run(settings, 2014)
    assert "1 of 1,255 lines cannot be read as rows; the first is line 1,256 (1 field" in report.reasons[0]
    assert "7 of the 60 published crimes of 2014 in community area 9" in report.reasons[0]
    assert "the new file has no crimes in 2014-12, but the published year does" in report.reasons[0]


def test_real_rows_replace_synthetic_ones_but_are_never_mixed_with_them(settings: Settings) -> None:
    real, sample = settings, Settings(data_dir=settings.data_dir, sample_rows=500)
    for year in (2014, 2015, 2016):
        write_csv(real.folder / f"{year}.csv", crimes_of_months(year))
    run_well(real, 2016, assets="not key:published")
    run_well(sample, 2014, 2015)
    [late] = run(sample, 2016, assets="published")
    assert "2016: the snapshot would have both real and SYNTHETIC rows" in late.reasons[0]
    with pytest.raises(UsageError, match="this data folder has published SYNTHETIC rows of 2014"):
        run(real, 2015, 2016, accept="whatever")
    run_well(real, 2014, 2015)
    refused = "this data folder has published real rows of 2014-2015"
    with pytest.raises(UsageError, match=refused):
        run(sample, 2016, accept="whatever")
    job = build_definitions(Installation(sample)).resolve_job_def("load_and_publish")
    with open_instance(sample) as instance:
        assert len(instance.get_runs()) == 4, "refused runs did not start"
        done = job.execute_in_process(instance=instance, tags=range_tags(2016, 2016), raise_on_error=False)
        assert refused in report_of(instance, done.run_id).reasons[0], "also for runs started in the UI"
    assert counts(real) == {2014: 36, 2015: 36}


def test_a_run_does_not_overwrite_a_year_published_after_it_started(loaded_copy: Settings) -> None:
    """Two machines can share a store, but not locks."""
    installation = Installation(loaded_copy)
    before = installation.published_years()
    write_csv(loaded_copy.folder / "2014.csv", crimes_of_months(2014, arrest="true"))
    run_well(loaded_copy, 2014)
    write_csv(loaded_copy.folder / "2014.csv", crimes_of_months(2014, domestic="true"))
    run_well(loaded_copy, 2014, assets="key:crime_csv+ and not key:published")
    publisher = installation.publisher(warehouse_of(loaded_copy))
    lake = lake_record(installation.object_store, 2014)
    candidate = Candidate(source={"sha256": lake.source_sha256}, lake=lake, before=before[2014])
    result = publisher.publish({2014: candidate}, "slow")
    assert "published 2014 at" in result.refused[2014]
    assert rows_now(loaded_copy)[3:] == (36, 36)


@pytest.mark.slow
def test_concurrent_publishers_publish_the_years_of_both(loaded_copy: Settings) -> None:
    for year in (2014, 2015):
        write_csv(loaded_copy.folder / f"{year}.csv", crimes_of_months(year, arrest="true"))
    command = [sys.executable, "-c", "from chicago_crime.cli.app import main; main()", "run"]
    folders = [f"--folder={loaded_copy.folder}", f"--data-dir={loaded_copy.data_dir}"]
    runs = [subprocess.Popen([*command, f"--years={year}", *folders]) for year in (2014, 2015)]
    assert [process.wait() for process in runs] == [0, 0]
    assert rows_now(loaded_copy) == (72, 72, 72, 72, 72)
    assert len(snapshots(Installation(loaded_copy).object_store)) == 3


def test_as_of_opens_the_newest_snapshot_at_the_end_of_the_day_in_chicago(loaded_copy: Settings) -> None:
    installation = Installation(loaded_copy)
    folder = loaded_copy.data_dir / "objects" / "published" / "snapshots"
    [current] = folder.iterdir()
    for name in ("20250302T055959Z-aaaa", "20250302T060000Z-bbbb"):
        (folder / f"{name}.json").write_text(current.read_text().replace(current.stem, name))
    day = datetime(2025, 3, 1).date()
    assert installation.reader(day).catalog.snapshot == "20250302T055959Z-aaaa"
    assert installation.reader(day + timedelta(1)).catalog.snapshot == "20250302T060000Z-bbbb"
    with pytest.raises(NothingPublishedError, match="the oldest one is from 2025-03-01"):
        installation.reader(day - timedelta(1))


def test_unchanged_data_publishes_nothing_and_new_data_removes_expired_files(loaded_copy: Settings) -> None:
    folder = loaded_copy.data_dir / "objects" / "published"
    [current] = (folder / "snapshots").iterdir()
    old = f"{datetime.now(UTC) - timedelta(days=401):%Y%m%dT%H%M%SZ}-aaaa"
    (folder / "snapshots" / f"{old}.json").write_text(current.read_text().replace(current.stem, old))
    stray = folder / "data" / "crimes" / "2014" / "0123456789abcdef.parquet"
    stray.write_bytes(b"left by a killed publisher")
    before = files_below(folder)
    run_well(loaded_copy, 2014, 2015)
    assert files_below(folder) == before, "nothing was published or removed"
    write_csv(loaded_copy.folder / "2014.csv", crimes_of_months(2014, arrest="true"))
    damaged = folder / "snapshots" / "20300101T000000Z-aaaa.json"
    damaged.write_bytes(b"{")
    run_well(loaded_copy, 2014)
    assert stray.exists(), "the damaged snapshot may reference it"
    assert rows_now(loaded_copy) == (72, 72, 72, 36, 36)
    assert Installation(loaded_copy).reader().catalog.changed == [2014]
    assert Installation(loaded_copy).reader(current.stem).first_rows(INVARIANT, None).rows == [(72, 72, 72, 0, 0)]
    damaged.rename(damaged.with_name(f"{datetime.now(UTC) - timedelta(days=9):%Y%m%dT%H%M%SZ}-aaaa.json"))
    write_csv(loaded_copy.folder / "2014.csv", crimes_of_months(2014, domestic="true"))
    run_well(loaded_copy, 2014)
    assert not stray.exists(), "it is newer than the damaged snapshot"
    assert old not in snapshots(Installation(loaded_copy).object_store)
    assert (folder / "snapshots" / current.name).exists()
    kept = dict(kept_snapshots(Installation(loaded_copy).object_store)).values()
    referenced = set[str]().union(*(one.keys for one in kept if isinstance(one, Catalog)))
    assert {f"published/data/{name}" for name in files_below(folder / "data")} == referenced


def test_published_files_are_hard_links(loaded_years: Settings) -> None:
    links = {file.stat().st_ino for file in (loaded_years.data_dir / "warehouse").rglob("*.parquet")}
    data = list((loaded_years.data_dir / "objects" / "published" / "data").rglob("*.parquet"))
    assert data
    assert all(file.stat().st_ino in links for file in data)


def test_published_years_may_lack_a_newer_table(loaded_copy: Settings) -> None:
    objects = loaded_copy.data_dir / "objects"
    catalog = json.loads((objects / CATALOG).read_text())
    del catalog["years"]["2014"]["tables"]["code_coverage"]
    (objects / CATALOG).write_text(json.dumps(catalog))
    write_csv(loaded_copy.folder / "2015.csv", crimes_of_months(2015, arrest="true"))
    run_well(loaded_copy, 2015)
    assert counts(loaded_copy) == {2014: 36, 2015: 36}
    with duckdb.connect(str(loaded_copy.data_dir / "warehouse" / "warehouse.duckdb"), read_only=True) as views:
        assert views.sql("SELECT DISTINCT year FROM code_coverage").fetchall() == [(2015,)]
        [(tags,)] = views.sql("SELECT tags FROM duckdb_databases() WHERE NOT internal").fetchall()
        assert tags["storage_version"].startswith("v1.0.0"), "programs with DuckDB 1.1 cannot open newer formats"
