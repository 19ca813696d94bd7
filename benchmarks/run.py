"""Time and memory of the platform, compared with a floor and with Apache Spark in one run.

    python -m benchmarks.run [--verify] [--folder FOLDER] [--without-spark] [--years 2001-2022]

Writes 22 full-size years of the synthetic sample, loads them in each way one after the other, and prints a table.
Compare ratios rather than seconds: machines are noisy. Needs 15 GB of disk; Java 17 for Spark. `--verify` compares the
tables.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks import watch
from chicago_crime.sources.sample.profile import profile
from chicago_crime.sources.sample.source import SampleSource
from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime.tables.years import parse_years

out = Console(highlight=False)

QUERY = "SELECT month, primary_type, COUNT(*) AS crimes FROM crimes GROUP BY ALL"
ONE_YEAR_ROWS = 265_000

VERIFY = {
    "crimes": "COUNT(*), SUM(id), SUM(beat), MIN(date), MAX(updated_on), COUNT(latitude)",
    "enriched_crimes": "COUNT(*), SUM(hour), SUM(cell_x), COUNT(*) FILTER (offense_class = 'violent'), COUNT(side)",
    "crime_type_count": "COUNT(*), SUM(crimes), SUM(arrests), SUM(domestic_crimes)",
    "crimes_daily": "COUNT(*), SUM(crimes), SUM(violent_crimes), SUM(property_crimes)",
    "crimes_monthly": "COUNT(*), SUM(crimes), SUM(IF(arrest, crimes, 0)), SUM(IF(domestic, crimes, 0))",
    "crimes_hourly": "COUNT(*), SUM(crimes), SUM(time_placeholders)",
    "crimes_by_cell": "COUNT(*), SUM(crimes), SUM(cell_x * crimes), SUM(cell_y * crimes)",
    "area_rates": "COUNT(*), SUM(crimes), SUM(arrests), ROUND(SUM(rate_per_1000), 6)",
    "hot_spots": "COUNT(*), SUM(crimes), SUM(neighborhood_crimes), ROUND(SUM(gi_star), 4)",
}
"""Aggregates on which the floor and the platform must agree, by table and year."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the platform beside a floor and Apache Spark.")
    parser.add_argument("--verify", action="store_true", help="compare the floor's tables with the platform's")
    parser.add_argument("--folder", type=Path, help="where to work; by default a temporary folder")
    parser.add_argument("--without-spark", action="store_true", help="leave Apache Spark out: no Java is needed")
    parser.add_argument("--years", default="2001-2022", help="which years")
    chosen = parser.parse_args(arguments)
    years = parse_years(chosen.years)
    with tempfile.TemporaryDirectory(dir=chosen.folder, prefix="benchmark-") as folder:
        _measure(Path(folder), years, chosen.verify, not chosen.without_spark)


def _measure(folder: Path, years: list[int], verify: bool, with_spark: bool) -> None:
    real_size = {year: profile().rows_of(year) for year in years}
    rows, csv_bytes = _write_csvs(folder / "csv", real_size)
    out.print(f"{len(years)} years, {rows:,} rows, {csv_bytes / 1e9:.2f} GB of CSV, SYNTHETIC")
    table = Table("", "seconds", "x floor", "memory MB")
    python = [sys.executable, "-m"]

    floor = watch.run([*python, "benchmarks.floor", str(folder / "csv"), str(folder / "floor")], folder / "log")
    table.add_row("floor: DuckDB by hand", f"{floor.seconds:.1f}", "1.00", f"{floor.bytes / 1e6:,.0f}")
    platform = _platform(folder, "csv", "platform", years)
    ratio = platform.seconds / floor.seconds
    table.add_row(
        "platform, with all checks", f"{platform.seconds:.1f}", f"{ratio:.2f}", f"{platform.bytes / 1e6:,.0f}"
    )
    if verify:
        _verify(folder / "floor", folder / "platform" / "warehouse", years)
    query = _query_seconds(folder / "platform")
    shutil.rmtree(folder / "floor")
    shutil.rmtree(folder / "platform")
    if with_spark:
        spark = watch.run(
            [*python, "benchmarks.spark_local", str(folder / "csv"), str(folder / "spark")], folder / "log"
        )
        ratio = spark.seconds / floor.seconds
        table.add_row("Apache Spark, local[2]", f"{spark.seconds:.1f}", f"{ratio:.2f}", f"{spark.bytes / 1e6:,.0f}")
        shutil.rmtree(folder / "spark")
    shutil.rmtree(folder / "csv")

    _write_csvs(folder / "csv3", {year: 3 * count for year, count in real_size.items()})
    large = _platform(folder, "csv3", "platform3", years)
    ratio = large.seconds / floor.seconds
    table.add_row("platform, 3 x the rows", f"{large.seconds:.1f}", f"{ratio:.2f}", f"{large.bytes / 1e6:,.0f}")
    shutil.rmtree(folder / "csv3")
    shutil.rmtree(folder / "platform3")
    _write_csvs(folder / "csv1", {2015: ONE_YEAR_ROWS})
    one = min((_platform(folder, "csv1", f"one{n}", [2015]) for n in range(3)), key=lambda measured: measured.seconds)
    table.add_row(f"one year of {ONE_YEAR_ROWS:,} rows", f"{one.seconds:.1f}", "", f"{one.bytes / 1e6:,.0f}")
    out.print(table)
    goals = {
        "platform / floor": (platform.seconds / floor.seconds, 1.5),
        "platform / Spark": (platform.seconds / spark.seconds if with_spark else None, 0.4),
        "memory, GB": (max(platform.bytes, large.bytes) / 1e9, 2.0),
        "memory at 3 x the rows / memory": (large.bytes / platform.bytes, 1.2),
        "time at 3 x the rows / 3 x time": (large.seconds / 3 / platform.seconds, 1.0),
        "one year, seconds": (one.seconds, 10.0),
        "crimes by month and type, seconds": (query, 0.2),
    }
    for name, (value, goal) in goals.items():
        if value is not None:
            out.print(f"{name}: {value:.2f} (goal: at most {goal}) {'reached' if value <= goal else 'MISSED'}")


def _write_csvs(folder: Path, rows_by_year: dict[int, int]) -> tuple[int, int]:
    """Write sample years; returns rows and bytes in all."""
    folder.mkdir()
    start = time.perf_counter()
    files = [SampleSource(rows=rows).fetch(year, folder) for year, rows in rows_by_year.items()]
    size = sum(file.path.stat().st_size for file in files)
    seconds = time.perf_counter() - start
    out.print(f"wrote {size / 1e9:.2f} GB of sample in {seconds:.0f} s: {size / 1e9 / seconds * 60:.1f} GB a minute")
    return sum(int(file.details["rows"]) for file in files), size


def _platform(folder: Path, csv: str, data: str, years: list[int]) -> watch.Measured:
    command = [str(Path(sys.executable).with_name("chicago-crime")), "run", "--years", f"{years[0]}-{years[-1]}"]
    where = ["--folder", str(folder / csv), "--data-dir", str(folder / data)]
    return watch.run([*command, *where], folder / "log")


def _query_seconds(data: Path) -> float:
    warehouse = DuckDBWarehouse(folder=data / "warehouse", staging=data / "staging", threads=2, memory="800MB")
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        assert warehouse.query(QUERY).num_rows > 0
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _verify(floor: Path, platform: Path, years: list[int]) -> None:
    for name, measures in VERIFY.items():
        for year in years:
            ours, theirs = (
                duckdb.sql(f"SELECT {measures} FROM '{place / name / f'{year}.parquet'}'").fetchall()
                for place in (platform, floor)
            )
            if ours != theirs:
                raise SystemExit(f"{name} of {year} differs: the platform has {ours}, the floor {theirs}")
    out.print(f"verified: {len(VERIFY)} tables of {len(years)} years agree with the floor's")


if __name__ == "__main__":
    main()
