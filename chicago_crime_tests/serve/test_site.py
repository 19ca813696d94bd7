"""Tests of the static site in a folder: content, updates, and protection of other files."""

import csv
import gzip
import io
import shutil
from pathlib import Path

import pytest
from dagster import AssetKey
from typer.testing import CliRunner

import chicago_crime
from chicago_crime.cli.app import app
from chicago_crime.dashboard.data import Data
from chicago_crime.definitions import build_definitions
from chicago_crime.errors import UsageError
from chicago_crime.installation import Installation
from chicago_crime.serve.scheduled import upload
from chicago_crime.serve.site import MANIFEST, write_site
from chicago_crime.serve.site_pages import MARTS, site_parts
from chicago_crime.settings import Settings
from chicago_crime.storage.local.folder_store import FolderStore
from chicago_crime_tests.support import crimes_of_months, run_well, write_csv


def times_of(folder: Path) -> dict[str, int]:
    """Return the modification time of each file below a folder."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def site(loaded_years: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose crimes are all in the Loop."""
    folder = tmp_path_factory.mktemp("site")
    write_site(Installation(loaded_years), folder)
    return folder


@pytest.fixture
def written(site: Path, tmp_path: Path) -> Path:
    """A copy of that site that a test may change."""
    return shutil.copytree(site, tmp_path / "site")


def test_only_changed_files_are_written_and_uploaded_and_only_own_files_are_removed(
    loaded_copy: Settings, written: Path, tmp_path: Path
) -> None:
    installation, before = Installation(loaded_copy), times_of(written)
    bucket, store = tmp_path / "bucket", FolderStore(tmp_path / "bucket", tmp_path / "staging")
    upload(written, store)
    sent = times_of(bucket)
    upload(written, store)
    assert times_of(bucket) == sent and sent.keys() == before.keys()
    assert {"index.html", "area-32.html", "area-32-chart.html", "ward-42.html", "district-1.html"} <= before.keys()
    (written / "CNAME").write_text("crime.example.org")
    again = write_site(installation, written)
    assert (again.written, again.removed) == (0, 0)
    assert times_of(written).items() >= before.items()

    first = installation.reader().catalog.snapshot
    for year in (2014, 2015):
        write_csv(loaded_copy.folder / f"{year}.csv", crimes_of_months(year, community_area=8))
    run_well(loaded_copy, 2014, 2015)
    changed = write_site(installation, written)
    after = times_of(written)
    assert changed.removed and "area-8.html" in after and "area-32.html" not in after
    assert after["csv/crime_type_count-2015.csv.gz"] == before["csv/crime_type_count-2015.csv.gz"]
    assert after["csv/area_rates-2015.csv.gz"] > before["csv/area_rates-2015.csv.gz"]
    assert (written / "CNAME").read_text() == "crime.example.org"
    upload(written, store)
    again_sent = times_of(bucket)
    assert again_sent.keys() == after.keys() - {"CNAME"} != sent.keys()
    assert again_sent["csv/crime_type_count-2015.csv.gz"] == sent["csv/crime_type_count-2015.csv.gz"]

    older = write_site(installation, written, first)
    assert (written / "area-32.html").is_file() and older.removed
    assert f"snapshot {first}" in (written / "index.html").read_text()


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (None, "contains files but no site"),
        ("[]", "was not written by this command"),
        ('{"files": {"../mine.txt": {}}}', "was not written by this command"),
        ("{}", r"index.html is not part of an earlier site"),
    ],
)
def test_other_files_are_kept(loaded_copy: Settings, tmp_path: Path, manifest: str | None, message: str) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "index.html").write_text("mine")
    if manifest:
        (folder / MANIFEST).write_text(manifest)
    before = times_of(folder)
    with pytest.raises(UsageError, match=message):
        write_site(Installation(loaded_copy), folder)
    assert times_of(folder) == before


def test_downloads_and_the_site_can_be_read(loaded_years: Settings, loaded_copy: Settings, written: Path) -> None:
    local = str(loaded_years.data_dir.parent).encode()
    assert not [file for file in written.rglob("*") if file.is_file() and local in file.read_bytes()]
    db = chicago_crime.open(written)
    for table in MARTS:
        rows = db.sql(f"FROM {table.name}").fetchall()
        csvs = [gzip.decompress(file.read_bytes()).decode() for file in written.glob(f"csv/{table.name}-*.csv.gz")]
        assert sum(len(list(csv.DictReader(io.StringIO(text)))) for text in csvs) == len(rows)
    [(crimes,)] = db.sql("SELECT sum(crimes) FROM crimes_monthly").fetchall()
    assert crimes == 72
    assert db.catalog.snapshot == Installation(loaded_copy).reader().catalog.snapshot


def test_every_page_names_its_snapshot_and_synthetic_years(sample: Settings) -> None:
    data = Data(Installation(sample).reader())
    seen = set()
    for part in site_parts(data):
        kind = part.names[0].partition("-")[0]
        if kind in seen:  # one place of each kind is enough
            continue
        seen.add(kind)
        for name, content in zip(part.names, part.make(), strict=True):
            if name.endswith(".html"):
                text = content.decode()
                assert "SYNTHETIC</strong> 2014-2016" in text, name
                assert f"To cite: Chicago crime snapshot {data.catalog.snapshot}" in text, name
            elif name.endswith(".gz"):
                assert b"SYNTHETIC" in gzip.decompress(content), name
    assert {"index.html", "area", "ward", "district", "unusual.html", "methods.html", "downloads.html"} < seen


def test_the_asset_writes_the_site_if_the_settings_name_a_folder(loaded_copy: Settings, tmp_path: Path) -> None:
    def graph_of(settings: Settings) -> set[AssetKey]:
        return set(build_definitions(Installation(settings)).resolve_asset_graph().materializable_asset_keys)

    key, folder = AssetKey("site"), tmp_path / "site"
    assert key not in graph_of(loaded_copy)
    settings = loaded_copy.model_copy(update={"site_folder": folder})
    assert key in graph_of(settings)
    write_csv(loaded_copy.folder / "2015.csv", crimes_of_months(2015, per_month=4))
    run_well(settings, 2014, 2015)
    snapshot = Installation(settings).reader().catalog.snapshot
    assert f"snapshot {snapshot}" in (folder / "index.html").read_text()


def test_the_command_completes_a_site_and_reports_results_and_errors(loaded_copy: Settings, written: Path) -> None:
    options = ["--data-dir", str(loaded_copy.data_dir)]
    whole = (written / "index.html").read_bytes()
    (written / "index.html").write_text("half")
    (written / "area-32.html").unlink()
    done = CliRunner().invoke(app, ["site", str(written), *options])
    assert "2 of 2 pages and downloads written\n" in done.output
    assert f"{written / 'index.html'}: " in done.output and "2 written, 0 removed" in done.output
    assert (written / "index.html").read_bytes() == whole
    refused = CliRunner().invoke(app, ["site", str(loaded_copy.folder), *options])
    assert refused.exit_code == 2 and "choose a new or empty folder" in refused.output
