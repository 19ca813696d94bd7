"""Input years for the benchmarks: sample years that resemble real ones, real years, and layouts of other programs."""

import gzip
from calendar import isleap
from collections.abc import Sequence
from pathlib import Path

import duckdb

from chicago_crime.sources.sample.source import SampleSource
from chicago_crime.tables.columns import SOURCE_NAMES

REAL = Path(__file__).parents[2] / "shared" / "data" / "real"
WHOLE_YEARS = (2014, 2015, 2016)

# Measured on the real years 2014 to 2016: 1.1% of the rows have no location, so they end in empty fields, and a year
# has at most a few rows with doubled quotes.
_LIKE_REAL = """
    SELECT * REPLACE (
        CASE WHEN hash(id) % 1000 >= 11 THEN x_coordinate END AS x_coordinate,
        CASE WHEN hash(id) % 1000 >= 11 THEN y_coordinate END AS y_coordinate,
        CASE WHEN hash(id) % 1000 >= 11 THEN latitude END AS latitude,
        CASE WHEN hash(id) % 1000 >= 11 THEN longitude END AS longitude,
        CASE WHEN hash(id) % 1000 >= 11 THEN location END AS location,
        CASE WHEN hash(id) % 50000 = 0 THEN 'CTA "L" TRAIN' ELSE location_description END AS location_description)
    FROM rows"""
_ISO = "strftime(strptime({0}, '%m/%d/%Y %I:%M:%S %p'), '%Y-%m-%dT%H:%M:%S.000') AS {0}"
_API = f"""
    SELECT * REPLACE ({_ISO.format("date")}, {_ISO.format("updated_on")},
        '{{''latitude'': ''' || latitude || ''', ''longitude'': ''' || longitude || ''', ''human_address'': '
            || '''{{"address": "", "city": "", "state": "", "zip": ""}}''}}' AS location),
        {", ".join(f'id::BIGINT % {70 + n} AS ":@computed_region_{n}"' for n in range(9))}
    FROM rows"""
LAYOUTS = {
    "the API's layout": _API,
    "CRLF": "FROM rows",
    "quoted newlines": "SELECT * REPLACE (CASE WHEN hash(id) % 10 = 0 THEN location_description || chr(10) || 'X' "
    "ELSE location_description END AS location_description) FROM rows",
    "other column order": f"SELECT {', '.join(SOURCE_NAMES[::-1])} FROM rows",
    "semicolons": "FROM rows",
    "one file of all years": "FROM rows",
}
"""Layout -> query that converts the rows of a canonical year."""


def write_like_real(folder: Path, rows_by_year: dict[int, int]) -> None:
    """Write sample years with the irregularities of real ones."""
    folder.mkdir()
    for year, rows in rows_by_year.items():
        clean = SampleSource(rows=rows).fetch(year, folder).path
        _write([clean], _LIKE_REAL, folder / f"crimes_{year}.csv")
        clean.unlink()


def write_real(folder: Path, years: Sequence[int]) -> None:
    """Write real years; in place of others, 2016 for leap years and else each in turn, with only the year changed."""
    folder.mkdir()
    for number, year in enumerate(years):
        in_turn = 2016 if isleap(year) else WHOLE_YEARS[number % len(WHOLE_YEARS)]
        of = year if year in WHOLE_YEARS else in_turn
        rows = gzip.decompress((REAL / f"Chicago_Crimes_{of}.csv.gz").read_bytes())
        if not isleap(year):
            rows = rows.replace(b"02/29/%d " % of, b"02/28/%d " % of)
        for form in (b"/%d ", b",%d,"):
            rows = rows.replace(form % of, form % year)
        (folder / f"crimes_{year}.csv").write_bytes(rows)


def write_layout(canonical: Path, folder: Path, layout: str) -> None:
    """Write a folder of canonical years in another layout."""
    folder.mkdir()
    files = sorted(canonical.glob("*.csv"))
    if layout == "one file of all years":
        _write(files, LAYOUTS[layout], folder / "crimes.csv")
        return
    for file in files:
        target = folder / file.name
        _write([file], LAYOUTS[layout], target, ";" if layout == "semicolons" else ",")
        if layout == "CRLF":
            target.write_bytes(target.read_bytes().replace(b"\n", b"\r\n"))


def _write(sources: Sequence[Path], query: str, target: Path, separator: str = ",") -> None:
    files, types = [str(file) for file in sources], ", ".join(f"'{name}': 'VARCHAR'" for name in SOURCE_NAMES)
    with duckdb.connect() as connection:
        rows = f"read_csv({files}, header = true, auto_detect = false, columns = {{{types}}})"
        connection.sql(f"FROM {rows}").create_view("rows")
        connection.execute(f"COPY ({query}) TO '{target}' (FORMAT CSV, HEADER, DELIMITER '{separator}')")
