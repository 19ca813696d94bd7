"""Tests of the `chicago-crime` command, and with it of `run.py`, `status.py`, `screen.py` and `answer.py`."""

import csv
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from dagster import AssetKey, DagsterRunStatus
from typer.testing import CliRunner, Result

from chicago_crime.cli.app import app
from chicago_crime.graph.instance import open_instance
from chicago_crime.settings import load_settings
from chicago_crime_tests.servers.portal_server import PortalServer
from chicago_crime_tests.support import crimes_of_months, folder_settings, run_well, write_csv

NOBODY = "http://127.0.0.1:9"
"""An address that nobody answers at."""


def command(*arguments: object, **environment: str) -> Result:
    """Give a command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "100", **environment})


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with 2014 and 2016 of real shape (not synthetic)."""
    folder = tmp_path_factory.mktemp("cli")
    for year in (2014, 2016):
        write_csv(folder / "in" / f"{year}.csv", crimes_of_months(year))
    run_well(folder_settings(folder / "data", folder / "in"), 2014, 2016)
    return folder / "data"


def test_a_run_of_two_ranges_is_two_dagster_runs_with_metadata_per_year(tmp_path: Path) -> None:
    for year in (2014, 2015, 2021):
        write_csv(tmp_path / "in" / f"{year}.csv", crimes_of_months(year))
    result = command("run", "--years", "2014-2015,2021", "--folder", tmp_path / "in", "--data-dir", tmp_path / "data")
    assert result.exit_code == 0, result.output
    assert "raw_crimes 2021: 36 rows in" in result.output
    assert "rejected rows: 0; quarantined lines: 0" in result.output
    with open_instance(load_settings(data_dir=tmp_path / "data")) as instance:
        runs = instance.get_runs()
        assert [run.status for run in runs] == [DagsterRunStatus.SUCCESS] * 2
        assert sorted(run.tags["dagster/asset_partition_range_start"] for run in runs) == ["2014", "2021"]
        materialized = instance.get_materialized_partitions(AssetKey("hot_spots"))
        assert materialized == {"2014", "2015", "2021"}
        record = instance.fetch_materializations(AssetKey("crimes"), limit=1).records[0]
        assert record.asset_materialization
        metadata = record.asset_materialization.metadata
        assert metadata["partition_row_count"].value == 36
        assert metadata["seconds"].value > 0


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        ("crimes_monthly, area_rates", {"crimes_monthly", "area_rates"}),
        ("key:enriched_crimes+ and not group:marts", {"enriched_crimes", "crime_type_count", "crimes_daily"}),
    ],
)
def test_only_chosen_assets_run(data_dir: Path, tmp_path: Path, selection: str, chosen: set[str]) -> None:
    copy = shutil.copytree(data_dir, tmp_path / "data")
    result = command("run", "--years", "2014", "--data-dir", copy, "--assets", selection)
    assert result.exit_code == 0, result.output
    assert {line.split(" ")[0] for line in result.output.splitlines() if " rows in " in line} == chosen


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--years", "14"], "write them like 2014-2016,2021"),
        (["run", "--years", "2014", "--source", "ftp"], "'sample', 'folder', 'kaggle' or 'portal'"),
        (["run", "--years", "2014", "--source", "folder"], "CHICAGO_CRIME_FOLDER"),
        (["run", "--years", "2014", "--assets", "nothing"], "selects no asset: write names with commas"),
        (["run", "--years", "2014", "--assets", "crimes+"], "e.g. key:crimes+; the assets are crime_csv"),
        (["run", "--years", "2014", "--assets", "key:nothing"], "the assets are crime_csv"),
        (["run", "--years", "2014", "--assets", "key:(("], "cannot read the asset selection"),
        (["run"], "--years"),
        (["query", "select 1", "--format", "parquet"], "--output"),
        (["query", "select 1", "--format", "xml"], "parquet"),
        (["fly"], "fly"),
    ],
)
def test_a_wrong_command_ends_with_2_and_says_what_is_right(tmp_path: Path, arguments: list[str], told: str) -> None:
    result = command(*arguments, CHICAGO_CRIME_DATA_DIR=str(tmp_path / "data"))
    assert result.exit_code == 2
    assert told in " ".join(result.output.replace("│", " ").split())
    assert "Traceback" not in result.output


def test_a_run_that_fails_ends_with_1_names_the_file_and_goes_on_with_the_other_years(tmp_path: Path) -> None:
    write_csv(tmp_path / "in" / "2014.csv", crimes_of_months(2014))
    (tmp_path / "in" / "2015.csv").write_text("<html>Service unavailable</html>")
    result = command("run", "--years", "2014-2015", "--folder", tmp_path / "in", "--data-dir", tmp_path / "data")
    assert result.exit_code == 1
    assert "2015.csv is an HTML or XML page" in " ".join(result.output.split())
    assert "crime_csv 2014: 36 rows" in result.output
    assert "Traceback" not in result.output


def test_a_year_without_a_file_is_told(tmp_path: Path) -> None:
    write_csv(tmp_path / "in" / "2014.csv", crimes_of_months(2014))
    result = command("run", "--years", "2015", "--folder", tmp_path / "in", "--data-dir", tmp_path / "data")
    assert result.exit_code == 1
    assert "has no file for 2015" in " ".join(result.output.split())


def test_status_of_nothing_says_how_to_start(tmp_path: Path) -> None:
    result = command("status", "--data-dir", tmp_path)
    assert result.exit_code == 0
    assert "chicago-crime run --years" in result.output


def test_status_flags_tables_of_another_version(data_dir: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(data_dir, tmp_path / "data")
    file = copy / "warehouse" / "area_rates" / "2014.parquet"
    pq.write_table(pq.read_table(file).drop_columns(["population"]), file)
    result = command("status", "--data-dir", copy, "--strict")
    assert result.exit_code == 1
    assert "308!" in result.output
    assert "written by another version (!) tables: chicago-crime run --years 2014\n" in result.output


@pytest.mark.parametrize("name", ["missing", "a-file.csv"])
def test_a_folder_that_is_none_is_told_before_a_run_starts(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / "a-file.csv", [])
    result = command("run", "--years", "2014", "--folder", tmp_path / name, "--data-dir", tmp_path / "data")
    assert result.exit_code == 2
    assert f"{tmp_path / name} is not a folder: set --folder or CHICAGO_CRIME_FOLDER" in result.output
    assert "--folder" in result.output
    with open_instance(load_settings(data_dir=tmp_path / "data")) as instance:
        assert instance.get_runs() == []


def test_a_folder_that_a_run_does_not_read_may_be_missing(data_dir: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(data_dir, tmp_path / "data")
    arguments = ("--years", "2014", "--folder", tmp_path / "missing", "--data-dir", copy, "--assets", "area_rates")
    assert command("run", *arguments).exit_code == 0


def test_status_shows_years_tables_what_is_missing_and_what_is_stale(data_dir: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(data_dir, tmp_path / "data")
    assert command("status", "--data-dir", copy, "--strict").exit_code == 0
    (copy / "warehouse" / "area_rates" / "2016.parquet").unlink()
    now = time.time() + 5
    os.utime(copy / "warehouse" / "crimes" / "2014.parquet", (now, now))
    result = command("status", "--data-dir", copy, "--strict")
    assert result.exit_code == 1
    lines = {cells[0]: cells[1:] for line in result.output.splitlines() if (cells := line.split())}
    assert lines["2014"] == ["2016"]
    assert lines["raw_crimes"] == ["36", "36"]
    assert lines["rejected_crimes"] == ["0", "0"]
    assert lines["enriched_crimes"] == ["36*", "36"]
    assert lines["hot_spots"] == ["4*", "4"]
    assert lines["area_rates"] == ["308*", "-"]
    assert "chicago-crime run --years 2014,2016" in result.output


def test_a_query_shows_a_table(data_dir: Path) -> None:
    result = command(
        "query", "SELECT year, COUNT(*) * 1000 AS n FROM crimes GROUP BY year ORDER BY year", "--data-dir", data_dir
    )
    assert result.exit_code == 0
    assert "2014" in result.output
    assert "36,000" in result.output
    assert "SYNTHETIC" not in result.output


def test_a_long_answer_is_cut_and_says_so(data_dir: Path) -> None:
    result = command("query", "SELECT id FROM crimes", "--data-dir", data_dir)
    assert "22 more rows: --output FILE writes all of them" in result.output


def test_an_answer_is_written_as_csv_json_and_parquet(data_dir: Path, tmp_path: Path) -> None:
    sql = "SELECT year, month, COUNT(*) AS n, NULL AS nothing FROM crimes GROUP BY ALL ORDER BY ALL LIMIT 2"
    answers = {}
    for form in ("csv", "json", "parquet"):
        file = tmp_path / form
        result = command("query", sql, "--data-dir", data_dir, "--format", form, "--output", file)
        assert result.exit_code == 0, result.output
        answers[form] = file
    expected = [{"year": 2014, "month": f"2014-0{n}-01", "n": 3, "nothing": None} for n in (1, 2)]
    assert json.loads(answers["json"].read_text()) == expected
    with answers["csv"].open(newline="") as stream:
        assert [row["month"] for row in csv.DictReader(stream)] == ["2014-01-01", "2014-02-01"]
    assert pq.read_table(answers["parquet"]).num_rows == 2


def test_an_answer_can_be_piped(data_dir: Path) -> None:
    program = [sys.executable, "-c", "from chicago_crime.cli.app import main; main()"]
    sql = "SELECT year, COUNT(*) AS n FROM crimes GROUP BY year ORDER BY year"
    piped = subprocess.run(
        [*program, "query", sql, "--format", "csv", "--data-dir", str(data_dir)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert list(csv.DictReader(io.StringIO(piped.stdout))) == [{"year": "2014", "n": "36"}, {"year": "2016", "n": "36"}]
    assert piped.stderr == ""


def test_a_wrong_query_ends_with_1_and_the_engines_word(data_dir: Path) -> None:
    result = command("query", "SELECT crimse FROM crimes", "--data-dir", data_dir)
    assert result.exit_code == 1
    assert "crimse" in result.output
    assert "Traceback" not in result.output
    unknown = command("query", "SELECT * FROM arrests", "--data-dir", data_dir)
    assert unknown.exit_code == 1
    assert "The tables are area_rates, community_areas, crime_type_count, crimes, " in unknown.output


def test_synthetic_rows_are_labelled_wherever_they_show(tmp_path: Path) -> None:
    loaded = command("run", "--years", "2014", "--sample-rows", "300", "--data-dir", tmp_path)
    assert loaded.exit_code == 0, loaded.output
    for arguments in (["query", "SELECT 1"], ["status"]):
        assert "SYNTHETIC" in command(*arguments, "--data-dir", tmp_path).output


def test_the_demo_ends_with_a_table_three_answers_and_what_to_do_next_twice(tmp_path: Path) -> None:
    first, second = (command("demo", "--data-dir", tmp_path) for _ in range(2))
    for result in (first, second):
        assert result.exit_code == 0, result.output
        assert result.output.count("?") >= 3
        assert "make dev" in result.output
        assert "SYNTHETIC" in result.output
    answers = [result.output.split("Three answers")[1] for result in (first, second)]
    assert answers[0] == answers[1]


def test_the_doctor_tells_what_works(data_dir: Path) -> None:
    result = command("doctor", "--data-dir", data_dir)
    assert result.exit_code == 0, result.output
    assert f"CHICAGO_CRIME_DATA_DIR={data_dir}" in result.output
    for what in ("packages", "data folder", "source sample", "warehouse", "spark engine embedded", "dagster home"):
        assert what in result.output
    assert "broken" not in result.output


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"CHICAGO_CRIME_SOURCE": "folder", "CHICAGO_CRIME_FOLDER": "/nowhere"}, "/nowhere is not a folder"),
        ({"CHICAGO_CRIME_SOURCE": "kaggle", "HOME": "/nowhere"}, "no token was found: create one at"),
        ({"CHICAGO_CRIME_SOURCE": "portal", "CHICAGO_CRIME_PORTAL_URL": NOBODY}, "cannot be reached"),
        ({"CHICAGO_CRIME_SPARK_ENGINE": "jvm", "CHICAGO_CRIME_JAVA_HOME": "/nowhere"}, "install Java 17"),
        ({"CHICAGO_CRIME_DATA_DIR": "/proc/nowhere"}, "CHICAGO_CRIME_DATA_DIR"),
    ],
)
def test_the_doctor_tells_what_mends_what_is_broken(tmp_path: Path, environment: dict[str, str], told: str) -> None:
    result = command("doctor", **{"CHICAGO_CRIME_DATA_DIR": str(tmp_path), "COLUMNS": "200"} | environment)
    assert result.exit_code == 1
    assert "broken" in result.output
    assert told in " ".join(result.output.replace("│", " ").split())


def test_the_doctor_tells_that_the_portal_answers(tmp_path: Path) -> None:
    with PortalServer([]).answering() as portal:
        result = command(
            "doctor", "--source", "portal", "--data-dir", tmp_path, CHICAGO_CRIME_PORTAL_URL=portal.url, COLUMNS="200"
        )
    assert result.exit_code == 0, result.output
    assert f"{portal.url} responds to requests without an app" in " ".join(result.output.replace("│", " ").split())


@pytest.mark.parametrize("name", ["run", "status", "query", "doctor", "demo", "dev"])
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = command(name, "--help")
    assert result.exit_code == 0
    assert f"chicago-crime {name}" in result.output
    assert "Example" in result.output


def test_dev_refuses_a_port_that_is_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = command("dev", "--port", port, "--data-dir", tmp_path)
    assert result.exit_code == 2
    assert f"port {port} is in use" in result.output
