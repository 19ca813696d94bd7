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


def snapshot_of(settings: Settings) -> Catalog:
    return Installation(settings).reader().catalog


def made(report: RunReport) -> set[int]:
    return {year for (_, year), metadata in report.metadata.items() if "unchanged" not in metadata}


@pytest.fixture
def loaded(tmp_path: Path) -> Iterator[tuple[PortalServer, Settings]]:
    """A portal, and an installation that has loaded its years."""
    with PortalServer(row for year in YEARS for row in crimes_of_months(year)).answering() as portal:
        settings = load_settings(source="portal", portal_url=portal.url, data_dir=tmp_path / "data")
        run_well(settings, *YEARS)
        yield portal, settings


def test_a_refresh_makes_changed_years_as_a_full_load(loaded: tuple[PortalServer, Settings], tmp_path: Path) -> None:
    portal, settings = loaded
    first = snapshot_of(settings)
    late = crime(id=1, year=2015, date="03/02/2015 10:15:00 AM")
    portal.change([*(row for row in portal.rows if row["id"] != "201503001"), late])
    [report] = run_well(settings, *YEARS)
    assert (made(report), report.published) == ({2015}, {snapshot_of(settings).snapshot: [2015]})
    assert {year for (_, year) in report.metadata} == set(YEARS)  # unchanged years are recorded as fresh
    kinds = {row["id"]: row["kind"] for row in rows_of(settings, "revisions", 2015)}
    assert (kinds[1], kinds[201503001]) == ("added", "vanished")
    whole = settings.model_copy(update={"data_dir": tmp_path / "whole"})
    run_well(whole, *YEARS)
    for year, held in snapshot_of(whole).years.items():
        there = snapshot_of(settings).years[year]
        assert there.source["sha256"] == held.source["sha256"]
        differ = {name for name, table in there.tables.items() if table.sha256 != held.tables[name].sha256}
        assert differ <= {"revisions"}
    assert snapshot_of(settings).years[2014] == first.years[2014]


def test_no_change_publishes_nothing(loaded: tuple[PortalServer, Settings], capsys: pytest.CaptureFixture[str]) -> None:
    portal, settings = loaded
    first = snapshot_of(settings)
    portal.requests.clear()
    portal.rows_sent.clear()
    assert load(Installation(settings), YEARS)
    said = "2014-2015: no changes at the source since they were published\n"
    assert (capsys.readouterr().out, snapshot_of(settings)) == (said, first)
    assert (len(portal.requests), portal.rows_sent[",".join(NAMES)]) == (1, 0)


def test_an_unchanged_year_is_rebuilt_if_a_stored_or_published_file_differs(
    loaded: tuple[PortalServer, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    portal, settings = loaded
    portal.rows_sent.clear()

    def rebuilt() -> set[int]:
        [report] = run_well(settings, *YEARS)
        return made(report)

    objects = settings.data_dir / "objects"
    (objects / snapshot_of(settings).years[2014].tables["crimes"].key).write_bytes(b"damaged")
    assert rebuilt() == {2014}
    Installation(settings).warehouse.file("crimes_monthly", 2014).unlink()
    assert rebuilt() == {2014}
    shutil.rmtree(objects / "published")
    assert rebuilt() == set(YEARS)
    monkeypatch.setattr(lineage, "code_version", lambda _: "another")
    assert rebuilt() == set(YEARS)
    assert portal.rows_sent[",".join(NAMES)] == 0
