"""`chicago-crime run --dry-run`: what a run would read, replace and cost, and why it would fail, without writing."""

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dagster import AssetKey, Definitions

from chicago_crime.errors import PlatformError
from chicago_crime.graph.run import assets_in
from chicago_crime.graph.run_state import SOURCE_ASSET
from chicago_crime.installation import Installation
from chicago_crime.intake.source_files import Manifest
from chicago_crime.published.audit import HOW_TO_ACCEPT, is_large, mixing_problem
from chicago_crime.published.catalog import PublishedYear
from chicago_crime.settings import Settings
from chicago_crime.sources.base import CrimeSource, Expected
from chicago_crime.storage.google import prices
from chicago_crime.storage.object_store import lake_record
from chicago_crime.storage.warehouse import TableYear
from chicago_crime.tables import CRIMES, TABLES
from chicago_crime.tables.years import contiguous_ranges, format_years

BYTES_PER_ROW = 237
"""Average row size of the City's CSVs, measured on the 275,200 rows of 2014."""

DISK_PER_BYTE = {"local": 2.0, "gcp": 1.2}
"""Local disk space per byte of CSV: file, object and tables; in the cloud, only the file."""

Stored = Mapping[str, Mapping[int, TableYear]]


@dataclass(frozen=True)
class YearPlan:
    """The plan for one year.

    Attributes:
        expected: information about its file; with an empty description if the source does not have the year.
        loaded: rows that would be replaced, by table.
    """

    year: int
    expected: Expected
    loaded: dict[str, int]

    @property
    def likely_bytes(self) -> int:
        """Size of the file as listed, or estimated from its rows."""
        size = self.expected.bytes
        return size if size is not None else (self.expected.rows or 0) * BYTES_PER_ROW


@dataclass(frozen=True)
class Cost:
    """Estimated cost of a run on Google Cloud, at list prices.

    Attributes:
        bytes_read: bytes that BigQuery would read, from the stored or expected size of each table's upstream tables.
        read_usd: price of these bytes.
        spark_usd: price of the Spark machines for their maximum lifetime; None if unknown.
    """

    bytes_read: int
    read_usd: float
    spark_usd: float | None


@dataclass(frozen=True)
class Plan:
    """The plan for a run.

    Attributes:
        runs: first and last year of each Dagster run.
        assets: selected assets in topological order.
        disk_needed: estimated disk space on this machine, in bytes.
        disk_free: free disk space, in bytes.
        cost: estimated cost on Google Cloud; None on a laptop.
        problems: reasons why the run would fail for some or all years.
        warnings: other things to consider before the run.
    """

    source: str
    runs: list[tuple[int, int]]
    assets: list[str]
    years: list[YearPlan]
    disk_needed: int
    disk_free: int
    cost: Cost | None
    problems: list[str]
    warnings: list[str]


def make_plan(
    installation: Installation,
    definitions: Definitions,
    years: Sequence[int],
    assets: str | None = None,
    accept: str | None = None,
) -> Plan:
    """Plan a run of `run_years`.

    Raises:
        UsageError: `assets` selects nothing, or a setting of the source is wrong.
        PlatformError: the warehouse cannot be read.
    """
    settings, chosen = installation.settings, assets_in(definitions, assets)
    problems: list[str] = []
    warnings: list[str] = []
    fetched: list[Manifest] = []
    for year in years:
        try:
            if manifest := installation.source_files.manifest(year):
                fetched.append(manifest)
        except PlatformError as error:
            warnings.append(str(error))
    if SOURCE_ASSET in chosen:
        installation.source.check_settings()
        expected = _expected(installation.source, years, problems)
        warnings += dict.fromkeys(f"skipped files: {one.skipped}" for one in expected.values() if one.skipped)
    else:
        expected = {one.year: Expected(f"{one.file}, already fetched", one.rows, one.bytes) for one in fetched}
    reader = installation.working_reader
    stored = reader.stored_of_all(list(TABLES.values()))
    warnings += [problem for (_, year), problem in reader.damaged_years().items() if year in years]
    plans = [
        YearPlan(
            year,
            expected.get(year, Expected("")),
            {name: held[year].rows for name, held in stored.items() if name in chosen and year in held},
        )
        for year in years
    ]
    needed = int(sum(plan.likely_bytes for plan in plans) * DISK_PER_BYTE[settings.deployment])
    free = shutil.disk_usage(next(f for f in (settings.data_dir, *settings.data_dir.parents) if f.exists())).free
    runs = contiguous_ranges(list(years))
    if SOURCE_ASSET not in chosen:
        needed = 0
        lake = [year for year in years if lake_record(installation.object_store, year)]
        held = {**stored, SOURCE_ASSET: [one.year for one in fetched], "crime_object": lake}
        problems += _missing(definitions, chosen, years, held)
    elif problem := mixing_problem(settings.source, range(runs[0][0], runs[0][1] + 1), installation.published_years()):
        problems.append(problem)
    else:
        accepted = {one.year for one in fetched if one.accepted}  # holds only for the same file: the run compares them
        for year, refusal in _refused(plans, installation.published_years()):
            (warnings if accept or year in accepted else problems).append(refusal)
        warnings, problems = list(dict.fromkeys(warnings)), list(dict.fromkeys(problems))
    if needed > free:
        warnings.append("not enough disk space: free some, or load fewer years")
    return Plan(
        source=settings.source,
        runs=runs,
        assets=chosen,
        years=plans,
        disk_needed=needed,
        disk_free=free,
        cost=cost_of(settings, chosen, plans, stored, len(runs)) if installation.is_on_google else None,
        problems=problems,
        warnings=warnings,
    )


def _expected(source: CrimeSource, years: Sequence[int], problems: list[str]) -> dict[int, Expected]:
    try:
        found = source.expect(years)
    except PlatformError as error:
        problems.append(f"the source {source.name} cannot be read: {error}")
        return {}
    problems += dict.fromkeys(expected.problem for expected in found.values() if expected.problem)
    if missing := [year for year in years if year not in found]:
        problems.append(f"the source {source.name} does not have {format_years(missing)}")
    return found


def cost_of(settings: Settings, chosen: list[str], years: list[YearPlan], stored: Stored, runs: int) -> Cost:
    """Estimate the cost of a number of runs on Google Cloud."""
    tables = [TABLES[name] for name in chosen if name in TABLES]
    bytes_read = sum(
        held.bytes if (held := stored[upstream.name].get(year.year)) else year.likely_bytes
        for table in tables
        for upstream in table.upstream
        for year in years
    )
    spark_usd: float | None = 0.0
    if any(table.made_by == "spark" for table in tables):
        hours = runs * settings.dataproc_max_minutes / 60
        machine = prices.machine_usd_per_hour(settings.dataproc_machine_type)
        is_known = machine is not None and settings.dataproc_mode == "cluster"  # serverless batches scale themselves
        spark_usd = hours * (machine or 0.0) * (settings.dataproc_workers + 1) if is_known else None
    return Cost(bytes_read, bytes_read / prices.TIB * prices.USD_PER_TIB_QUERIED, spark_usd)


def _refused(years: Sequence[YearPlan], published: Mapping[int, PublishedYear]) -> Iterator[tuple[int, str]]:
    """Yield the years that would be refused, and the reasons that are already foreseeable."""
    for year in years:
        yield from ((year.year, f"{refusal} {HOW_TO_ACCEPT}") for refusal in year.expected.refusals)
        held, expected = published.get(year.year), year.expected.rows
        rows = held.tables[CRIMES.name].rows if held else 0
        if held and not held.is_synthetic and expected is not None and is_large(rows - expected, rows):
            yield (
                year.year,
                f"{year.year} has {expected:,} rows at the source but {rows:,} published crimes, so it would be "
                f"refused. {HOW_TO_ACCEPT}",
            )


def _missing(
    definitions: Definitions, chosen: Sequence[str], years: Sequence[int], held: Mapping[str, Collection[int]]
) -> Iterator[str]:
    """Yield upstream assets that neither hold a year nor are made by the run."""
    graph = definitions.resolve_asset_graph()
    for name in chosen:
        for upstream in sorted(key.to_user_string() for key in graph.get(AssetKey(name)).parent_keys):
            missing = [year for year in years if year not in held[upstream]]
            if missing and upstream not in chosen:
                yield f"{name} needs {upstream}, which does not have {format_years(missing)}"
