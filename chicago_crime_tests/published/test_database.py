"""Tests of `chicago_crime.open()`: snapshots opened from data directories, copies and web servers."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import chicago_crime
from chicago_crime.errors import UsageError
from chicago_crime.published.catalog import DamagedError, NothingPublishedError
from chicago_crime.settings import Settings, SettingsError
from chicago_crime.storage.object_store import ObjectStoreError
from chicago_crime_tests.support import PROJECT, crimes_of_months, run_well, write_csv

COUNT = "SELECT year, COUNT(*) FROM enriched_crimes GROUP BY year ORDER BY year"
BOTH = [(2014, 36), (2015, 36)]

PIPELINE = ("dagster", "numpy", "pandas", "pyarrow", "pysail", "pyspark", "sqlglot", "tenacity")
EXTRAS = (*PIPELINE, "google", "jinja2", "kagglesdk", "shapely", "starlette", "uvicorn")
"""Packages that reading a snapshot must not need."""


@pytest.fixture
def address(loaded_copy: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """URL of the published files on a web server, like a site or a public bucket."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    handler = partial(SimpleHTTPRequestHandler, directory=str(loaded_copy.data_dir / "objects"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_all_tables_of_a_data_directory_can_be_queried_and_described(loaded_copy: Settings) -> None:
    db = chicago_crime.open(loaded_copy.data_dir)
    assert db.sql(COUNT).fetchall() == BOTH
    for table in db.tables:
        assert db.sql(f"FROM {table}").columns
    named = db.sql("SELECT name FROM community_areas WHERE community_area = $area", {"area": 41})
    assert named.fetchall() == [("Hyde Park",)]
    meanings = {name: meaning for name, _, meaning in db.describe("crimes").fetchall()}
    assert "does not mean the case was cleared" in meanings["arrest"].lower()
    assert db.catalog.snapshot in db.cite() and repr(db) == f"<Chicago crime snapshot {db.catalog.snapshot}>"
    assert db.cite().endswith(
        "source: City of Chicago, Crimes - 2001 to Present (folder); samples or extracts: 2014-2015; "
        "records to December 3, 2015."
    )
    with pytest.raises(UsageError, match=r"no table 'crime'; the tables are area_rates, "):
        db.describe("crime")


def test_the_documented_example_works(loaded_copy: Settings) -> None:
    example = (PROJECT / "docs" / "how-to" / "python.md").read_text().split("```")[3].removeprefix("python")
    names: dict[str, Any] = {}
    exec(example.replace("~/crimes", str(loaded_copy.data_dir)), names)
    assert names["db"].sql("FROM clinics").fetchall() == [(25, 3), (41, 2)]


def test_a_database_keeps_its_snapshot_and_older_ones_are_opened_by_id(loaded_copy: Settings) -> None:
    before = chicago_crime.open(loaded_copy.data_dir)
    write_csv(loaded_copy.folder / "2014.csv", crimes_of_months(2014, per_month=4))
    run_well(loaded_copy, 2014)
    assert before.sql(COUNT).fetchall() == BOTH
    assert chicago_crime.open(loaded_copy.data_dir).sql(COUNT).fetchall() == [(2014, 48), (2015, 36)]
    older = chicago_crime.open(loaded_copy.data_dir, as_of=before.catalog.snapshot)
    assert older.sql(COUNT).fetchall() == BOTH
    with pytest.raises(NothingPublishedError, match="no snapshot from 2001-01-01 or earlier"):
        chicago_crime.open(loaded_copy.data_dir, as_of="2001-01-01")


def test_a_copy_of_the_published_files_can_be_opened(loaded_copy: Settings, tmp_path: Path) -> None:
    shutil.copytree(loaded_copy.data_dir / "objects" / "published", tmp_path / "copy" / "published")
    assert chicago_crime.open(tmp_path / "copy").sql(COUNT).fetchall() == BOTH
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingPublishedError, match=f"^{tmp_path / 'empty'}: nothing is published yet$"):
        chicago_crime.open(tmp_path / "empty")
    with pytest.raises(SettingsError, match="there is no folder s3://bucket; addresses begin with gs://, https:// or "):
        chicago_crime.open("s3://bucket")


def test_tables_of_a_url_are_cached(loaded_copy: Settings, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    db = chicago_crime.open(address)
    assert db.sql(COUNT).fetchall() == BOTH
    assert db.describe("enriched_crimes").fetchall()
    cached = sorted((Path.home() / ".cache" / "chicago-crime").rglob("*.parquet"))
    assert {file.parent.parent.name for file in cached} == {"enriched_crimes"}
    unread, read = (cached[0].with_name(f"{name}.parquet") for name in ("unread", "read"))
    for file in (unread, read):
        file.touch()
    os.utime(unread, (0, 0))
    assert chicago_crime.open(address, as_of=db.catalog.snapshot).sql(COUNT).fetchall() == BOTH
    assert (unread.exists(), read.exists()) == (False, True)
    with pytest.raises(ObjectStoreError, match="cannot list snapshots"):
        chicago_crime.open(address, as_of="2026-05-31")
    with pytest.raises(NothingPublishedError, match=f"^{address}/elsewhere: nothing is published yet$"):
        chicago_crime.open(f"{address}/elsewhere")

    file = loaded_copy.data_dir / "objects" / db.catalog.years[2014].tables["crimes_daily"].key
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(DamagedError, match=f"{address}/published/data/crimes_daily/2014/.* is damaged"):
        db.sql("FROM crimes_daily")

    # The connection is lost before the last byte.
    monkeypatch.setattr(SimpleHTTPRequestHandler, "copyfile", lambda _, file, to: to.write(file.read()[:-1]))
    for read in (partial(chicago_crime.open, address), partial(db.sql, "FROM hot_spots")):
        with pytest.raises(ObjectStoreError, match=f"^{address}/published/.* cannot be downloaded: "):
            read()


@pytest.mark.parametrize(
    ("extra", "program", "output"),
    [
        ("", f"import chicago_crime; print(chicago_crime.open(sys.argv[1]).sql({COUNT!r}).fetchall())", f"{BOTH}\n"),
        ("gcp", "from chicago_crime.installation import *; build_bucket_store(load_settings(), 'a-bucket')", ""),
        ("", "sys.argv[1:] = ['demo']; from chicago_crime.cli.app import main; main()", "[pipeline,spark]'`\n"),
    ],
    ids=["open", "open gs://", "demo"],
)
def test_each_extra_has_what_it_needs(loaded_copy: Settings, extra: str, program: str, output: str) -> None:
    listed = (PROJECT / "setup.py").read_text().partition(f'"{extra}": [')[2].partition("]")[0]
    blocked = [name for name in EXTRAS if name not in listed]
    program = f"import sys; sys.modules.update(dict.fromkeys({blocked})); {program}"
    command = [sys.executable, "-c", program, loaded_copy.data_dir]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.stdout.endswith(output) and "Error" not in done.stdout
