"""Tests of `chicago_crime/dashboard/data_changes.py`: what changed in years loaded again, and labels side by side."""

import io
import re
from pathlib import Path

import duckdb
import pyarrow.csv
import pytest

from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.pages.data import data_page
from chicago_crime.settings import Settings
from chicago_crime_tests.dashboard.conftest import client_of, data_of
from chicago_crime_tests.support import crimes_of_months, folder_settings, run_well, write_csv

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


def test_changes_are_shown_and_downloaded_by_year_snapshot_and_kind(loaded_twice: Settings) -> None:
    client = client_of(loaded_twice)
    text = client.get("/data").text
    assert "5 changes in 1 year" in text
    [table] = re.findall(r'data-table="revisions">.*?</table>', text, re.DOTALL)
    cells = [re.sub(r"<[^>]+>|\s+", " ", cell).strip() for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", table)]
    assert cells[6:12] == ["2014", "10 February 2018", "1 March 2018", "Added", "1", "was not there before"]
    assert cells[12:18][3:] == ["Arrest flag turned", "3", "3 with the flag now, 0 without"]
    downloaded = pyarrow.csv.read_csv(io.BytesIO(client.get("/download/data/revisions.csv").content)).to_pylist()
    stored = loaded_twice.data_dir / "warehouse" / "revisions" / "*.parquet"
    counted = duckdb.sql(f"SELECT year, kind, COUNT(*) FROM '{stored}' GROUP BY ALL ORDER BY ALL").fetchall()
    assert counted == [(2014, "added", 1), (2014, "arrest_turned", 3), (2014, "moved", 1)]
    assert [row["changes"] for row in downloaded] == [1, 3, 1]


def test_years_without_a_change_say_so(loaded_twice: Settings) -> None:
    text = client_of(loaded_twice).get("/data?year=2015").text
    assert "No year of 2015 differs from what was loaded before it." in text
    assert 'data-table="revisions"' not in text


def test_the_labels_of_types_stand_side_by_side(loaded_twice: Settings) -> None:
    table = data_page(PageRequest(data_of(loaded_twice), Filters())).table("labels")
    assert table
    assert [(row["source"], row["comparable"], row["crimes"]) for row in table.rows] == [
        ("CRIM SEXUAL ASSAULT", "CRIMINAL SEXUAL ASSAULT", 36),
        ("THEFT", "THEFT", 37),
    ]


@pytest.mark.parametrize("gone", [True, False], ids=["never made", "of another version"])
def test_without_a_usable_table_of_changes_the_page_helps(loaded_twice: Settings, tmp_path: Path, gone: bool) -> None:
    settings = loaded_twice.model_copy(update={"data_dir": tmp_path / "data"})
    for table in (loaded_twice.data_dir / "warehouse").iterdir():
        if table.name != "revisions" and table.is_dir():
            (tmp_path / "data" / "warehouse").mkdir(parents=True, exist_ok=True)
            (tmp_path / "data" / "warehouse" / table.name).symlink_to(table)
    if not gone:
        (tmp_path / "data" / "warehouse" / "revisions").mkdir()
        duckdb.execute(f"COPY (SELECT 2014 AS year) TO '{tmp_path}/data/warehouse/revisions/2014.parquet'")
    answer = client_of(settings).get("/data")
    assert answer.status_code == 200
    told = "differs from what was loaded before it" if gone else "chicago-crime run --years 2014 --assets revisions"
    assert told in answer.text
