"""Tests of the page Data: changes, sources and checks."""

import io
import re
from datetime import date
from pathlib import Path

import pyarrow.csv
import pytest

from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.pages.data import data_page
from chicago_crime.settings import Settings
from chicago_crime_tests.dashboard.conftest import client_of, copy_of, data_of, rows
from chicago_crime_tests.support import crimes_of_months, folder_settings, run, run_well, write_csv

LATER = "03/01/2018 03:50:01 PM"


@pytest.fixture(scope="module")
def loaded_twice(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two years, the first of which was loaded again with changes."""
    folder = tmp_path_factory.mktemp("twice")
    settings = folder_settings(folder / "data", folder / "in")
    rows = crimes_of_months(2014)
    write_csv(folder / "in" / "2014.csv", rows)
    write_csv(folder / "in" / "2015.csv", crimes_of_months(2015, primary_type="CRIM SEXUAL ASSAULT", fbi_code="02"))
    run_well(settings, 2014, 2015)
    for row in rows[:3]:
        row |= {"arrest": "true", "updated_on": LATER}
    rows[4] |= {"block": "002XX N STATE ST", "updated_on": LATER}
    write_csv(folder / "in" / "2014.csv", [*rows, rows[6] | {"id": "7"}])
    run_well(settings, 2014)
    return settings


def test_changes_are_shown_by_year_snapshot_and_kind(loaded_twice: Settings) -> None:
    client = client_of(loaded_twice)
    text = client.get("/data").text
    assert "5 changes in 1 year" in text
    assert 'data-summary="Years loaded: 2, selected: ' in text, "for screen readers"
    [table] = re.findall(r'data-table="revisions">.*?</table>', text, re.DOTALL)
    cells = [re.sub(r"<[^>]+>|\s+", " ", cell).strip() for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", table)]
    assert cells[6:12] == ["2014", "February 10, 2018", "March 1, 2018", "Added", "1", "new in the data"]
    assert cells[12:18][3:] == ["Arrest flag changed", "3", "3 now set, 0 no longer set"]
    downloaded = pyarrow.csv.read_csv(io.BytesIO(client.get("/download/data/revisions.csv").content)).to_pylist()
    assert [row["changes"] for row in downloaded] == [1, 3, 1]
    text = client.get("/data?start=2015-01-01&area=32").text
    assert "These filters do not apply to this page: area." in text
    assert "No changes in 2015 (to December 3)." in text
    assert 'data-table="revisions"' not in text


def test_each_year_has_its_source_and_the_reason_it_was_accepted(loaded_twice: Settings, tmp_path: Path) -> None:
    settings = copy_of(loaded_twice, tmp_path)
    write_csv(tmp_path / "2014.csv", crimes_of_months(2014, per_month=2))
    settings = settings.model_copy(update={"folder": tmp_path})
    [report] = run(settings, 2014, accept="the City withdrew a third")
    assert not report.failures
    request = PageRequest(data_of(settings), Filters())
    view = data_page(request)
    [new, old] = sorted(rows(view, "years"), key=lambda row: row["year"])
    assert (new["rows"], new["source"], new["accepted"]) == (24, "folder", "the City withdrew a third")
    assert "1 accepted" in new["checks"]
    assert {row["updated"] for row in (new, old)} == {date(2018, 2, 10)}
    assert (old["rows"], old["accepted"], old["checks"]) == (36, "", "1 warning")
    assert new["run"] == report.run_id[:8] != old["run"]
    first = rows(view, "checks")[0]
    assert (first["year"], first["check"], first["result"]) == (2014, "crime_csv:has_not_shrunk", "accepted")
    assert "24 rows" in first["found"]
    text = client_of(settings).get("/data").text
    assert f"Snapshot {request.data.catalog.snapshot}" in text
    assert text.count("the City withdrew a third") == 1
