"""Shared helpers: rows of crimes, CSV files, runs of the graph, and the real data if present."""

import csv
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from chicago_crime.cli.app import app
from chicago_crime.definitions import build_definitions
from chicago_crime.graph.instance import open_instance
from chicago_crime.graph.plan import Plan, make_plan
from chicago_crime.graph.run import RunReport, run_years
from chicago_crime.installation import Installation
from chicago_crime.intake.gate import GateResult, run_gate
from chicago_crime.settings import Settings, load_settings
from chicago_crime.sources.base import SourceError, SourceFile
from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime.tables.columns import SOURCE_NAMES

PROJECT = Path(__file__).parent.parent
REAL_DATA = PROJECT.parent / "shared" / "data"
REAL_ROWS = {2014: 275_200, 2015: 263_929, 2016: 268_813, 2021: 60_762}
"""Number of rows in each real file; 2021 ends in April."""
NAMES = list(SOURCE_NAMES)

_CRIME = {
    "id": "1",
    "case_number": "HX100001",
    "date": "03/15/2014 02:30:00 PM",
    "block": "001XX N STATE ST",
    "iucr": "0820",
    "primary_type": "THEFT",
    "description": "$500 AND UNDER",
    "location_description": "STREET",
    "arrest": "false",
    "domestic": "false",
    "beat": "0111",
    "district": "001",
    "ward": "42",
    "community_area": "32",
    "fbi_code": "06",
    "x_coordinate": "1176352",
    "y_coordinate": "1900927",
    "year": "2014",
    "updated_on": "02/10/2018 03:50:01 PM",
    "latitude": "41.883500187",
    "longitude": "-87.627876698",
    "location": "(41.883500187, -87.627876698)",
}


def crime(**values: object) -> dict[str, str]:
    """Return a good row with some values replaced."""
    unknown = values.keys() - _CRIME.keys()
    assert not unknown, unknown
    return _CRIME | {name: str(value) for name, value in values.items()}


def crimes_of_months(year: int, per_month: int = 3, months: Iterable[int] = range(1, 13), **values: object) -> list:
    """Return good rows in months of a year, with unique ids."""
    return [
        crime(
            id=year * 100_000 + month * 1000 + n,
            date=f"{month:02}/{n % 28 + 1:02}/{year} 10:15:00 AM",
            year=year,
            **{"updated_on": f"02/10/{max(year + 1, 2018)} 03:50:01 PM"} | values,
        )
        for month in months
        for n in range(per_month)
    ]


def write_csv(file: Path, rows: Sequence[dict[str, str]], header: Sequence[str] = NAMES) -> Path:
    """Write rows as a canonical CSV, optionally with another header."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(row.values() for row in rows)
    return file


def append_quoted(file: Path, rows: Sequence[dict[str, str]]) -> Path:
    """Append rows to a canonical CSV with all fields quoted, like the City's portal."""
    with file.open("a", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(row.values() for row in rows)
    return file


def refuse(origin: str, gated: GateResult) -> None:
    """Refuse a file in which the gate found problems, as a run without a reason does."""
    if gated.problems:
        raise SourceError(f"{origin}: {'; '.join(gated.problems)}")


def gate_of(file: Path, year: int, folder: Path) -> GateResult:
    """Take a file of no source through the gate."""
    return run_gate(SourceFile(file, str(file)), year, folder)


def gated(folder: Path, rows: Sequence[dict[str, str]], header: Sequence[str] = NAMES) -> GateResult:
    """Take rows of 2016 through the gate, as `2016.csv` in a folder."""
    return gate_of(write_csv(folder / "2016.csv", rows, header), 2016, folder)


def folder_settings(data_dir: Path, folder: Path, **more: Any) -> Settings:
    return load_settings(source="folder", folder=folder, data_dir=data_dir, **more)


def run(settings: Settings, *years: int, assets: str | None = None, accept: str | None = None) -> list[RunReport]:
    """Run the graph for years like the command line."""
    installation = Installation(settings)
    with open_instance(settings) as instance:
        return list(run_years(installation, build_definitions(installation), instance, years, assets, accept))


def run_well(settings: Settings, *years: int, assets: str | None = None, accept: str | None = None) -> list[RunReport]:
    reports = run(settings, *years, assets=assets, accept=accept)
    for report in reports:
        assert report.success, (report.reasons, report.checks)
    return reports


def command(*arguments: object, input: str | None = None, **environment: str) -> Result:
    """Invoke a command in this process; an unexpected exception fails the test."""
    environment = {"COLUMNS": "100", **environment}
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=input, env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def words_of(done: Any) -> str:
    """Return the output of a command without line breaks and table borders."""
    return " ".join(done.output.replace("│", " ").split())


def warehouse_of(settings: Settings) -> DuckDBWarehouse:
    return Installation(settings).warehouse


def rows_of(settings: Settings, table: str, *years: int) -> list[dict[str, Any]]:
    folder = settings.data_dir / "warehouse" / table
    return [row for year in years for row in pq.read_table(folder / f"{year}.parquet").to_pylist()]


def all_text_of(error: BaseException) -> str:
    """Return the text of an error with its causes and contexts, as a log may contain it."""
    text, left = "", [error]
    while left:
        one = left.pop()
        text += f"{one!r} {one} {vars(one)}\n"
        left += [other for other in (one.__cause__, one.__context__) if other]
    return text


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def case(name: str) -> Path:
    """Return the folder of a shared test case, or skip the test if it is missing."""
    folder = REAL_DATA / "cases" / name
    if not folder.exists():
        pytest.skip(f"the cases are not next to the project: {name}")
    return folder


def real_year(year: int) -> Path:
    """Return the file of a real year, or skip the test if it is missing."""
    return _real(REAL_DATA / "real" / f"Chicago_Crimes_{year}.csv.gz")


def real_variant(name: str) -> Path:
    """Return a small real file in another layout, or skip the test if it is missing."""
    return _real(REAL_DATA / "variants" / name)


def _real(file: Path) -> Path:
    if not file.exists():
        pytest.skip(f"the real data is not next to the project: {file.name}")
    return file


def program(name: str) -> str:
    """Return the path of a program; without it, skip the test, or fail it if NEED_ALL_PROGRAMS is set."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"])
    if found := shutil.which(name, path=path):
        return found
    (pytest.fail if os.environ.get("NEED_ALL_PROGRAMS") else pytest.skip)(f"{name} is missing: see CONTRIBUTING.md")


def plan_of(settings: Settings, years: Sequence[int], assets: str | None = None, accept: str | None = None) -> Plan:
    installation = Installation(settings)
    return make_plan(installation, build_definitions(installation), years, assets, accept)
