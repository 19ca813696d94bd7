"""Tests of the pages with new, older and damaged snapshots."""

import json
import re
import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from chicago_crime.cli.app import app
from chicago_crime.dashboard.app import PAGES
from chicago_crime.dashboard.data import Snapshots
from chicago_crime.dashboard.report import write_report
from chicago_crime.installation import Installation
from chicago_crime.published.catalog import CATALOG, SNAPSHOTS
from chicago_crime.settings import Settings
from chicago_crime.storage.object_store import ObjectStoreError
from chicago_crime_tests.dashboard.conftest import client_of
from chicago_crime_tests.end_to_end.browsing import free_port
from chicago_crime_tests.support import run_well

BEFORE = "20210102T050000Z-0000"
"""It is still the first of January in Chicago."""


@pytest.fixture(autouse=True)
def _check_for_a_new_snapshot_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chicago_crime.dashboard.data.REFRESH_SECONDS", 0)


def figures(client: TestClient, address: str) -> list[str]:
    """Return the numbers on a page and its first two downloads."""
    text = client.get(address).text
    links = re.findall(r'href="(/download/[^"]+csv[^"]*)"', text)
    assert links
    downloads = [client.get(link.replace("&amp;", "&")).text for link in links[:2]]
    return [*re.findall(r'class="value">([^<]+)<', text), *downloads]


def test_a_new_snapshot_is_shown_without_a_restart_and_the_old_one_by_day(copied: Settings, tmp_path: Path) -> None:
    objects = copied.data_dir / "objects"
    for file in (objects / CATALOG, *(objects / SNAPSHOTS).iterdir()):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"snapshot": BEFORE}))
    file.rename(file.with_name(f"{BEFORE}.json"))
    client = client_of(copied)
    before = {page: figures(client, f"/{page}?year=2015") for page in PAGES}
    write_report(Installation(copied), 2015, tmp_path / "before.html", area="Austin")
    run_well(copied.model_copy(update={"sample_seed": 7, "keep_snapshots_days": 36_500}), 2015)  # other rows
    for page in PAGES:
        assert figures(client, f"/{page}?year=2015") != before[page]
        assert figures(client, f"/{page}?year=2015&as_of={BEFORE}") == before[page]
    for day in ("2021-01-01", "2021-06-30"):
        assert figures(client, f"/overview?year=2015&as_of={day}") == before["overview"]
    text = client.get("/where?as_of=2021-01-01").text
    assert f"Chicago crime snapshot {BEFORE}, published January 1, 2021; source: sample (SYNTHETIC); records" in text
    own = re.findall(r'href="(/[^"]*)"', re.sub(r'href="/static[^"]*"', "", text))
    assert len(own) > 80
    assert [link for link in own if "as_of=2021-01-01" not in link] == ["/where?"], "only the chip removes it"
    assert '<input type="hidden" name="as_of" value="2021-01-01">' in text
    write_report(Installation(copied), 2015, tmp_path / "after.html", BEFORE, area="Austin")
    texts = [(tmp_path / name).read_text() for name in ("before.html", "after.html")]
    without_numbers = [re.sub(r"gradient_\d+", "gradient", text) for text in texts]  # of this process
    assert without_numbers[0] == without_numbers[1]
    assert BEFORE in texts[0]
    server = Snapshots(Installation(copied), BEFORE)
    assert server.data() is server.data(BEFORE), "addresses without a day show the server's snapshot"
    assert server.data().catalog.snapshot == BEFORE
    newest = Installation(copied).reader().catalog
    assert server.data(newest.snapshot).catalog == newest


@pytest.mark.parametrize(
    ("as_of", "status", "message"),
    [
        ("2026-02-30", 400, "neither a day like 2026-05-31 nor a snapshot id"),
        ("../catalog", 400, "neither a day like 2026-05-31 nor a snapshot id"),
        ("20261127T061500Z-3f2a.json", 400, "neither a day like 2026-05-31 nor a snapshot id"),
        ("2001-01-01", 404, "there is no snapshot from 2001-01-01 or earlier: the oldest one is from 20"),
        ("20010101T000000Z-abcd", 404, "there is no snapshot 20010101T000000Z-abcd"),
    ],
)
def test_a_missing_snapshot_is_an_error(client: TestClient, as_of: str, status: int, message: str) -> None:
    for address in ("/", "/when", "/download/overview/types.csv"):
        response = client.get(f"{address}?as_of={as_of}")
        assert (response.status_code, message in response.text) == (status, True)


@pytest.mark.parametrize("command", [["dashboard", "--port", str(free_port())], ["report", "--year", "2015"], ["mcp"]])
def test_commands_report_a_missing_snapshot(sample: Settings, command: list[str]) -> None:
    ended = CliRunner().invoke(app, [*command, "--as-of", "2001-01-01", "--data-dir", str(sample.data_dir)])
    assert (ended.exit_code, "the oldest one is from 20" in ended.output) == (1, True), ended.output


def test_damaged_and_removed_files_are_reported_where_needed(copied: Settings) -> None:
    [file] = copied.data_dir.glob("objects/published/data/rejected_crimes/2015/*")
    file.write_bytes(b"x" * file.stat().st_size)
    client = client_of(copied)
    for address in ("/data", "/download/data/checks.csv"):
        response = client.get(address)
        assert response.status_code == 503
        assert str(file) in response.text
        assert "chicago-crime run --years 2015" in response.text
    assert [client.get(f"/{page}").status_code for page in PAGES if page != "data"] == [200] * (len(PAGES) - 1)
    run_well(copied, 2015)
    assert client.get("/data").status_code == 200
    shutil.rmtree(copied.data_dir)
    response = client.get("/overview")
    assert response.status_code == 503
    assert f"{CATALOG} is gone" in response.text and "Nothing is loaded yet" not in response.text


def test_pages_show_the_last_snapshot_while_the_store_cannot_be_reached(
    copied: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*arguments: object) -> None:
        raise ObjectStoreError("Cloud Storage cannot be reached")

    server, late = Snapshots(Installation(copied)), Snapshots(Installation(copied))
    data = server.data()
    monkeypatch.setattr(Installation, "reader", cut_off)
    assert server.data() is data
    with pytest.raises(ObjectStoreError, match="cannot be reached"):
        late.data()


def test_a_damaged_catalog_is_reported(copied: Settings) -> None:
    snapshot = Installation(copied).reader().catalog.snapshot
    (copied.data_dir / "objects" / CATALOG).write_text('{"snapshot": "x"}')
    client = client_of(copied)
    for page in PAGES:
        response = client.get(f"/{page}")
        assert response.status_code == 503
        assert f"the catalog {CATALOG} is damaged" in response.text
        assert "chicago-crime status` shows how to restore it" in response.text
        assert client.get(f"/{page}?as_of={snapshot}").status_code == 200
    (copied.data_dir / "objects" / f"{SNAPSHOTS}{snapshot}.json").write_text("{")
    assert client.get(f"/overview?as_of={snapshot}").status_code == 503


@pytest.mark.parametrize("change", ["other columns", "no such table"])
def test_years_published_by_another_version_are_reported(copied: Settings, change: str) -> None:
    catalog = copied.data_dir / "objects" / CATALOG
    content = json.loads(catalog.read_text())
    tables = content["years"]["2015"]["tables"]
    if change == "other columns":
        tables["crimes_monthly"]["columns"] = "0" * 16
    else:
        del tables["crimes_monthly"]
    catalog.write_text(json.dumps(content))
    text = client_of(copied).get("/overview").text
    assert "crimes_monthly of 2015 were published by another version of this package" in text
    assert "chicago-crime status" in text
