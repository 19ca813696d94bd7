"""The asset `crime_csv` with the portal: runs after the first process only changed years."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chicago_crime.cli.run import load
from chicago_crime.graph.run import RunReport
from chicago_crime.installation import Installation
from chicago_crime.published.catalog import Catalog
from chicago_crime.settings import Settings, load_settings
from chicago_crime.storage import lineage
from chicago_crime_tests.servers.portal_server import PortalServer
from chicago_crime_tests.support import NAMES, crime, crimes_of_months, rows_of, run_well

YEARS = (2014, 2015)


@pytest.fixture
def portal() -> Iterator[PortalServer]:
    with PortalServer(row for year in YEARS for row in crimes_of_months(year)).answering() as server:
        yield server


@pytest.fixture(scope="module")
def loaded_from(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PortalServer, Path]]:
    """A portal that no test changes, and a data directory with its years."""
    with PortalServer(row for year in YEARS for row in crimes_of_months(year)).answering() as server:
        data = tmp_path_factory.mktemp("portal") / "data"
        run_well(settings_of(server, data), *YEARS)
        yield server, data


def settings_of(portal: PortalServer, data: Path) -> Settings:
    return load_settings(source="portal", portal_url=portal.url, data_dir=data)


def snapshot_of(settings: Settings) -> Catalog:
    return Installation(settings).reader().catalog


def made(report: RunReport) -> set[int]:
    return {year for (_, year), metadata in report.metadata.items() if "unchanged" not in metadata}


def test_a_refresh_makes_only_changed_years_and_equals_a_full_load(portal: PortalServer, tmp_path: Path) -> None:
    settings = settings_of(portal, tmp_path / "data")
    run_well(settings, *YEARS)
    first = snapshot_of(settings)
    late = crime(id=1, year=2015, date="03/02/2015 10:15:00 AM")
    portal.change([*(row for row in portal.rows if row["id"] != "201503001"), late])
    [report] = run_well(settings, *YEARS)
    assert (made(report), report.published) == ({2015}, {snapshot_of(settings).snapshot: [2015]})
    assert {year for (_, year) in report.metadata} == set(YEARS)  # unchanged years are recorded as fresh
    kinds = {row["id"]: row["kind"] for row in rows_of(settings, "revisions", 2015)}
    assert (kinds[1], kinds[201503001]) == ("added", "vanished")
    whole = settings_of(portal, tmp_path / "whole")
    run_well(whole, *YEARS)
    for year, held in snapshot_of(whole).years.items():
        there = snapshot_of(settings).years[year]
        assert there.source["sha256"] == held.source["sha256"]
        assert {name: one.sha256 for name, one in there.tables.items() if name != "revisions"} == {
            name: one.sha256 for name, one in held.tables.items() if name != "revisions"
        }
    assert snapshot_of(settings).years[2014] == first.years[2014]


@pytest.fixture
def loaded(loaded_from: tuple[PortalServer, Path], tmp_path: Path) -> tuple[PortalServer, Settings]:
    """The same portal, and a copy of its years that a test may change."""
    portal, data = loaded_from
    shutil.copytree(data, tmp_path, dirs_exist_ok=True)
    return portal, settings_of(portal, tmp_path)


def test_no_change_publishes_nothing(loaded: tuple[PortalServer, Settings], capsys: pytest.CaptureFixture[str]) -> None:
    portal, settings = loaded
    first = snapshot_of(settings)
    portal.requests.clear()
    portal.rows_sent.clear()
    assert load(Installation(settings), YEARS)
    said = "2014-2015: no changes at the source since they were published\n"
    assert (capsys.readouterr().out, snapshot_of(settings)) == (said, first)
    assert (len(portal.requests), portal.rows_sent[",".join(NAMES)]) == (1, 0)


@pytest.mark.parametrize("reason", ["never published", "published file damaged", "table missing", "another version"])
def test_an_unchanged_year_is_rebuilt_if_a_stored_or_published_file_differs(
    loaded: tuple[PortalServer, Settings], monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    portal, settings = loaded
    wanted = {2014}
    if reason == "never published":
        shutil.rmtree(settings.data_dir / "objects" / "published")
        wanted = set(YEARS)
    elif reason == "published file damaged":
        key = snapshot_of(settings).years[2014].tables["crimes"].key
        (settings.data_dir / "objects" / key).write_bytes(b"damaged")
    elif reason == "table missing":
        Installation(settings).warehouse.file("crimes_monthly", 2014).unlink()
    elif reason == "another version":
        monkeypatch.setattr(lineage, "code_version", lambda _: "another")
        wanted = set(YEARS)
    portal.rows_sent.clear()
    [report] = run_well(settings, *YEARS)
    assert made(report) == wanted
    assert portal.rows_sent[",".join(NAMES)] == 0
