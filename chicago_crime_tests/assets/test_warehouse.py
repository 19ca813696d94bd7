"""The typed table and its rejects: together they are the raw table, however they were chosen."""

from pathlib import Path

from chicago_crime_tests.support import crime, crimes_of_months, folder_settings, rows_of, run_well, write_csv

WRONG_DATE = crime(id=7, date="no date")


def test_rejects_come_and_go_with_the_file(tmp_path: Path) -> None:
    settings = folder_settings(tmp_path / "data", tmp_path / "in", allow_shrink=True)
    good = crimes_of_months(2014)
    write_csv(tmp_path / "in" / "2014.csv", [*good, WRONG_DATE])
    run_well(settings, 2014, assets="crime_csv,crime_object,raw_crimes,crimes,rejected_crimes")
    assert len(rows_of(settings, "crimes", 2014)) == len(good)
    assert [row["id"] for row in rows_of(settings, "rejected_crimes", 2014)] == ["7"]

    write_csv(tmp_path / "in" / "2014.csv", good)
    run_well(settings, 2014, assets="crime_csv,crime_object,raw_crimes,crimes,rejected_crimes")
    assert rows_of(settings, "rejected_crimes", 2014) == []


def test_rejects_by_themselves_are_those_of_the_raw_table_not_of_an_older_typed_one(tmp_path: Path) -> None:
    """The typed table is of a former file with as many rows: that its count agrees must not be taken for proof."""
    settings = folder_settings(tmp_path / "data", tmp_path / "in")
    good = crimes_of_months(2014)
    write_csv(tmp_path / "in" / "2014.csv", good)
    run_well(settings, 2014, assets="crime_csv,crime_object,raw_crimes,crimes,rejected_crimes")
    write_csv(tmp_path / "in" / "2014.csv", [*good[:-1], WRONG_DATE])
    run_well(settings, 2014, assets="crime_csv,crime_object,raw_crimes")
    run_well(settings, 2014, assets="rejected_crimes")
    assert [row["id"] for row in rows_of(settings, "rejected_crimes", 2014)] == ["7"]
