"""What a run would do on Google Cloud and what it would cost: statements with the bytes they read, writes, machines.

Here belongs arithmetic and dry runs; BigQuery bills neither. A statement over years that are stored is dry-run against
them as they are now; of one over years that the run itself brings in, the bytes are estimated from the rows, and said
to be. The prices are in `resources/list_prices.py`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache

from sqlglot import exp

from chicago_crime import sql
from chicago_crime.graph.assets.spark import TABLES as MADE_BY_SPARK
from chicago_crime.graph.checks.layers import NULL_COUNTS
from chicago_crime.graph.checks.schema import measures_of
from chicago_crime.graph.checks.tables import ADDS_UP
from chicago_crime.graph.plan_types import CloudPlan, Reading, YearPlan
from chicago_crime.settings import Settings
from chicago_crime.storage.google import prices
from chicago_crime.storage.google.bigquery import statements
from chicago_crime.storage.google.bigquery.costs import billed
from chicago_crime.storage.google.bigquery.jobs import Purpose
from chicago_crime.storage.google.bigquery.warehouse import BigQueryWarehouse
from chicago_crime.storage.google.dataproc.cluster import DISK_GB
from chicago_crime.storage.warehouse import TableYear
from chicago_crime.tables import CRIMES, ENRICHED_CRIMES, RAW_CRIMES, REJECTED_CRIMES, REVISIONS, TABLES, Table
from chicago_crime.tables.lineage import UPSTREAM
from chicago_crime.tables.years import contiguous_ranges

MINUTES_TO_START = 3.0
MINUTES_A_YEAR = 0.5
"""Guesses of how long the machines of the Spark job live: there is no measurement from Google Cloud itself. What is
certain is the longest, which the setting dataproc_max_minutes says."""

LOOKUPS_A_RUN, LOOKUPS_A_YEAR = 40, 15
"""Queries of what partitions hold that a run of all tables makes, counted in runs of one year and of three."""

_AT_ONCE = 8
_NO_CAP = 2**63 - 1
_WIDTHS = {"INT64": 8, "FLOAT64": 8, "DATETIME": 8, "TIMESTAMP": 8, "DATE": 8, "BOOL": 1}
_WIDTH_OF_STRING = 12  # bytes that BigQuery counts for an average one: two, and its text

Stored = Mapping[str, Mapping[int, TableYear]]


@dataclass(frozen=True)
class _Statement:
    """A statement to come: its text, whose rows of which years it reads, and which columns of them."""

    table: str
    what: str
    source: Table
    years: Sequence[int]
    columns: Sequence[str]
    sql: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    also: Sequence[str] = ()  # other tables that it reads


def plan_cloud(
    settings: Settings, warehouse: BigQueryWarehouse, chosen: Sequence[str], years: Sequence[YearPlan], stored: Stored
) -> CloudPlan:
    """Find out what a run would do, by dry runs and estimates.

    Raises:
        WarehouseError: BigQuery cannot be asked, or refuses a statement.
    """
    runs = contiguous_ranges([year.year for year in years])
    rows = {year.year: year.likely_rows for year in years}
    measure = _measuring(warehouse, stored, rows)
    compared = [year for year in rows if year in stored[CRIMES.name] and stored[CRIMES.name][year].rows]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        readings = list(pool.map(measure, _statements(chosen, list(rows), runs, compared)))
    readings += _lookups(chosen, len(rows), len(runs))
    spark = [name for name in MADE_BY_SPARK if name in chosen]
    writes = _writes(chosen, len(rows), len(runs))
    uploaded = sum(year.likely_bytes for year in years) if "crime_object" in chosen else 0
    machines, per_hour = _machines(settings) if spark else ("", 0.0)
    minutes = len(runs) * MINUTES_TO_START + len(rows) * MINUTES_A_YEAR if spark else 0.0
    most = len(runs) * settings.dataproc_max_minutes if spark else 0
    usd = {"queries": sum(reading.billed for reading in readings) / prices.TIB * prices.USD_PER_TIB_QUERIED}
    usd["bucket writes"] = writes.get("objects", 0) / 1000 * prices.USD_PER_1000_WRITES
    if per_hour is not None:
        usd["Spark's machines"] = per_hour * minutes / 60
    at_most = None if per_hour is None else per_hour * most / 60
    return CloudPlan(
        readings=readings,
        lookups=len(stored),
        cap=warehouse.most_bytes,
        writes=writes,
        uploaded=uploaded,
        machines=machines,
        clusters=len(runs) if spark else 0,
        minutes=minutes,
        most_minutes=most,
        usd=usd,
        usd_at_most=at_most,
    )


def _made_by_sql(chosen: Sequence[str]) -> list[str]:
    """The tables that are made one by one. Replacing crimes notes what changed in it, whether that is chosen or not."""
    noted = [REVISIONS.name] if CRIMES.name in chosen and REVISIONS.name not in chosen else []
    return [name for name in (*chosen, *noted) if name in TABLES and name not in MADE_BY_SPARK]


def _statements(
    chosen: Sequence[str], years: list[int], runs: list[tuple[int, int]], compared: list[int]
) -> Iterator[_Statement]:
    for name in _made_by_sql(chosen):
        if name in UPSTREAM:  # of what was not there before, nothing has changed
            yield from _computing(TABLES[name], compared if name == REVISIONS.name else years)
    spark = [TABLES[name] for name in MADE_BY_SPARK if name in chosen]
    for first, last in runs if spark else ():
        of_run = [year for year in years if first <= year <= last]
        query = statements.rows_of(CRIMES, of_run)
        yield _Statement(CRIMES.name, "export", CRIMES, of_run, _names(CRIMES), query)
    for table in spark:
        for year in years:  # out of a temporary table, which no dry run knows
            yield _Statement(table.name, "load", table, [year], _names(table))
            yield _Statement(table.name, "see that all is of the year", table, [year], [table.year_column or ""])
            yield _deleting(table, year)
    yield from _checking(chosen, years, compared)


def _computing(table: Table, years: list[int]) -> Iterator[_Statement]:
    source, query = UPSTREAM[table.name], statements.computed(table)
    named = {column.name for column in sql.statement(f"tables/{table.name}").find_all(exp.Column)}
    columns = [name for name in _names(source) if name in named] or _names(source)
    also = [name for name in sql.tables_read(table.name) if name != source.name]
    for year in years:
        yield _Statement(table.name, "compute", source, [year], columns, query, {"year": year}, also)
        if statements.is_by_month(table):
            yield _deleting(table, year)


def _deleting(table: Table, year: int) -> _Statement:
    return _Statement(table.name, "delete", table, [year], [], statements.delete(table, year))


def _checking(chosen: Sequence[str], years: list[int], compared: list[int]) -> Iterator[_Statement]:
    """What is asked of the rows that are there: by the checks, and by assets that tell what they made."""
    for name in chosen:
        if name not in TABLES:
            continue
        table = TABLES[name]
        if table is not RAW_CRIMES:
            texts = {f"m{index}": text for index, text in enumerate(measures_of(table).values())}
            yield _Statement(name, "check", table, years, _names(table), statements.measured(table, years, texts))
        if name in ADDS_UP:
            for of, text in zip((table, ENRICHED_CRIMES), ADDS_UP[name], strict=True):
                query = statements.measured(of, years, {"n": f"COALESCE({text}, 0)"})
                yield _Statement(name, "check", of, years, ["offense_class", "crimes"], query)
        if table is CRIMES:
            query = statements.measured(table, years, NULL_COUNTS)
            yield _Statement(name, "check", table, years, list(NULL_COUNTS), query)
        column, groups = _counted(table, years, compared)
        for group in groups:
            yield _Statement(name, "check", table, group, [column], statements.counted(table, group, column))


def _counted(table: Table, years: list[int], compared: list[int]) -> tuple[str, list[list[int]]]:
    """By which column rows are counted, and of which years at once: all for a check, each as an asset makes it."""
    counted = {
        CRIMES.name: ("primary_type", [years]),
        REJECTED_CRIMES.name: ("reason", [years, *([year] for year in years)]),
        REVISIONS.name: ("kind", [[year] for year in compared]),
    }
    return counted.get(table.name, ("", []))


def _lookups(chosen: Sequence[str], years: int, runs: int) -> list[Reading]:
    """Each reads next to nothing, and is billed for 10 MB all the same."""
    share = sum(name in TABLES for name in chosen) / len(TABLES)
    count = round(share * (LOOKUPS_A_RUN * runs + LOOKUPS_A_YEAR * years))
    return [Reading("all tables", "look up years", 0, billed(1), True)] * count


def _names(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def _measuring(
    warehouse: BigQueryWarehouse, stored: Stored, rows: Mapping[int, int]
) -> Callable[[_Statement], Reading]:
    jobs = replace(warehouse.jobs, most_bytes=_NO_CAP)  # what is above the cap shall be told, and not refused

    @cache
    def is_there(table: str) -> bool:
        return warehouse.tables.live(table) is not None

    def measure(statement: _Statement) -> Reading:
        held = stored.get(statement.source.name, {})
        is_known = bool(statement.sql) and all(year in held for year in statement.years)
        is_known = is_known and all(is_there(table) for table in statement.also)
        if is_known:
            purpose = Purpose(f"cannot foresee {statement.table}", statement.table)
            read = jobs.estimate(statement.sql, purpose, statement.parameters).bytes_estimated
        else:
            width = sum(_width(statement.source, name) for name in statement.columns)
            counts = (held[year].rows if year in held else rows[year] for year in statement.years)
            read = sum(counts) * width
        return Reading(statement.table, statement.what, read, billed(read), not is_known)

    return measure


def _width(table: Table, name: str) -> int:
    return next((_WIDTHS.get(c.type, _WIDTH_OF_STRING) for c in table.columns if c.name == name), 0)


def _writes(chosen: Sequence[str], years: int, runs: int) -> dict[str, int]:
    """API calls that write, in a project where the tables are and the programs were uploaded once.

    Objects are at most as many: one that is there with the same content is left as it is.
    """
    has_spark = any(name in MADE_BY_SPARK for name in chosen)
    return {
        "objects": 2 * years if "crime_object" in chosen else 0,
        "BigQuery jobs or labels": len(_made_by_sql(chosen)) * years + (years + runs if has_spark else 0),
        "Dataproc calls": 3 * runs if has_spark else 0,
    }


def _machines(settings: Settings) -> tuple[str, float | None]:
    """What the job of one run gets, in words, and its price an hour."""
    if settings.dataproc_mode == "serverless":
        return f"a batch of {prices.DCUS_OF_A_BATCH} DCUs", prices.DCUS_OF_A_BATCH * prices.USD_PER_DCU_HOUR
    count = 1 + settings.dataproc_workers
    each = prices.machine_usd_per_hour(settings.dataproc_machine_type, DISK_GB)
    kind = "a single node" if count == 1 else f"a master and {count - 1} workers"
    return f"a cluster of {kind}, {settings.dataproc_machine_type}", each if each is None else each * count
