"""More values of the kinds in `../shared/data/cases`; refused values are in `test_values.py`."""

from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from chicago_crime import sql
from chicago_crime.intake.gate import GateResult
from chicago_crime.sources.records import MAX_RECORD_BYTES
from chicago_crime.sql.duckdb_dialect import to_duckdb
from chicago_crime.sql.duckdb_scans import csv_scan
from chicago_crime_tests.support import NAMES, crime, gate_of, gated, write_csv

YEAR = 2016
MID_MARCH = datetime(2016, 3, 15, 13)
AFTERNOON, MIDNIGHT = datetime(2016, 3, 5, 14, 30), datetime(2016, 3, 5)
SECONDS = datetime(2016, 3, 5, 14, 30, 15)
PARSED = to_duckdb(sql.statement("fragments/parsed_crimes"), {}, lambda _: csv_scan("$file", NAMES))


def values_of(result: GateResult, column: str) -> list[Any]:
    """Return the typed values of a column, in the order of the file."""
    with duckdb.connect(config={"threads": 1}) as connection:
        found = connection.execute(f"SELECT {column} FROM ({PARSED})", {"file": str(result.split.file)})
        return [value for (value,) in found.fetchall()]


@pytest.mark.parametrize(
    ("column", "texts", "expected"),
    [
        # dates_mdy_dash
        ("date", ["3-5-2016 2:30:15 PM", "12-31-2016 0:00"], [SECONDS, datetime(2016, 12, 31)]),
        ("updated_on", ["03-05-2016", "02/29/2016 14:30"], [MIDNIGHT, datetime(2016, 2, 29, 14, 30)]),
        # dates_24h_seconds
        ("date", ["3/5/2016 14:30:15", "03/15/2016 01:00:00 pm"], [SECONDS, MID_MARCH]),
        ("updated_on", ["2016-03-05 14:30:15", "2016-03-05T14:30:15.000Z"], [SECONDS] * 2),
        # dates_only_iso_slash
        ("date", ["2016-03-05", "2016-03-05T14:30"], [MIDNIGHT, AFTERNOON]),
        ("updated_on", ["2016/3/5 14:30", "2016/12/31 14:30:00"], [AFTERNOON, datetime(2016, 12, 31, 14, 30)]),
        # dates_month_names
        ("date", ["March 5, 2016 2:30 PM", "Mar 05 2016 14:30:15"], [AFTERNOON, SECONDS]),
        ("updated_on", ["5 March 2016", "05 Mar 2016 14:30"], [MIDNIGHT, AFTERNOON]),
        # as spreadsheets display them; a number above 12 must be the day
        ("date", ["3/5/16 14:30", "12/31/16", "03/05/16 02:30:00 PM"], [AFTERNOON, datetime(2016, 12, 31), AFTERNOON]),
        # as British spreadsheets, which read and display days first, and two programs that updated at different times
        ("date", ["03/05/2016 14:30"] * 10 + ["03/15/2016 01:00 PM"] * 10, [AFTERNOON] * 10 + [MID_MARCH] * 10),
        ("updated_on", ["2016-03-05"] * 10 + ["03/15/2016 01:00 PM"] * 10, [MIDNIGHT] * 10 + [MID_MARCH] * 10),
        # as JavaScript, Java, Oracle and SQL Server write them
        ("date", ["3/5/2016, 2:30:15\u202fPM", "03/05/2016 02:30:15\u00a0PM", "03/05/2016 2:30:15pm"], [SECONDS] * 3),
        ("date", ["03/05/2016 12:00:00am", "Mar  5 2016 12:00AM", "20160305"], [MIDNIGHT] * 3),
        ("date", ["3/5/2016 2:30 p.m.", "2016-03-05 02:30:00 PM", "2016-03-05T14:30:00.000-06:00"], [AFTERNOON] * 3),
        ("updated_on", ["20160305 14:30:15", "2016-03-05 02:30:15 PM"], [SECONDS] * 2),
        # as newer exports of Socrata write them
        ("date", ["2016 Mar 05 02:30:15 PM", "2016-Mar-05 14:30:15", "2016 March 5 14:30:15"], [SECONDS] * 3),
        # as PostgreSQL and SAS write them
        ("date", [f"2016-03-05 14:30:15{zone}" for zone in ("-06", "-0500", "+00", "+00:00")], [SECONDS] * 4),
        ("updated_on", ["05MAR2016:14:30:15", "05MAR2016", "05MAR2016:14:30:15.000"], [SECONDS, MIDNIGHT, SECONDS]),
        # flags_t_f
        ("arrest", ["t", "f", "T", "F"], [True, False, True, False]),
        ("arrest", ["1", "0", "1.0", "TRUE", "", "NA"], [True, False, True, True, None, None]),
        # year_replaced_by_nothing: numbers without lost digits
        ("id", ["3.1E+07", "31,000,001", '="31000002"'], [31_000_000, 31_000_001, 31_000_002]),
        ("id", ["3.10E+07", "1.0722796E+07", "1.0722797E7", "1e+05"], [31_000_000, 10_722_796, 10_722_797, 100_000]),
        ("id", ["10434e3", "1.038e7"], [10_434_000, 10_380_000]),
        ("beat", ["1,811", '="0111"', "111.0"], [1811, 111, 111]),
        # what the City's programs lose or add
        ("latitude", ["41.88350018700001"], [41.883500187]),
        ("date", ["2016-03-05 14:30:00.000000 UTC", "03/05/2016 12:00:00 AM"], [AFTERNOON, MIDNIGHT]),
        ("block", ["  001XX N STATE ST "], ["001XX N STATE ST"]),
        # missing values as programs write them
        ("ward", ["NULL", "nan", r"\N", "#N/A", " ", "None", "<NA>", "-"], [None] * 8),
        ("district", ["--", "NaT", "n/a", ".", "(null)", "[NULL]", "N.A.", "\u2014", "#REF!"], [None] * 9),
        ("description", ["undefined", "nil", "?", "#NULL!", "<Null>", "missing", "MISSING", "Undefined"], [None] * 8),
        # texts protected from conversion by a spreadsheet
        ("iucr", ['="0810"', '="031a"'], ["0810", "031A"]),
        ("block", ['="001XX N STATE ST"', '="A ""B"""', "=1"], ["001XX N STATE ST", 'A "B"', "=1"]),
        ("arrest", ['="false"', '="1"'], [False, True]),
        ("date", ['="03/05/2016 02:30:15 PM"', '="5-Mar-16"'], [SECONDS, MIDNIGHT]),
        # other kinds of blanks
        ("primary_type", ["THEFT\u00a0", "THEFT\t", "\u00a0theft\r\n", "\u202fTheft "], ["THEFT"] * 4),
        ("fbi_code", ["06\u00a0", "06\t", "06\r\n"], ["06"] * 3),
        ("ward", ["7\u00a0", "\u00a0\t", "42\t"], [7, None, 42]),
        ("domestic", ["true\u00a0", "False\r\n"], [True, False]),
    ],
)  # fmt: skip
def test_a_value_is_read(tmp_path: Path, column: str, texts: list[str], expected: list[Any]) -> None:
    result = gated(tmp_path, [crime(**{"id": n, "date": "2016-03-05", column: one}) for n, one in enumerate(texts)])
    assert (result.unreadable, result.problems) == ({}, [])
    assert values_of(result, column) == expected


@pytest.mark.parametrize("letter", ["x", '"'])
def test_a_row_of_the_maximum_size_is_read(tmp_path: Path, letter: str) -> None:
    """The quotes in it double, because the gate quotes the field."""
    file = write_csv(tmp_path / "2016.csv", [crime(id=n, date="2016-03-05") for n in range(2)])
    *above, last = file.read_text().splitlines()
    long = last.replace("THEFT", "x" + letter * (MAX_RECORD_BYTES - len(last) + 4))
    file.write_text("\n".join([*above, long, ""]))
    result = gate_of(file, YEAR, tmp_path)
    assert (values_of(result, "id"), result.split.counts.quarantined) == ([0, 1], 0)
