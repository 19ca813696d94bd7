"""All statements are valid GoogleSQL with the columns of their tables, and both engines return the same rows.

DuckDB runs them in the real warehouse, Google's evaluator on the rows stored there.
"""

import re
import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
import sqlglot
from sqlglot import exp

from chicago_crime import reference, sql
from chicago_crime.dashboard.filters import Filters
from chicago_crime.graph.checks.tables import out_of_range, schema_problems
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings
from chicago_crime.sources.sample.source import SampleSource
from chicago_crime.storage.google.bigquery import statements
from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime.storage.local.parquet_files import DUCKDB_TYPES
from chicago_crime.tables import RAW_CRIMES, TABLES, Table
from chicago_crime_tests.servers.googlesql import Analyzer, GoogleSQLError, Typed
from chicago_crime_tests.sql.dirt import edge_rows
from chicago_crime_tests.sql.engines import CATALOG, REFERENCE, Row, in_duckdb, written
from chicago_crime_tests.support import NAMES, REAL_DATA, folder_settings, real_year, run_well, warehouse_of, write_csv

REAL_YEARS = (2015, 2016)
DIRTY_YEAR = 2014

FILES = sorted(f"{file.parent.name}/{file.stem}" for file in Path(sql.__file__).parent.rglob("*.sql"))

PARAMETERS = {
    **dict.fromkeys(("year", "cell_x", "cell_y", "row_count", "skipped"), "INT64"),
    **dict.fromkeys(("years", "years_back", "hours", "weekdays"), "ARRAY<INT64>"),
    **dict.fromkeys(("areas", "districts", "wards", "beats"), "ARRAY<INT64>"),
    **dict.fromkeys(("west_ft", "east_ft", "south_ft", "north_ft", "west", "east", "south", "north"), "FLOAT64"),
    **dict.fromkeys(("place", "sorted_by"), "STRING"),
    **dict.fromkeys(("codes", "classes", "types", "descriptions", "blocks", "locations"), "ARRAY<STRING>"),
    **dict.fromkeys(("start", "finish", "last_day"), "DATE"),
    **dict.fromkeys(("arrest", "domestic", "is_descending"), "BOOL"),
}
"""All parameters of statements, with their types."""

EXPRESSIONS = tuple(f"fragments/{name}" for name in ("chosen_place", "matches_filters", "read_"))
STATEMENTS = [name for name in FILES if not name.startswith(EXPRESSIONS)]
DASHBOARD = [name for name in STATEMENTS if name.startswith("pages/")]
FILTERED = [name for name in DASHBOARD if "@classes" in written(name)]
TEXTS = [(column.name, "STRING") for column in RAW_CRIMES.columns]
OF_TABLES = [name.removeprefix("tables/") for name in FILES if name.startswith("tables/")]
OF_EVERY_YEAR = {*OF_TABLES} - {"rejected_crimes", "revisions"}  # real years are clean and loaded only once

FILTERS = {
    "all": Filters(),
    "classes": Filters(offense_class=("violent", "property")),
    "types": Filters(type=("THEFT", "CRIMINAL SEXUAL ASSAULT", "O'HARE")),
    "places": Filters(area=(25, 32, 8), district=(1, 11, 18)),
    "small places": Filters(ward=(1, 2, 24, 27, 42), beat=(111, 122, 1112, 1121, 1133, 1211, 1224)),
    "a cell": Filters(cell="1782,2881"),
    "a block": Filters(block=("001XX N STATE ST",)),
    "texts": Filters(description=("SIMPLE", "$500 AND UNDER"), location=("STREET", "APARTMENT")),
    "groups": Filters(group=("retail_theft", "domestic_violence")),
    "times": Filters(hour=(0, 1, 22), weekday=(1, 5, 6), start=date(2014, 3, 15), finish=date(2016, 2, 29)),
    "arrested": Filters(arrest=True),
    "not domestic": Filters(arrest=False, domestic=False),
    "none": Filters(area=(77,), type=("NO SUCH TYPE",)),
}
CHOICES = [
    (name, choice)
    for number, name in enumerate(FILTERED)
    for at, choice in enumerate(FILTERS)
    if choice in ("all", "none") or (number + at) % 12 == 0
]
"""Each page with three filters, and each filter with a page, because all pages share the filter condition."""


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_valid_and_has_the_columns_of_its_table(name: str) -> None:
    columns = google().check(written(name), typed(dict.fromkeys(PARAMETERS)))
    assert columns
    folder, _, table = name.partition("/")
    if folder == "tables":
        assert columns == [(column.name, column.type) for column in TABLES[table].columns]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_bigquery_reads_the_partitions_of_a_year_and_no_others(table: Table) -> None:
    texts = [statements.measured(table, [DIRTY_YEAR], {"n": "COUNT(*)"}), statements.counted(table, [DIRTY_YEAR], "id")]
    if table.made_by == "sql":
        texts.append(statements.computed(table, DIRTY_YEAR))
    for read in [one for text in texts for one in sqlglot.parse_one(text, read="bigquery").find_all(exp.Table)]:
        if read.name in TABLES:
            where = read.parent_select.args["where"].sql("bigquery")
            partition = statements.create(TABLES[read.name]).partition("PARTITION BY")[2].partition("\n")[0]
            assert re.search(r"\w*(month|year|_PARTITIONTIME)", where)[0] in partition


@cache
def google() -> Analyzer:
    return Analyzer(CATALOG)


def typed(parameters: Mapping[str, object]) -> dict[str, Typed]:
    return {name: (PARAMETERS[name], value) for name, value in parameters.items()}


def cut(file: Path, every: int) -> list[dict[str, str]]:
    """Return every n-th row of a file, with our 22 columns."""
    rows = pd.read_csv(file, dtype=str, keep_default_na=False).iloc[::every, : len(NAMES)]
    return rows.set_axis(NAMES, axis=1).to_dict("records")


def reference_rows(table: str) -> list[Row]:
    types = dict(REFERENCE[table])
    return [
        {name: int(text) if types[name] == "INT64" else text or None for name, text in row.items()}
        for row in reference.rows(table)
    ]


def in_order(rows: Iterable[Mapping[str, Any]]) -> list[tuple[tuple[str, Any], ...]]:
    """Sort rows for comparison. 1, 1.0 and true remain distinct."""
    return sorted(tuple((name, repr(value)) for name, value in row.items()) for row in rows)


def rows_held(settings: Settings, table: str, year: int | None = None) -> list[Row]:
    folder = settings.data_dir / "warehouse" / table
    files = sorted(folder.glob(f"{year or '*'}.parquet"))
    loaded = {file: datetime(int(file.stem), 1, 1, tzinfo=UTC) for file in files}
    return [row | {"_PARTITIONTIME": at} for file, at in loaded.items() for row in pq.read_table(file).to_pylist()]


def tables_for(settings: Settings, name: str, year: int | None = None) -> dict[str, list[Row]]:
    return {
        table: reference_rows(table) if table in REFERENCE else rows_held(settings, table, year)
        for table in sql.tables_read(name)
    }


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """All tables of a year with edge cases and sample rows, and of excerpts of real years if present."""
    folder = tmp_path_factory.mktemp("both")
    sample = cut(SampleSource(rows=4600).fetch(DIRTY_YEAR, folder).path, every=20)
    write_csv(folder / "in" / f"{DIRTY_YEAR}.csv", [*sample, *edge_rows()])
    for year in available_years():
        write_csv(folder / "in" / f"{year}.csv", cut(real_year(year), every=3000))
    settings = folder_settings(folder / "data", folder / "in")
    run_well(settings, *available_years(), DIRTY_YEAR, accept="edge cases are intended")
    return settings


def available_years() -> list[int]:
    return [year for year in REAL_YEARS if (REAL_DATA / "real").exists()]


@pytest.mark.parametrize("year", [DIRTY_YEAR, REAL_YEARS[-1]])
@pytest.mark.parametrize("name", OF_TABLES)
def test_tables_are_equal(loaded: Settings, warehouse: DuckDBWarehouse, name: str, year: int) -> None:
    if year != DIRTY_YEAR:
        real_year(year)
    text = statements.computed(TABLES[name], year).replace("%F", "%Y-%m-%d")
    theirs = google().evaluate(text, tables_for(loaded, f"tables/{name}"), {})  # rows of all years
    shutil.copytree(loaded.data_dir / "warehouse", warehouse.folder)
    warehouse.replace_year(TABLES[name], year)
    ours = pq.read_table(warehouse.file(name, year)).to_pylist()
    assert ours or name not in OF_EVERY_YEAR
    assert in_order(ours) == in_order(theirs)


def test_revisions_are_equal(loaded: Settings) -> None:
    """Compared with crimes of which some are missing and some have other values."""
    rows = tables_for(loaded, "tables/revisions", DIRTY_YEAR)
    before = [crime for number, crime in enumerate(rows["crimes"]) if number % 7]
    for number, name in enumerate(("iucr", "block", "primary_type", "case_number", "description", "x_coordinate")):
        before[10 * number][name] = None
    before[70] |= {"arrest": not before[70]["arrest"], "beat": 9, "date": datetime(DIRTY_YEAR, 1, 1)}
    before[80] |= {"id": 99, "updated_on": None}
    rows["crimes"] = before
    catalog = {name: CATALOG[name] for name in rows}
    theirs = google().evaluate(written("tables/revisions"), rows, typed({"year": DIRTY_YEAR}))
    ours = in_duckdb(written("tables/revisions"), rows, {"year": DIRTY_YEAR}, catalog | {"raw_crimes": TEXTS})
    assert {row["kind"] for row in ours} >= {"added", "vanished", "reclassified", "arrest_turned", "moved", "corrected"}
    assert in_order(ours) == in_order(theirs)


@pytest.mark.parametrize(("name", "choice"), CHOICES)
def test_filtered_pages_are_equal(loaded: Settings, name: str, choice: str) -> None:
    filters, number = FILTERS[choice], CHOICES.index((name, choice))
    parameters = filters.parameters([DIRTY_YEAR, *available_years()])
    if "@row_count" in written(name):
        parameters |= {"row_count": 5, "skipped": 2, "is_descending": bool(number % 2)}
        parameters["sorted_by"] = ("block", "arrest", "domestic")[number % 3]
    if "@place" in written(name):
        parameters["place"] = ("beat", "type" if "@place = 'type'" in written(name) else "area", "district")[number % 3]
    if "@last_day" in written(name):
        parameters |= {"last_day": date(2016, 2, 29), "years_back": [0, 1, 2, 4]}
    assert_equal_results(loaded, name, parameters)


@pytest.mark.parametrize("name", sorted({*DASHBOARD} - {*FILTERED}))
def test_unfiltered_pages_are_equal(loaded: Settings, name: str) -> None:
    parameters = Filters(group=("burglary",)).parameters([DIRTY_YEAR, *available_years()])
    parameters |= {"last_day": date(2016, 2, 29), "years_back": [0, 1, 2], "place": "ward"}
    parameters = {one: value for one, value in parameters.items() if f"@{one}" in re.findall(r"@\w+", written(name))}
    assert_equal_results(loaded, name, parameters)


def test_statements_join_reference_tables(loaded: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pages").mkdir()
    query = "SELECT name, COUNT(*) AS n FROM crimes JOIN fbi_codes USING (fbi_code) GROUP BY name"
    (tmp_path / "pages" / "names.sql").write_text(query)
    monkeypatch.setattr(sql, "_FOLDER", tmp_path)
    assert_equal_results(loaded, "pages/names", {})


@pytest.mark.parametrize("name", [*reference.TABLES, "leading_zeros"])
def test_reference_tables_have_equal_types(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "leading_zeros":
        (tmp_path / "zeros.csv").write_text("code,number\n0110,0\n1150,22\n")
        monkeypatch.setattr(reference, "file", lambda _: tmp_path / "zeros.csv")
    theirs = {column: DUCKDB_TYPES[kind] for column, kind in statements.reference_types(reference.rows(name)).items()}
    ours = duckdb.read_csv(str(reference.file(name)))
    assert theirs == dict(zip(ours.columns, map(str, ours.types), strict=True))


def assert_equal_results(settings: Settings, name: str, parameters: dict[str, object]) -> None:
    theirs = google().evaluate(written(name), tables_for(settings, name), typed(parameters))
    ours = Installation(settings).reader().answer(name, parameters).to_pylist()
    assert in_order(ours) == in_order(theirs)


@pytest.mark.parametrize("number", range(len(sql.example_queries())))
def test_example_queries_are_equal(loaded: Settings, number: int) -> None:
    """They run unchanged on each warehouse, without translation."""
    _, text = sql.example_queries()[number]
    name = [name for name in FILES if name.startswith("demo/")][number]
    ours = warehouse_of(loaded).first_rows(text, None).rows
    theirs = google().evaluate(text, tables_for(loaded, name))
    assert ours and [list(row) for row in ours] == [[*row.values()] for row in theirs]


def measures_of(name: str) -> dict[str, str]:
    """Return the aggregates in the checks of a table, by alias."""
    table = TABLES[name]
    texts = [*schema_problems(table).values(), *out_of_range(table).values()]
    texts += [f"COALESCE({table.adds_up.total}, 0)"] if table.adds_up else []
    texts += [mart.adds_up.upstream for mart in TABLES.values() if mart.adds_up and mart.upstream == (table,)]
    texts += [f"COUNTIF({column.name} IS NULL) / COUNT(*)" for column in table.columns if column.nullable]
    return {f"m{number}": text for number, text in enumerate(texts)}


@pytest.mark.parametrize("name", TABLES)
def test_check_aggregates_are_equal(loaded: Settings, name: str) -> None:
    rows = rows_held(loaded, name, DIRTY_YEAR)
    measures = {alias: text for alias, text in measures_of(name).items() if rows or "/" not in text}
    query = f"SELECT {', '.join(f'{text} AS {measure}' for measure, text in measures.items())} FROM {name}"
    [theirs] = google().evaluate(query, {name: rows}, typed({"year": DIRTY_YEAR}))
    ours = warehouse_of(loaded).measure(TABLES[name], [DIRTY_YEAR], measures)[DIRTY_YEAR]
    assert in_order([ours]) == in_order([theirs])


FACTS = {"facts": [("n", "INT64"), ("i", "INT64"), ("s", "STRING"), ("d", "DATE"), ("t", "DATETIME"), ("b", "BOOL")]}
ROWS: list[Row] = [
    {"i": 7, "s": "a1b22", "d": date(2014, 3, 15), "t": datetime(2014, 3, 15, 14, 30, 5), "b": True},
    {"i": -7, "s": "", "d": date(2016, 1, 3), "t": datetime(2016, 1, 3, 0, 0, 0, 123456), "b": False},
    {"i": 0, "s": "É_x%\t ", "d": date(2024, 12, 29), "t": datetime(2024, 2, 29, 23, 59, 59)},
    {"i": 7, "s": " \u3000A1\n"},
    {},  # all NULL
]
ROWS = [row | {"n": number} for number, row in enumerate(ROWS)]

# Expressions whose translation no statement of ours depends on yet.
RULES = """
i / NULLIF(i, 0)
0.1 + 0.2
EXTRACT(DAYOFWEEK FROM d)
DATE_TRUNC(DATE(t), MONTH)
DATE_ADD(d, INTERVAL 1 MONTH)
DATE_SUB(d, INTERVAL (i + 1) DAY)
REGEXP_EXTRACT(s, r'\\d+')
REGEXP_EXTRACT(TRIM(s, ' '), r'^a(\\d)')
REGEXP_REPLACE(s, r'(\\d)', r'<\\1>')
ARRAY_TO_STRING([s, IF(b, 'y', NULL)], '; ')
i IN UNNEST([7, 0])
"""


def test_expressions_are_equivalent_and_division_by_zero_fails() -> None:
    analyzer, expressions = Analyzer(FACTS), RULES.strip().splitlines()
    columns = ", ".join(f"{text} AS v{number}" for number, text in enumerate(expressions))
    query = f"SELECT {columns} FROM facts ORDER BY n"
    theirs = analyzer.evaluate(query, {"facts": ROWS})
    ours = in_duckdb(query, {"facts": ROWS}, {}, FACTS)
    for number, text in enumerate(expressions):
        assert [repr(row[f"v{number}"]) for row in ours] == [repr(row[f"v{number}"]) for row in theirs], text

    query = "SELECT 1 / (i - 7) AS v FROM facts"
    with pytest.raises(GoogleSQLError, match="division by zero"):
        analyzer.evaluate(query, {"facts": ROWS})
    with pytest.raises(duckdb.Error, match="division by zero"):
        in_duckdb(query, {"facts": ROWS}, {}, FACTS)
