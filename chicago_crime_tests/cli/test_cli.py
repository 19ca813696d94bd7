"""Tests of the `chicago-crime` command and its subcommands."""

import csv
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import uvicorn
from typer.testing import CliRunner

from chicago_crime.cli.app import EXAMPLES, app
from chicago_crime.graph.instance import open_instance
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings, load_settings
from chicago_crime.storage import lineage
from chicago_crime.tables import TABLES
from chicago_crime.tables.columns import COMPARABLE
from chicago_crime_tests.end_to_end.browsing import free_port
from chicago_crime_tests.outlines import write_outlines
from chicago_crime_tests.support import command, crimes_of_months, files_below, words_of, write_csv

HEAVY = ("dagster", "numpy", "pandas", "pyarrow", "pyspark", "sqlglot")
LOADED = f"""
import atexit, sys
names = {("duckdb", "pydantic", "rich", *HEAVY)}
atexit.register(lambda: print("loaded:", *[n for n in names if n in sys.modules], file=sys.stderr))
from chicago_crime.cli.app import main
main()
"""


@pytest.fixture
def data_dir(loaded_years: Settings) -> Path:
    return loaded_years.data_dir


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--help"], ""),
        (["describe", "crimes"], "pydantic rich"),
        (["status"], "duckdb pydantic rich"),
        (["query", "SELECT 1", "--format", "csv"], "duckdb pydantic rich"),
        (["run", "--years", "14"], "pydantic rich"),
    ],
)
def test_a_command_imports_only_what_it_needs(data_dir: Path, arguments: list[str], allowed: str) -> None:
    environment = os.environ | {"CHICAGO_CRIME_DATA_DIR": str(data_dir)}
    program = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(program, capture_output=True, text=True, env=environment, check=False)
    loaded = done.stderr.splitlines()[-1]
    assert set(loaded.removeprefix("loaded:").split()) <= set(allowed.split()), done.stderr


def test_every_command_has_a_one_line_description_an_example_and_shell_completion() -> None:
    assert command("--version").output == f"chicago-crime {version('chicago-crime')}\n"
    lines = command("--help", COLUMNS="80").output.splitlines()
    for name in (function.__name__ for function in EXAMPLES):
        [line] = [line for line in lines if line.startswith(f"  {name} ")]
        assert line.endswith(".") and not line.endswith("...")
        assert f" chicago-crime {name}" in command(name, "--help").output.split("Example")[1]
    completing = {"_CHICAGO_CRIME_COMPLETE": "complete_bash", "COMP_WORDS": "chicago-crime describe crimes_m"}
    result = CliRunner().invoke(app, [], prog_name="chicago-crime", env=completing | {"COMP_CWORD": "2"})
    assert result.output.split() == ["crimes_monthly"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--years", "14"], "write years like 2014-2016,2021"),
        (["run", "--years", "2014", "--source", "ftp"], "--source ftp: Input should be 'sample', 'folder', 'kaggle'"),
        (["run", "--years", "2014", "--assets", "?"], "there is no asset '?': use names separated by commas"),
        (["run", "--years", "2014", "--assets", "published, crime"], "no asset 'crime' (did you mean crimes?)"),
        (["run", "--years", "2014", "--assets", "key:(("], "cannot read the asset selection"),
        (["run", "--years", "2014", "--folder", "/nowhere"], "--folder /nowhere is not a folder"),
        (["run", "--years", "2014", "--folder", "~nobody-has-this-name/x"], "~nobody-has-this-name/x is not a folder"),
        (["run", "--years", "2014", "--source", "sample", "--folder", "x"], "--folder is for the source folder, but"),
        (["run", "--years", "2014", "--folder", "x", "--sample-rows", "9"], "omit it, or choose --source sample"),
        (["run", "--years", "2014", "--folder", "/nowhere", "--dry-run"], "--folder /nowhere is not a folder"),
        (["query", "select 1", "--format", "parquet"], "--output"),
        (["query", "select 1", "--output", "answer.doc"], "--output: the extension of 'answer.doc' is not a supported"),
        (["query", "select 1", "--format", "xml"], "--format: 'xml' is not a supported file format: choose csv, json"),
        (["describe", "arrests"], "the tables are raw_crimes"),
        (["rehearse"], "rehearse needs Google Cloud: set CHICAGO_CRIME_DEPLOYMENT=gcp"),
        (["dashboard", "--host", "192.0.2.1"], "cannot listen on 192.0.2.1:8050"),
        (["dashboard", "--host", "999.1.1.1"], "): choose another --host"),
    ],
)
def test_an_invalid_command_exits_with_a_helpful_message(tmp_path: Path, arguments: list[str], message: str) -> None:
    result = command(*arguments, CHICAGO_CRIME_DATA_DIR=str(tmp_path / "data"))
    assert result.exit_code == 2
    assert message in words_of(result)
    if (tmp_path / "data").exists():
        with open_instance(load_settings(data_dir=tmp_path / "data")) as instance:
            assert instance.get_runs() == []


def test_an_unwritable_data_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = command("status", "--data-dir", tmp_path / "file")
    assert (result.exit_code, result.output) == (2, f"--data-dir {tmp_path / 'file'}: it is a file: choose a folder\n")
    below = tmp_path / "file" / "data"
    result = command("run", "--years", "2014", "--data-dir", below)
    assert result.exit_code == 1
    assert result.output.startswith(f"{below / 'dagster'}: Not a directory. Choose a writable folder: ")
    assert command("dev", "--port", free_port(), "--data-dir", below).output == result.output


def test_servers_refuse_a_busy_port_before_they_print_an_address(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for name in ("dev", "dashboard"):
            result = command(name, "--port", port, "--data-dir", tmp_path)
            assert result.exit_code == 2
            assert result.output == f"port {port} is in use: stop the program that uses it, or choose another --port\n"


def test_commands_without_snapshots_explain_how_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    how = f"`chicago-crime run --data-dir {tmp_path} --years 2021 --source portal`; for SYNTHETIC rows, --source sample"
    for arguments in (["snapshots"], ["query", "from crimes"]):
        assert how in words_of(command(*arguments, "--data-dir", tmp_path))
    status = command("status", "--strict", "--data-dir", tmp_path / "typo")
    assert (status.exit_code, f"Nothing is loaded yet into {tmp_path / 'typo'}.\n" in status.output) == (1, True)
    assert f"chicago-crime run --data-dir {tmp_path / 'typo'} --years 2021 --source portal" in status.output
    monkeypatch.setattr(uvicorn.Server, "run", lambda _: None)
    served = command("dashboard", "--port", free_port(), "--data-dir", tmp_path).output
    assert served.startswith("nothing is published yet. To load a year: `chicago-crime run --data-dir")
    in_a_cell = re.sub(r"[\s│]", "", command("doctor", "--data-dir", tmp_path).output)
    assert f"chicago-crimerun--data-dir{tmp_path}--years" in in_a_cell


def test_after_a_stopped_first_run_the_advice_keeps_its_source(loaded_copy: Settings) -> None:
    shutil.rmtree(loaded_copy.data_dir / "objects" / "published")
    for name in ("doctor", "query SELECT"):
        said = words_of(command(*name.split(), "--data-dir", loaded_copy.data_dir, COLUMNS="300"))
        assert f"`chicago-crime status --data-dir {loaded_copy.data_dir}` prints the command that loads" in said
        assert "chicago-crime run" not in said
    manifest = loaded_copy.data_dir / "csv" / "2014.json"
    manifest.write_text(manifest.read_text().replace('"folder":', '"another":'))  # as a very old version wrote it
    status = command("status", "--data-dir", loaded_copy.data_dir)
    assert "--years 2014 --source folder --folder FOLDER\n" in status.output


def test_run_reports_what_it_did_not_read(tmp_path: Path) -> None:
    rows = crimes_of_months(2016)
    rows[0]["description"], rows[1]["id"], rows[2]["beat"] = "CAF\u00c9", "HX1", "x"
    for row in rows:
        row["community_area"] = ""
    kept = [name for name in rows[0] if name != "ward"]
    file = write_csv(tmp_path / "in" / "crimes.csv", [{name: row[name] for name in kept} for row in rows], header=kept)
    file.write_bytes(file.read_text().encode("cp1252") + b"damaged,,01/31/2016 01:00:00 PM\n" + b"total,36\n")
    (tmp_path / "in" / "notes.txt").write_text("ours")
    accepted = ("--data-dir", tmp_path / "data", "--accept", "a test")
    done = command("run", "--years", 2016, "--folder", tmp_path / "in", *accepted)
    assert done.exit_code == 0, done.output
    for message in (
        "2016: unreadable values of id, rows rejected: 1; the first is 'HX1' in line 3",
        "2016: unreadable values of beat, set to NULL: 1; the first is 'x' in line 4",
        f"2016: lines without a year, skipped: 1; the first is {file}, line 39: 'total,36'",
        "2016: bytes that are not UTF-8, read as Windows-1252: 1",
        "2016: columns missing from the file: ward",
        "2016: columns without any value: community_area",
        "2016: fewer than 400 crimes a day, but the City reports over 500: the file is a sample or an extract",
        "2016: files skipped: notes.txt is",
        "check crime_object:few_lines_quarantined warns: 2016: 1 of 37 lines",
    ):
        assert message.replace(" ", "") in words_of(done).replace(" ", "")


def test_boundaries_are_published_for_loaded_and_future_years(tmp_path: Path, loaded_copy: Settings) -> None:
    outlines = write_outlines(tmp_path / "outlines")
    for data_dir, message in (
        (loaded_copy.data_dir, "published as snapshot 20"),
        (tmp_path / "new", "once a year is loaded"),
    ):
        done = command("boundaries", "--folder", outlines, "--data-dir", data_dir)
        assert done.exit_code == 0, done.output
        assert f"from {outlines}" in words_of(done)
        assert message in words_of(done)
    command("run", "--years", 2014, "--sample-rows", 100, "--data-dir", tmp_path / "new")
    assert Installation(load_settings(data_dir=tmp_path / "new")).reader().boundaries()


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        ("crimes_monthly, area_rates", {"crimes_monthly", "area_rates"}),
        ("key:crimes_daily", {"enriched_crimes", "crime_type_count", "crimes_daily", "hot_spots"}),
    ],
)
def test_selected_assets_run_without_a_source(loaded_copy: Settings, selection: str, chosen: set[str]) -> None:
    arguments = ("--years", "2014", "--folder", "/nowhere", "--data-dir", loaded_copy.data_dir, "--assets", selection)
    result = command("run", *arguments)
    assert result.exit_code == 0, result.output
    assert {line.split(" ")[0] for line in result.output.splitlines() if " rows in " in line} == chosen


def test_a_failed_run_exits_with_1_keeps_the_other_years_and_ends_with_the_reason(tmp_path: Path) -> None:
    write_csv(tmp_path / "in" / "2014.csv", crimes_of_months(2014))
    (tmp_path / "in" / "2015.csv").write_text("<html>Service unavailable</html>")
    result = command("run", "--years", "2014-2018", "--folder", tmp_path / "in", "--data-dir", tmp_path / "data")
    assert result.exit_code == 1
    assert "crime_csv 2014: 36 rows" in result.output
    assert "rejected rows: 0; quarantined lines: 0" in result.output
    assert "published 2014 as snapshot 20" in result.output
    last = result.output.splitlines()[-1]
    assert re.match(r"Run \S+ for 2014-2018 failed: 2015: crime_csv: .*2015.csv is an HTML or XML page", last)
    assert f"; 2016, likewise 2017-2018: crime_csv: {tmp_path / 'in'}: no rows for 2016. " in last
    assert last.endswith("To retry, repeat this command: the UI can only retry runs that it started.")
    assert last.count("no rows for") == 1
    assert result.output.count("is an HTML") == 1
    again = command("run", "--years", "2014", "--folder", tmp_path / "in", "--data-dir", tmp_path / "data")
    assert "raw_crimes" not in again.output
    assert again.output.endswith("2014: no changes at the source since they were published\n")


def test_status_shows_outdated_tables(loaded_copy: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command("status", "--data-dir", loaded_copy.data_dir, "--strict").exit_code == 0
    fetched = write_csv(tmp_path / "new" / "crimes.csv", [*crimes_of_months(2014), *crimes_of_months(2015)])
    to = ("--folder", fetched.parent, "--data-dir", loaded_copy.data_dir)
    assert command("run", "--years", "2014-2015", "--assets", "crime_csv", *to).exit_code == 0
    rates = loaded_copy.data_dir / "warehouse" / "area_rates"
    (rates / "2015.parquet").unlink()
    pq.write_table(pq.read_table(rates / "2014.parquet").drop_columns(["population"]), rates / "2014.parquet")
    current = lineage.code_version
    changed = TABLES["code_coverage"]
    monkeypatch.setattr(lineage, "code_version", lambda one: "another" if one == changed else current(one))
    result = command("status", "--data-dir", loaded_copy.data_dir, "--strict")
    assert result.exit_code == 1
    lines = {cells[0]: cells[1:] for line in result.output.splitlines() if (cells := line.split())}
    assert lines["2014"] == ["2015"]
    assert lines["raw_crimes"] == lines["crimes"] == ["36", "36"]
    assert (lines["area_rates"], lines["code_coverage"]) == (["308*!+", "-"], ["12!", "12!"])
    assert lines["published"] == ["differs", "yes"]
    assert "2014: made by another version of the package, or with other estimates: area_rates, " in result.output
    assert "2015: area_rates lacks the year\n" in result.output
    [what_to_do] = re.findall("What to do: chicago-crime (.*)", result.output)
    assert f"--years 2014-2015 --source folder --folder {fetched.parent}" in what_to_do
    assert command(*shlex.split(what_to_do)).exit_code == 0
    assert command("status", "--data-dir", loaded_copy.data_dir, "--strict").exit_code == 0


def test_a_query_prints_a_table_and_reports_truncation(data_dir: Path) -> None:
    sql = "SELECT year, COUNT(*) * 1000 AS n FROM crimes GROUP BY year ORDER BY year"
    result = command("query", sql, "--data-dir", data_dir)
    assert result.exit_code == 0
    assert "2014" in result.output and "36,000" in result.output
    assert "SYNTHETIC" not in result.output and "Only the first" not in result.output
    long = command("query", "SELECT id FROM crimes", "--data-dir", data_dir).output
    assert "Only the first 50 rows are shown" in long
    assert sum(line.startswith("│") for line in long.splitlines()) == 50
    assert "no rows" in command("query", "SELECT id FROM crimes LIMIT 0", "--data-dir", data_dir).output


def test_results_are_written_in_the_format_of_the_file_or_option(data_dir: Path, tmp_path: Path) -> None:
    values = "MIN(date) AS first, SUM(year) AS n, [1] AS list, NULL AS nothing"
    sql = f"SELECT month, {values} FROM crimes GROUP BY month ORDER BY month"
    for name in ("a.csv", "a.json", "a.parquet"):
        result = command("query", sql, "--data-dir", data_dir, "--output", tmp_path / name)
        assert result.exit_code == 0, result.output
    first = {"month": "2014-01-01", "first": "2014-01-01T10:15:00", "n": 3 * 2014, "list": [1], "nothing": None}
    assert json.loads((tmp_path / "a.json").read_text())[0] == first
    with (tmp_path / "a.csv").open(newline="") as stream:
        rows = [*csv.DictReader(stream)]
    assert (rows[1]["month"], rows[1]["list"]) == ("2014-02-01", "[1]")
    assert pq.read_table(tmp_path / "a.parquet").num_rows == len(rows)
    nothing = command("query", "SELECT id FROM crimes LIMIT 0", "--format", "json", "--data-dir", data_dir)
    assert json.loads(nothing.output) == []
    written = files_below(tmp_path)
    broken = "SELECT IF(n = 500_000, ERROR('broken'), n) AS n FROM RANGE(1_000_000) AS t(n)"
    for name, message in (("a.csv", "broken"), ("no/a.csv", "no/a.csv: No such file or directory")):
        result = command("query", broken, "--data-dir", data_dir, "--output", tmp_path / name)
        assert (result.exit_code, message in result.output, files_below(tmp_path)) == (1, True, written)


def test_a_failed_query_exits_with_1_and_the_message_of_the_engine(data_dir: Path) -> None:
    result = command("query", "SELECT crimse FROM crimes", "--data-dir", data_dir)
    assert result.exit_code == 1
    assert "crimse" in result.output
    assert command("query", " ", "--data-dir", data_dir).output.startswith("the query is empty")
    unknown = command("query", "SELECT * FROM arrests", "--data-dir", data_dir)
    assert unknown.exit_code == 1
    assert "The tables are area_rates, code_coverage, community_areas, " in unknown.output


def test_tables_and_columns_are_described_by_the_command_and_in_queries(data_dir: Path) -> None:
    listed = command("describe").output
    assert all(name in listed for name in TABLES)
    assert "residents: Population of the community areas" in words_of(command("describe", "residents"))
    for arguments in (["describe", "crimes_monthly"], ["query", "describe crimes_monthly;", "--data-dir", data_dir]):
        described = words_of(command(*arguments, COLUMNS="120"))
        assert (
            COMPARABLE.description in described
            and "Never NULL." in described
            and "Expected range: 1 to 77." in described
        )


def test_synthetic_rows_are_always_labeled(tmp_path: Path) -> None:
    loaded = command("run", "--years", "2014", "--sample-rows", "100", "--data-dir", tmp_path)
    assert loaded.exit_code == 0, loaded.output
    for arguments in (["query", "SELECT 1"], ["query", "SELECT 1", "--working"], ["status"]):
        assert "SYNTHETIC" in command(*arguments, "--data-dir", tmp_path).output


@pytest.mark.slow
def test_the_demo_answers_three_questions_and_suggests_next_steps(tmp_path: Path) -> None:
    result = command("demo", "--data-dir", tmp_path, COLUMNS="80")
    assert result.exit_code == 0, result.output
    assert "SYNTHETIC" in result.output and "chicago-crime dev --data-dir " in result.output
    answers = result.output.split("Three answers")[1]
    assert answers.count("?") >= 3
    headers = [cell.strip() for line in answers.splitlines() if "┃" in line for cell in line.split("┃")]
    assert {"area", "days_covered", "few_residents", "violent_crimes"} <= set(headers)


def test_the_doctor_lists_what_works(data_dir: Path) -> None:
    result = command("doctor", "--data-dir", data_dir)
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"--data-dir {data_dir}\n┏")
    for what in ("data folder", "source folder, for 2014-2015", "warehouse", "spark engine embedded", "dagster home"):
        assert what in result.output
    assert "broken" not in result.output


@pytest.mark.parametrize(
    ("missing", "arguments", "code", "extra"),
    [
        ("dagster", ["doctor"], 0, "pipeline,spark"),
        ("pysail", ["doctor"], 1, "pipeline,spark"),
        ("pyarrow", ["site", "site"], 1, "dashboard"),
        ("xlsxwriter", ["site", "site"], 1, "dashboard"),
        ("kagglesdk", ["run", "--years", "2014", "--source", "kaggle", "--dry-run"], 1, "kaggle"),
    ],
)
def test_a_missing_module_is_reported_with_its_extra(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, missing: str, arguments: list[str], code: int, extra: str
) -> None:
    ours = ("serve.site", "serve.site_pages", "dashboard.data", "dashboard.downloads")
    for module in (f"chicago_crime.{name}" for name in ours):
        monkeypatch.setattr(module, import_module(module))  # so that its package gets it back, too
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(sys.modules, "pysail.spark", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    result = command(*arguments, "--data-dir", data_dir)
    assert (result.exit_code, f"pip install '.[{extra}]'`" in result.output) == (code, True), result.output


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"CHICAGO_CRIME_SOURCE": "folder", "CHICAGO_CRIME_FOLDER": "/nowhere"}, "CHICAGO_CRIME_FOLDER=/nowhere"),
        ({"CHICAGO_CRIME_SOURCE": "kaggle", "HOME": "/nowhere"}, "token"),
        ({"CHICAGO_CRIME_SOURCE": "portal", "CHICAGO_CRIME_PORTAL_URL": "http://127.0.0.1:9"}, "cannot be reached"),
        ({"CHICAGO_CRIME_SPARK_ENGINE": "jvm", "CHICAGO_CRIME_JAVA_HOME": "/nowhere"}, "install Java 17"),
        ({"CHICAGO_CRIME_DATA_DIR": "/proc/nowhere"}, "CHICAGO_CRIME_DATA_DIR"),
    ],
)
def test_the_doctor_suggests_a_fix_for_each_problem(tmp_path: Path, environment: dict[str, str], message: str) -> None:
    result = command("doctor", **{"CHICAGO_CRIME_DATA_DIR": str(tmp_path), "COLUMNS": "200"} | environment)
    assert result.exit_code == 1
    assert "broken" in result.output
    assert message in words_of(result)
