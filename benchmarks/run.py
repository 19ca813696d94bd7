"""Time and memory of the platform, compared with a floor and with Apache Spark.

    python -m benchmarks.run [--verify] [--folder FOLDER] [--without-spark] [--years 2001-2022]

It writes 22 full-size years of the synthetic sample, made to resemble real ones, loads them with each program and in
each layout, then real rows if ../shared/data/real exists, and prints a table. Compare ratios rather than seconds,
because machines are noisy. It needs 15 GB of disk, and Java 17 for Spark. `--verify` compares the tables.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks import watch
from benchmarks.layouts import LAYOUTS, REAL, write_layout, write_like_real, write_real
from chicago_crime.settings import load_settings
from chicago_crime.sources.sample.profile import profile
from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime.tables.years import parse_years

out = Console(highlight=False)

QUERY = "SELECT month, primary_type, COUNT(*) AS crimes FROM crimes GROUP BY ALL"
ONE_YEAR = 2015

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
"""Aggregates that the floor and the platform must agree on, by table and year."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Compare the platform with a floor and with Apache Spark.")
    parser.add_argument("--verify", action="store_true", help="compare the floor's tables with the platform's")
    parser.add_argument("--folder", type=Path, help="folder for the data; by default a temporary folder")
    parser.add_argument("--without-spark", action="store_true", help="skip Apache Spark, which needs Java")
    parser.add_argument("--years", default="2001-2022", help="which years")
    chosen = parser.parse_args(arguments)
    years = parse_years(chosen.years)
    with tempfile.TemporaryDirectory(dir=chosen.folder, prefix="benchmark-") as folder:
        _measure(Path(folder), years, chosen.verify, not chosen.without_spark)


def _measure(folder: Path, years: list[int], verify: bool, with_spark: bool) -> None:
    real_size = {year: profile().rows_of(year) for year in years}
    write_like_real(folder / "csv", real_size)
    size = sum(file.stat().st_size for file in (folder / "csv").iterdir())
    out.print(f"{len(years)} years, {sum(real_size.values()):,} rows, {size / 1e9:.2f} GB of CSV, SYNTHETIC, like real")
    table = Table("", "seconds", "x floor", "processor s", "x floor", "memory MB")
    ratios: dict[str, float] = {}

    def add(name: str, found: watch.Measured, floor: watch.Measured) -> watch.Measured:
        ratios[name] = found.seconds / floor.seconds
        of_processor = f"{found.processor:.1f}", f"{found.processor / floor.processor:.2f}"
        memory = f"{found.bytes / 1e6:,.0f}"
        table.add_row(name, f"{found.seconds:.1f}", f"{ratios[name]:.2f}", *of_processor, memory)
        out.print(f"{name}: {found.seconds:.1f} s")  # the table is printed only at the end
        return found

    floor = _floor(folder, "csv")
    add("floor: DuckDB by hand", floor, floor)
    platform = add("platform, with all checks", _platform(folder, "csv", "platform", years), floor)
    if verify:
        _verify(folder / "floor", folder / "platform" / "warehouse", years)
    query = _query_seconds(folder / "platform")
    shutil.rmtree(folder / "platform")
    for layout in LAYOUTS:
        write_layout(folder / "csv", folder / "layout", layout)
        add(layout, _platform(folder, "layout", "platform", years), floor)
        shutil.rmtree(folder / "layout")
        shutil.rmtree(folder / "platform")
    if with_spark:
        command = [sys.executable, "-m", "benchmarks.spark_local", str(folder / "csv"), str(folder / "spark")]
        spark = add("Apache Spark, local[2]", watch.run(command, folder / "log"), floor)
        shutil.rmtree(folder / "spark")
    shutil.rmtree(folder / "csv")

    write_like_real(folder / "csv3", {year: 3 * count for year, count in real_size.items()})
    large = add("platform, 3 x the rows", _platform(folder, "csv3", "platform", years), floor)
    for done in ("csv3", "platform"):
        shutil.rmtree(folder / done)
    one = _one_year(folder, add)
    if REAL.exists():
        write_real(folder / "real", years)
        floor = add("floor on real rows", of_real := _floor(folder, "real"), of_real)
        add("platform on real rows", _platform(folder, "real", "platform", years), floor)
        shutil.rmtree(folder / "real")
    out.print(table)
    goals = {
        "platform / floor": (ratios["platform, with all checks"], 1.2),
        "platform / floor on real rows": (ratios.get("platform on real rows"), 1.2),
        **{f"{layout} / floor": (ratios[layout], 1.4) for layout in LAYOUTS},
        "platform / Spark": (platform.seconds / spark.seconds if with_spark else None, 0.4),
        "memory, GB": (max(platform.bytes, large.bytes) / 1e9, 1.0),
        "memory at 3 x the rows / memory": (large.bytes / platform.bytes, 1.2),
        "time at 3 x the rows / 3 x time": (large.seconds / 3 / platform.seconds, 1.0),
        "one year / floor": (one, 2.5),
        "crimes by month and type, seconds": (query, 0.2),
    }
    for name, (value, goal) in goals.items():
        if value is not None:
            out.print(f"{name}: {value:.2f} (goal: at most {goal}) {'reached' if value <= goal else 'MISSED'}")


def _one_year(folder: Path, add: Callable[[str, watch.Measured, watch.Measured], watch.Measured]) -> float:
    """Measure the platform's ratio to the floor for one year, including startup: the best of three alternating runs."""
    if REAL.exists():
        write_real(folder / "csv1", [ONE_YEAR])
    else:
        write_like_real(folder / "csv1", {ONE_YEAR: profile().rows_of(ONE_YEAR)})
    runs = [(_floor(folder, "csv1"), _platform(folder, "csv1", f"one{n}", [ONE_YEAR])) for n in range(3)]
    floor, one = (min(kind, key=lambda measured: measured.seconds) for kind in zip(*runs, strict=True))
    add("floor: one real year" if REAL.exists() else "floor: one year", floor, floor)
    add("platform: the same year", one, floor)
    return one.seconds / floor.seconds


def _floor(folder: Path, csv: str) -> watch.Measured:
    shutil.rmtree(folder / "floor", ignore_errors=True)
    command = [sys.executable, "-m", "benchmarks.floor", str(folder / csv), str(folder / "floor")]
    return watch.run(command, folder / "log")


def _platform(folder: Path, csv: str, data: str, years: list[int]) -> watch.Measured:
    command = [str(Path(sys.executable).with_name("chicago-crime")), "run", "--years", f"{years[0]}-{years[-1]}"]
    where = ["--folder", str(folder / csv), "--data-dir", str(folder / data)]
    return watch.run([*command, *where], folder / "log")


def _query_seconds(data: Path) -> float:
    warehouse = DuckDBWarehouse(load_settings(data_dir=data, duckdb_memory="800MB"))
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        assert warehouse.first_rows(QUERY, None).rows
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
