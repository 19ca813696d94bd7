"""Values as programs write them: either read correctly, or the file is refused."""

import csv
from pathlib import Path

import pytest

from chicago_crime.installation import Installation
from chicago_crime.sources.base import SourceError
from chicago_crime.storage.object_store import quarantine_key, rows_key
from chicago_crime_tests.support import NAMES, crime, crimes_of_months, folder_settings, gate_of, gated, run, write_csv

YEAR = 2016
LARGE = [crime(id=n, date="03/15/2016 02:30:00 PM") for n in range(2000)]
HOURS = [f"03/15/2016 {hour}:10" for hour in range(1, 13)]


@pytest.mark.parametrize(
    ("column", "texts", "message"),
    [
        ("date", ["03/15/2016 14:30"] * 20 + ["15/03/2016 14:30"], "month, as in '15/03/2016 14:30' in line 22"),
        ("updated_on", ["03/15/2016 14:30", "02/28/2016", "28/02/2016 01:00:00 PM"], "'updated_on' has the day before"),
        ("date", ["03/05/2016 02:30:00 PM"] * 1999 + ["28/02/2016 02:30:00 PM"], "'date' has the day before the month"),
        ("date", ["2016/03/15 14:30", "2016/15/03 14:30"], "day before the month, as in '2016/15/03 14:30' in line 3"),
        ("date", ["3/5/16 14:30"] * 9, "'date' has ambiguous dates, such as '3/5/16 14:30' in line 2"),
        ("date", ["03-05-2016 14:30"] * 9, "'date' has ambiguous dates, such as '03-05-2016 14:30' in line 2"),
        ("date", ["3/5/2016 14:30 CST"] * 9, "column 'date': 9 of 9 values cannot be read; the first is '3/5/2016"),
        ("updated_on", ["", "3/5/2016"], "'updated_on' has ambiguous dates, such as '3/5/2016' in line 3"),
        ("date", ["3/5/16 14:30", "16-03-05"], "has the day or a two-digit year before the month, as in '16-03-05' in"),
        *(
            (
                column,
                ["03/15/2016"] * 10 + [march, march.replace("Mar", "Apr").replace("3", "4")] * 5,
                f"'{column}' has day and month swapped in some dates: the 10 that are written like {march!r} in line "
                "12 have a day up to 12, and the 10 others",
            )
            for column in ("date", "updated_on")
            for march in ("2016-03-05", " 2016-03-05 14:30", '="2016-03-05"', "20160305", "05-Mar-16", "Mar 05, 2016")
        ),
        (
            "date",
            ["03/15/2019 02:30:00 PM"] * 10 + ["03/05/2019 18:15:00", "04/05/2019 18:15:00"] * 5,  # after the update
            "in some dates: the 10 that are written like '03/05/2019 18:15:00' in line 12 have",
        ),
        # one date to the contrary, such as a late correction, proves nothing
        ("date", ["03/15/2016"] * 60 + ["2016-03-05", "2016-04-05"] * 30 + ["2016-03-20"], "the 61 that are written"),
        ("date", ["03/05/2016 14:30"] * 150 + ["03/15/2016 14:30"], "'date' has ambiguous dates, such as"),
        ("date", ["NA"] * 9 + ["2016-03-05"], "9 of 10 rows lack an id or a date. Export"),
        ("date", ["10.20.2016"] * 9, "2016.csv: column 'date': 9 of 9 values cannot be read; the first is '10."),
        ("id", ["1.10E+07", "1.0400001E+07", "1.10E+07"], "2 of 3 rows share their id with another crime, 2 of them"),
        ("id", ["1.04E+07", "1.10E+07", "1.10E+07"], "read, the first '1.04E+07' in line 2, and ids shared"),
        ("id", ["7"] * 3 + ["10170000.0"] * 6, "9 of 9 rows share their id with another crime, 6 of them '10170000.0'"),
        ("date", [f"{time}:00" for time in HOURS] * 5, "AM and PM: 60 times, such as '03/15/2016 1:10:00' in line 2"),
        ("date", ["03/15/2016 02:30:00 PM"] * 99 + HOURS * 9 + ["3/15/2016 17:00"], "AM and PM: 109 times"),
        (
            "date",
            [f"2016-03-15T{hour}:01:00Z" for hour in ("05", "06", 18) * 20],
            "UTC: 40 times, such as '2016-03-15T",
        ),
        ("date", ["03/05/2016 13:10:00 PM"] * 5, "5 of 5 values cannot be read; the first is '03/05/2016 13:10:00 PM'"),
        ("fbi_code", ["", "NA"], "column 'fbi_code' has no values. Export"),
        *((name, [""] * 2, f"column '{name}' has no values. Export") for name in ("id", "date", "arrest")),
        ("primary_type", ["THEFT", "", " ", "NULL", "#N/A", "-"], "'primary_type': 5 of 6 values are empty. Export"),
        ("id", ["HX1", "2"], "'id': 1 of 2 values cannot be read; the first is 'HX1' in line 2"),
        ("domestic", ["", "false", "2"], "'domestic': 1 of 2 values cannot be read; the first is '2' in line 4"),
        ("domestic", ['="maybe"'], """the first is '="maybe"' in line 2"""),
        ("arrest", ["Y", ""] * 6, "'arrest' is never false: 6 values are true and 6 are empty. Export"),
        ("latitude", ["41;88", "41.9"], "'latitude': 1 of 2 values cannot be read; the first is '41;88' in line 2"),
        ("latitude", ["-87.6"] * 5, "'latitude' has no value in Chicago: -87.6 in line 2, and 4 others"),
        ("x_coordinate", ["1.169082e+06", "1.16908e+06"], "'x_coordinate': 1 of 2 values cannot be read"),
        ("x_coordinate", ["1900927"] * 9, "Expected feet east in Illinois East"),
        ("id", ["7", "1.07E+07"], "'id': 1 of 2 values cannot be read; the first is '1.07E+07' in line 3"),
        ("beat", ["1.811E+03", "1.72E+03"], "'beat': 1 of 2 values cannot be read; the first is '1.72E+03' in line 3"),
        ("beat", ["1811", "0x10", "-5"], "'beat': 2 of 3 values cannot be read; the first is '0x10' in line 3"),
    ],
)
def test_too_many_unreadable_values_are_refused(tmp_path: Path, column: str, texts: list[str], message: str) -> None:
    good = {"date": "03/05/2016 01:00:00 PM"}
    rows = [crime(**{"id": n, "case_number": f"HZ{n}"} | good | {column: text}) for n, text in enumerate(texts)]
    try:
        found = "; ".join(gated(tmp_path, rows).problems)
    except SourceError as error:
        found = str(error)
    assert message in found


@pytest.mark.parametrize(
    ("column", "text"), [("arrest", "maybe"), ("beat", "x"), ("date", "02/30/2016 14:30"), ("date", "28/02/2016 14:30")]
)
def test_few_unreadable_values_are_counted(tmp_path: Path, column: str, text: str) -> None:
    """The line number is correct below multi-line rows, blank lines and damaged lines."""
    rows = [row | {column: text} if number in (1500, 1700) else row for number, row in enumerate(LARGE)]
    rows[20] = rows[20] | {"block": "ONE\nTWO\nTHREE"}
    file = write_csv(tmp_path / "2016.csv", rows)
    lines = file.read_text().split("\n")
    file.write_text("\n".join([*lines[:100], "", *lines[100:200], "damage", *lines[200:]]))
    result = gate_of(file, YEAR, tmp_path)
    assert result.unreadable == {column: {"count": 2, "place": "line 1,506", "example": text}}


def test_a_second_header_is_refused_only_if_its_columns_are_in_a_different_order(tmp_path: Path) -> None:
    first = write_csv(tmp_path / "1.csv", LARGE).read_text()
    swapped = [{"id": "description", "description": "id"}.get(name, name) for name in NAMES]
    (tmp_path / "2016.csv").write_text(first + write_csv(tmp_path / "2.csv", LARGE, swapped).read_text())
    with pytest.raises(SourceError, match=r"2016\.csv: line 2,002 is a header with the columns in a different order"):
        gate_of(tmp_path / "2016.csv", YEAR, tmp_path)
    other_spelling = [name.replace("_", " ").upper() for name in NAMES]
    second, quoted = write_csv(tmp_path / "2.csv", LARGE, other_spelling).read_text(), '","'.join(other_spelling)
    (tmp_path / "2016.csv").write_text(f'{first}\n\ufeff{second}"{quoted}"\n')
    split = gate_of(tmp_path / "2016.csv", YEAR, tmp_path).split
    assert (split.counts.rows, split.quarantine.read_text().count("repeated header")) == (4000, 2)


def test_one_unreadable_value_does_not_refuse_a_small_file(tmp_path: Path) -> None:
    total = dict.fromkeys(NAMES, "") | {"id": "Total: 200"}
    result = gated(tmp_path, [*LARGE[:200], total])
    assert (result.problems, result.unreadable["id"]["count"]) == ([], 1)


def test_crimes_of_overlapping_files_count_once_in_months_and_gaps(tmp_path: Path) -> None:
    rows = crimes_of_months(YEAR, 30)
    whole = gated(tmp_path, rows)
    overlapping = gated(tmp_path, rows + [row | {"updated_on": "03/01/2019 03:50:01 PM"} for row in rows[:300]])
    assert (overlapping.months, overlapping.days, overlapping.gaps) == (whole.months, whole.days, whole.gaps)
    assert sum(whole.months.values()) == len(rows) < overlapping.split.counts.rows


def test_a_repeated_id_is_refused_only_for_another_crime(tmp_path: Path) -> None:
    """Files of a folder may overlap, and the City corrects single values of a row."""
    other = {"updated_on": "03/01/2019 03:50:01 PM", "date": "03/16/2016 02:00:00 PM"}
    again = [LARGE[0] | other, *(row | {"case_number": text} for row in LARGE[1:] for text in ("", "hx100001"))]
    corrected = [row | {"case_number": "HX2"} for row in LARGE[:9]]
    assert gated(tmp_path, LARGE + again + corrected).problems == []
    other |= {"block": "002XX N STATE ST", "case_number": ""}
    with pytest.raises(SourceError, match=r"40 of 2,020 rows share their id .* 2 of them '0', the first in line 2"):
        gated(tmp_path, LARGE + [row | other for row in LARGE[:20]])


def test_rows_without_any_coordinates_pass(tmp_path: Path) -> None:
    nowhere = {"latitude": "36.619446395", "longitude": "-91.686565684", "x_coordinate": "0", "y_coordinate": "0"}
    assert gated(tmp_path, [row | nowhere for row in LARGE]).problems == []


def test_errors_in_coordinates_from_location_name_that_column(tmp_path: Path) -> None:
    names = [name for name in NAMES if name not in ("latitude", "longitude")]
    upper = [name.upper() for name in names]
    rows = crimes_of_months(YEAR, location="(40.7128, -74.0060)")
    file = write_csv(tmp_path / "2016.csv", [{name: row[name] for name in names} for row in rows], upper)
    with pytest.raises(SourceError, match=r"column 'LOCATION' has no value in Chicago: 40\.7128 in line 2"):
        gate_of(file, YEAR, tmp_path)
    file.write_text(file.read_text().replace("40.7128, -74.0060", "41,88; -87,63"))
    [problem] = gate_of(file, YEAR, tmp_path).problems
    assert problem.startswith("column 'LOCATION': 36 of 36 values cannot be read; the first is '(41,88; -87,63)'")


JANUARY = crimes_of_months(YEAR, per_month=28, months=[1], updated_on="2018-02-10")
DAYS_FIRST = [row | {"id": f"{day}", "date": f"{day:02}/01/2016 10:15"} for day, row in enumerate(JANUARY, 1)]
SWAPPED = [
    row | ({"date": f"2016-{day}-{row['date'][:2]}"} if (day := row["date"][3:5]) <= "12" else {})
    for row in crimes_of_months(YEAR, per_month=28, months=range(7, 13))
]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (DAYS_FIRST, "has the day before the month, as in '13/01/2016 10:15' in line 14 of {}"),
        (DAYS_FIRST[:12], "has ambiguous dates, such as '01/01/2016 10:15' in line 2 of {}"),
        (SWAPPED, "the 72 that are written like '2016-01-07' in line 2 of {} have"),
    ],
)
def test_a_large_good_file_does_not_hide_a_small_bad_one(tmp_path: Path, rows: list, problem: str) -> None:
    write_csv(tmp_path / "a.csv", crimes_of_months(YEAR, per_month=2800))
    file = write_csv(tmp_path / "b.csv", rows)
    [report] = run(folder_settings(tmp_path / "data", tmp_path), YEAR, assets="crime_csv")
    assert problem.format(file) in report.reasons[0]


def test_a_file_without_any_readable_id_cannot_be_accepted(tmp_path: Path) -> None:
    write_csv(tmp_path / "2016.csv", [row | {"id": f"'{row['id']}"} for row in LARGE])
    [report] = run(folder_settings(tmp_path / "data", tmp_path), YEAR, accept="the file is correct")
    assert "'id': 2,000 of 2,000 values cannot be read; the first is " in report.reasons[0]
    assert "--accept" not in report.reasons[0]


def test_storing_the_output_of_the_gate_is_repeatable(tmp_path: Path) -> None:
    """It includes the lines and names of the user's files."""
    settings = folder_settings(tmp_path / "data", tmp_path / "in")
    rows = crimes_of_months(YEAR)
    for name, some in (("2016-01.csv", rows[:12]), ("2016-02.csv", rows[12:])):
        write_csv(tmp_path / "in" / name, [dict(reversed(row.items())) for row in some], NAMES[::-1])
    with (tmp_path / "in" / "2016-02.csv").open("a") as file:
        file.write("damage\n")
    run(settings, YEAR, assets="crime_csv")
    store = Installation(settings).object_store
    for _ in range(2):
        run(settings, YEAR, assets="crime_object")
        with store.get(rows_key(YEAR), tmp_path).open(newline="") as stream:
            assert list(csv.DictReader(stream)) == rows
        damaged = f"26,1 field where the header has 22,damage,{tmp_path}/in/2016-02.csv,line\n"
        assert store.get(quarantine_key(YEAR), tmp_path).read_text() == f"line,problem,text,file,unit\n{damaged}"
