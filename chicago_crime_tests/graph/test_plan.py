"""Tests of `chicago_crime/plan.py` and `run --dry-run` on a laptop, and of what sources know beforehand."""

import gzip
import shutil
import zipfile
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from chicago_crime.cli.app import app
from chicago_crime.graph.plan import _about_space
from chicago_crime.graph.plan_types import Plan
from chicago_crime.settings import Settings, load_settings
from chicago_crime.sources.folder import FolderSource
from chicago_crime.sources.portal import PortalSource
from chicago_crime.sources.sample.source import SampleSource
from chicago_crime.tables import TABLES
from chicago_crime_tests.servers.portal_server import PortalServer
from chicago_crime_tests.support import (
    crimes_of_months,
    files_below,
    folder_settings,
    plan_of,
    rows_of,
    run_well,
    write_csv,
)


def dry_run(*arguments: object, **environment: str) -> Result:
    words = [str(argument) for argument in ("run", *arguments, "--dry-run")]
    return CliRunner().invoke(app, words, env={"COLUMNS": "150", **environment})


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation with 2014 and 2015, 36 rows each."""
    folder = tmp_path_factory.mktemp("plan")
    for year in (2014, 2015):
        write_csv(folder / "in" / f"{year}.csv", crimes_of_months(year))
    settings = folder_settings(folder / "data", folder / "in")
    run_well(settings, 2014, 2015)
    return settings


def test_a_dry_run_begins_and_writes_nothing_where_nothing_is(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "in" / "2014.csv", crimes_of_months(2014))
    before = files_below(tmp_path)
    result = dry_run("--years", "2014", "--folder", tmp_path / "in", "--data-dir", tmp_path / "data")
    assert result.exit_code == 0, result.output
    assert files_below(tmp_path) == before
    assert not (tmp_path / "data").exists()
    assert str(file) in result.output.replace("\n", "")
    assert "nothing is begun, and nothing is written" in result.output


def test_a_dry_run_begins_and_writes_nothing_where_years_are_loaded(loaded: Settings) -> None:
    before = files_below(loaded.data_dir)
    result = dry_run("--years", "2014-2016", "--folder", loaded.folder, "--data-dir", loaded.data_dir)
    assert result.exit_code == 0, result.output
    assert files_below(loaded.data_dir) == before


def test_it_tells_what_is_loaded_by_table_and_year(loaded: Settings) -> None:
    plan = plan_of(loaded, [2014, 2015])
    for year in plan.years:
        assert year.loaded == {name: len(rows_of(loaded, name, year.year)) for name in TABLES}
    assert plan.years[0].loaded["crimes"] == 36
    assert plan.warnings == []
    assert plan.cloud is None


def test_it_tells_the_runs_and_the_assets_in_their_order(loaded: Settings) -> None:
    plan = plan_of(loaded, [2014, 2015, 2017], "key:crimes+")
    assert plan.runs == [(2014, 2015), (2017, 2017)]
    assert plan.assets[0] == "crimes"
    assert set(plan.assets) >= {"enriched_crimes", "hot_spots"}
    assert "crime_csv" not in plan.assets
    assert set(plan.years[0].loaded) == set(plan.assets) & set(TABLES)


def test_without_the_source_the_file_that_was_fetched_counts(loaded: Settings) -> None:
    [year] = plan_of(loaded, [2014], "crimes,rejected_crimes").years
    assert year.rows == 36
    assert year.bytes == (loaded.folder / "2014.csv").stat().st_size if loaded.folder else False
    assert "fetched before" in year.source


def test_what_an_asset_is_made_of_and_is_not_there_is_told(loaded: Settings) -> None:
    plan = plan_of(loaded, [2014, 2016], "crimes_monthly")
    assert plan.warnings == ["crimes_monthly is made of enriched_crimes, which does not hold 2016"]


def test_a_year_that_the_source_has_not_is_told(loaded: Settings) -> None:
    plan = plan_of(loaded, [2014, 2016, 2017])
    assert plan.warnings == ["the source folder has nothing for 2016-2017: these years would fail"]
    assert [year.source == "" for year in plan.years] == [False, True, True]


def test_a_source_that_cannot_be_asked_is_told(tmp_path: Path) -> None:
    result = dry_run("--years", "2014", "--folder", tmp_path / "nowhere", "--data-dir", tmp_path)
    assert result.exit_code == 0
    assert "WARNING: the source cannot be asked" in result.output
    assert "nowhere is not a folder" in result.output
    assert "Traceback" not in result.output


def test_synthetic_rows_over_real_ones_are_warned_of(loaded: Settings) -> None:
    settings = load_settings(source="sample", data_dir=loaded.data_dir)
    plan = plan_of(settings, [2013, 2014, 2015])
    assert plan.warnings == ["2014-2015 would be replaced by SYNTHETIC rows, and are real now"]


def test_a_year_that_would_shrink_is_warned_of_unless_that_is_allowed(loaded: Settings, tmp_path: Path) -> None:
    few = load_settings(source="sample", sample_rows=30, data_dir=loaded.data_dir)
    told = [warning for warning in plan_of(few, [2014]).warnings if "rows at the source" in warning]
    assert len(told) == 1
    assert "36 are loaded: the run would stop there, unless with --allow-shrink" in told[0]
    allowed = few.model_copy(update={"allow_shrink": True})
    assert not any("rows at the source" in warning for warning in plan_of(allowed, [2014]).warnings)
    write_csv(tmp_path / "2014.csv", crimes_of_months(2014, per_month=2))
    smaller = folder_settings(loaded.data_dir, tmp_path)
    assert "2014 is 33% smaller than the file that is loaded" in plan_of(smaller, [2014]).warnings[0]


def test_too_little_disk_is_warned_of() -> None:
    plan = Plan("sample", [(2014, 2014)], ["crime_csv"], [], disk_needed=2_000_000_000, disk_free=1_000_000_000)
    assert _about_space(plan)[0].startswith("the run takes about 2.0 GB of disk, and 1.0 GB are free")
    assert _about_space(Plan("sample", [], [], [], disk_needed=1, disk_free=1)) == []


@pytest.mark.parametrize(
    "arguments", [("--years", "14"), ("--years", "2014", "--assets", "nothing"), ("--years", "1999")]
)
def test_a_wrong_command_ends_with_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = dry_run(*arguments, "--data-dir", tmp_path / "data")
    assert result.exit_code == 2
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("form", ["csv", "gz", "zip"])
def test_a_folder_knows_the_size_of_its_files_unpacked(tmp_path: Path, form: str) -> None:
    file = write_csv(tmp_path / "aside" / "2014.csv", crimes_of_months(2014, per_month=50))
    size = file.stat().st_size
    if form == "csv":
        shutil.copy(file, tmp_path)
    elif form == "gz":
        (tmp_path / "2014.csv.gz").write_bytes(gzip.compress(file.read_bytes()))
    else:
        with zipfile.ZipFile(tmp_path / "2014.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(file, "2014.csv")
    found = FolderSource(tmp_path).expect([2014, 2015])
    assert {year: (expected.rows, expected.bytes) for year, expected in found.items()} == {2014: (None, size)}


def test_a_damaged_file_is_of_no_known_size(tmp_path: Path) -> None:
    (tmp_path / "2014.zip").write_bytes(b"damaged")
    assert FolderSource(tmp_path).expect([2014])[2014].bytes is None


def test_the_sample_knows_how_many_rows_it_will_write(tmp_path: Path) -> None:
    source = SampleSource(rows=500, seed=7)
    expected = source.expect([2014, 1999])
    assert list(expected) == [2014]
    (tmp_path / "out").mkdir()
    assert expected[2014].rows == source.fetch(2014, tmp_path / "out").details["rows"]


def test_the_portal_is_asked_for_counts_and_no_rows() -> None:
    rows = crimes_of_months(2014) + crimes_of_months(2015, per_month=1)
    with PortalServer(rows, "a-token").answering() as portal:
        found = PortalSource(portal.url, SecretStr("a-token")).expect([2014, 2015, 2016])
        assert {year: expected.rows for year, expected in found.items()} == {2014: 36, 2015: 12}
        assert all("count" in asked.query["$select"] for asked in portal.asked)
