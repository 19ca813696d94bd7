"""The number of Google Cloud calls and the cost of a backfill, measured on the tests' servers.

    python -m benchmarks.cloud [--years 2001-2022] [--rows 265000]

Two runs are measured: the calls of a first backfill of all years with few rows, because the number of calls does not
depend on the rows; and the bytes of one full-size year of the synthetic sample, scaled to the other years by rows.
Nothing is sent to Google. The lifetime of machines is a guess.
"""

import argparse
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from chicago_crime.settings import Settings
from chicago_crime.sources.sample.profile import profile
from chicago_crime.storage.google import prices
from chicago_crime.tables import TABLES
from chicago_crime.tables.years import parse_years
from chicago_crime_tests.end_to_end.cloud import Cloud, cloud_in, kind_of, writes_in
from chicago_crime_tests.whole_cloud import BUCKET, DATASET

out = Console(highlight=False, width=120)

USD_PER_GIB_MONTH_OF_TABLES = 0.02
"""BigQuery, active logical storage: https://cloud.google.com/bigquery/pricing."""

USD_PER_GIB_MONTH_OF_OBJECTS = 0.02
"""Cloud Storage, standard class in one region: https://cloud.google.com/storage/pricing."""

USD_PER_1000_WRITES = 0.005
"""Cloud Storage, class A operations (writes and lists): https://cloud.google.com/storage/pricing."""

TINY_ROWS = 200
MINUTES_TO_START, MINUTES_A_YEAR = 3.0, 0.5
"""A guess of the lifetime of the Spark job's machines: nothing was measured on Google Cloud."""
ONE_YEAR = 2015
CLASS_A = ("POST", "PUT")
"""HTTP methods of Cloud Storage's class A operations, which also include lists. Deletions are free."""


@dataclass
class YearBytes:
    """The bytes of one full-size year.

    Attributes:
        rows: number of rows.
        billed: bytes billed for BigQuery queries, at least 10 MiB per table. This is an upper bound, because the
            server counts all columns of a table, and BigQuery only those used in the query.
        queries: number of queries.
        tables: logical bytes of each table.
        objects: bytes kept in the bucket.
    """

    rows: int
    billed: int
    queries: int
    tables: dict[str, int]
    objects: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the calls and the cost of a backfill on Google Cloud.")
    parser.add_argument("--years", default="2001-2022", help="which years")
    parser.add_argument("--rows", type=int, default=265_000, help="rows of the full-size year")
    chosen = parser.parse_args(arguments)
    years = parse_years(chosen.years)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        calls, writes, class_a = _calls(Path(folder), chosen.years)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        one = _bytes_of_a_year(Path(folder), chosen.rows)
    _print_calls(calls, writes, len(years))
    rows = sum(profile().rows_of(year) for year in years)
    _print_costs(one, rows, len(years), class_a)


def _run(cloud: Cloud, years: str, rows: int) -> None:
    ended = cloud.command("run", "--years", years, "--source", "sample", "--sample-rows", str(rows))
    if ended.code:
        raise SystemExit(ended.output)


def _calls(folder: Path, years: str) -> tuple[Counter[str], Counter[str], int]:
    """The calls of a first backfill by kind, those that write, and the number of class A calls of Cloud Storage."""
    with cloud_in(folder) as cloud:
        _run(cloud, years, TINY_ROWS)
        made = Counter(
            _of_any_table(f"{service} {kind_of(request)}")
            for service, server in cloud.servers.items()
            for request in server.requests
        )
        writes = Counter(map(_of_any_table, writes_in(cloud)))
        listed = sum(request.call == "storage.objects.list" for request in cloud.storage.calls)
        put = sum(request.method in CLASS_A for request in cloud.storage.calls)
        return made, writes, listed + put


def _of_any_table(kind: str) -> str:
    return re.sub(r"(?<=/tables/)\w+", "*", kind)


def _bytes_of_a_year(folder: Path, rows: int) -> YearBytes:
    with cloud_in(folder) as cloud:
        _run(cloud, str(ONE_YEAR), rows)
        buckets, work = cloud.storage.buckets, cloud.bigquery.jobs.by_id.values()
        sizes = {name: cloud.bigquery.catalog.size(cloud.bigquery.catalog.find(DATASET, name))[1] for name in TABLES}
        return YearBytes(
            rows=rows,
            billed=sum(one.bytes_billed for one in work),
            queries=sum(one.bytes_billed > 0 for one in work),
            tables=sizes,
            objects=sum(buckets.path(BUCKET, name).stat().st_size for name in buckets.names(BUCKET)),
        )


def _print_calls(calls: Counter[str], writes: Counter[str], years: int) -> None:
    table = Table("call", "calls", "a year", "writes", title=f"Calls of the first backfill of {years} years")
    for kind, count in calls.most_common():
        table.add_row(kind, f"{count:,}", f"{count / years:.1f}", f"{writes[kind]:,}")
    total, written = calls.total(), writes.total()
    table.add_row("all", f"{total:,}", f"{total / years:.1f}", f"{written:,}", style="bold")
    out.print(table)
    out.print(f"writes a year: {written / years:.1f}")


def _print_costs(one: YearBytes, rows: int, years: int, class_a: int) -> None:
    times = rows / one.rows
    billed = one.billed * times
    held, objects = sum(one.tables.values()) * times, one.objects * times
    settings = Settings.model_fields
    machine, workers = settings["dataproc_machine_type"].default, settings["dataproc_workers"].default
    per_hour = (1 + workers) * (prices.machine_usd_per_hour(machine) or 0)
    minutes = MINUTES_TO_START + MINUTES_A_YEAR * years
    table = Table("", "amount", "USD", title=f"A backfill of {years} years, {rows:,} rows")
    usd = {
        "BigQuery queries": (f"{billed / 1e9:.1f} GB billed at most", billed / prices.TIB * prices.USD_PER_TIB_QUERIED),
        "Cloud Storage operations": (f"{class_a:,} of class A", class_a / 1000 * USD_PER_1000_WRITES),
        "Dataproc": (f"{1 + workers} x {machine}, {minutes:.0f} minutes (a guess)", per_hour * minutes / 60),
    }
    for name, (amount, cost) in usd.items():
        table.add_row(name, amount, f"{cost:.2f}")
    table.add_row("all", "", f"{sum(cost for _, cost in usd.values()):.2f}", style="bold")
    out.print(table)
    month = Table("", "amount", "USD", title="A month without runs")
    gib = 2**30
    tables_usd = held / gib * USD_PER_GIB_MONTH_OF_TABLES
    objects_usd = objects / gib * USD_PER_GIB_MONTH_OF_OBJECTS
    month.add_row("BigQuery storage", f"{held / 1e9:.1f} GB", f"{tables_usd:.2f}")
    month.add_row("Cloud Storage", f"{objects / 1e9:.1f} GB", f"{objects_usd:.2f}")
    month.add_row("all", "", f"{tables_usd + objects_usd:.2f}", style="bold")
    out.print(month)
    sizes = ", ".join(f"{name} {size / 1e6:.1f}" for name, size in one.tables.items())
    out.print(
        f"Measured on a year of {one.rows:,} rows: {one.queries} queries, "
        f"{one.billed / 1e6:,.0f} MB billed; tables in MB: {sizes}. Scaled by {times:.1f} for {rows:,} rows. "
        "On-demand list prices of us-central1 of 2025."
    )


if __name__ == "__main__":
    main()
