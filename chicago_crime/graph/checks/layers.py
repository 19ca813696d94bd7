"""Checks that compare layers or years: nothing is lost, nothing shrinks, nothing moves without notice.

An ERROR that blocks keeps bad data from travelling on; a WARN is for a person to look at. Checks that derive from a
single table are in `tables.py`; a file is refused by the gate.
"""

import csv
from pathlib import Path

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    MetadataValue,
    ResourceParam,
    asset_check,
)

from chicago_crime.graph.assets.lake import crime_object, quarantine_key
from chicago_crime.graph.assets.source import crime_csv
from chicago_crime.graph.checks.findings import Findings, years_of
from chicago_crime.graph.checks.tables import table_checks
from chicago_crime.intake.source_files import Manifest, SourceFiles
from chicago_crime.intake.staging import staging_folder
from chicago_crime.storage.object_store import ObjectStore
from chicago_crime.storage.warehouse import Warehouse
from chicago_crime.tables import CRIMES, ENRICHED_CRIMES, RAW_CRIMES, REJECTED_CRIMES, Table

Context = AssetCheckExecutionContext

MOST_QUARANTINED = 0.001
"""Share of a file's lines that may be unreadable before a check warns."""

MOST_REJECTED = 0.01
"""Share of a year's rows that may be rejected before a check warns."""

LARGEST_SHIFT = 0.05
"""How far the share of a crime type, or of a column's NULLs, may move between two years before a check warns."""

NULL_COUNTS = {column.name: f"COUNTIF({column.name} IS NULL)" for column in CRIMES.columns if column.nullable}
"""Aggregates that count the NULLs of `crimes`, by column."""

NULLS = "nulls_by_year"
"""Metadata of `is_like_the_year_before`: by year and column, the number of NULLs."""


@asset_check(asset=crime_csv, blocking=True, description="The year did not lose more than 1 % of the rows loaded.")
def has_not_shrunk(
    context: Context,
    warehouse: ResourceParam[Warehouse],
    source_files: ResourceParam[SourceFiles],
    largest_loss: ResourceParam[float],
) -> AssetCheckResult:
    """Compare each fetched year with what the raw table still holds of it."""
    findings, loaded = Findings(), warehouse.stored(RAW_CRIMES)
    for year, manifest in _manifests(context, warehouse, source_files).items():
        before = loaded[year].rows if year in loaded else 0
        findings.by_year[year] = {"rows loaded": before, "rows fetched": manifest.rows}
        if manifest.rows < before * (1 - largest_loss):
            findings.problems.append(
                f"{year} has {manifest.rows:,} rows, {before:,} are loaded. If the smaller file is right, run again "
                "with CHICAGO_CRIME_ALLOW_SHRINK=true (chicago-crime run --allow-shrink)"
            )
    return findings.result()


@asset_check(asset=crime_csv, blocking=True, description="No month is missing between others.")
def has_no_gap(
    context: Context, warehouse: ResourceParam[Warehouse], source_files: ResourceParam[SourceFiles]
) -> AssetCheckResult:
    """Find months without a row. A year may end early: it may not be over yet."""
    findings, severity = Findings(), AssetCheckSeverity.WARN
    for year, manifest in _manifests(context, warehouse, source_files).items():
        months = sorted(int(month[-2:]) for month in manifest.months)
        missing = sorted(set(range(1, months[-1])) - set(months))
        findings.by_year[year] = manifest.months
        if missing:
            names = ", ".join(f"{year}-{month:02}" for month in missing)
            findings.problems.append(f"{year} has no row of {names}, but rows of later months: the file is incomplete")
        if any(month > months[0] for month in missing):
            severity = AssetCheckSeverity.ERROR
    return findings.result(severity if findings.problems else AssetCheckSeverity.ERROR)


@asset_check(asset=crime_object, description="At most one line in a thousand could not be read as a row.")
def few_lines_quarantined(
    context: Context, warehouse: ResourceParam[Warehouse], source_files: ResourceParam[SourceFiles]
) -> AssetCheckResult:
    """Count the quarantined lines."""
    findings = Findings()
    for year, manifest in _manifests(context, warehouse, source_files).items():
        findings.by_year[year] = {"lines": manifest.lines, "quarantined": manifest.quarantined}
        if manifest.quarantined > manifest.lines * MOST_QUARANTINED:
            findings.problems.append(f"{year}: {manifest.quarantined:,} of {manifest.lines:,} lines are quarantined")
    return findings.result(AssetCheckSeverity.WARN)


@asset_check(
    asset=RAW_CRIMES.name,
    name="nothing_lost",
    blocking=True,
    description="lines of the source file = rows of raw_crimes + quarantined lines + blank and continuation lines.",
)
def nothing_lost_at_the_gate(
    context: Context,
    warehouse: ResourceParam[Warehouse],
    source_files: ResourceParam[SourceFiles],
    object_store: ResourceParam[ObjectStore],
) -> AssetCheckResult:
    """Account for every physical line; lines were counted byte by byte, before anything was parsed."""
    findings, loaded = Findings(), warehouse.stored(RAW_CRIMES)
    for year, manifest in _manifests(context, warehouse, source_files).items():
        numbers = {
            "source lines": manifest.lines,
            "raw_crimes": loaded[year].rows,
            "quarantined lines": _quarantined(object_store, year, source_files.staging),
            "blank or continuation lines": manifest.other_lines,
        }
        right = "raw_crimes + quarantined lines + blank or continuation lines"
        findings.must_be_equal(year, "source lines", right, numbers)
    return findings.result()


@asset_check(
    asset=CRIMES.name,
    name="nothing_lost",
    blocking=True,
    additional_deps=[REJECTED_CRIMES.name],
    description="rows of raw_crimes = rows of crimes + rows of rejected_crimes.",
)
def nothing_lost_in_typing(context: Context, warehouse: ResourceParam[Warehouse]) -> AssetCheckResult:
    """Account for every raw row."""
    return _account_for(context, warehouse, RAW_CRIMES, CRIMES, REJECTED_CRIMES)


@asset_check(asset=REJECTED_CRIMES.name, description="At most one row in a hundred was rejected.")
def few_rows_rejected(context: Context, warehouse: ResourceParam[Warehouse]) -> AssetCheckResult:
    """Count rejects by reason."""
    findings, loaded = Findings(), warehouse.stored(RAW_CRIMES)
    rejected = warehouse.count_by(REJECTED_CRIMES, years_of(context, warehouse, REJECTED_CRIMES), "reason")
    for year, reasons in rejected.items():
        findings.by_year[year] = reasons
        if sum(reasons.values()) > loaded[year].rows * MOST_REJECTED:
            findings.problems.append(f"{year}: {sum(reasons.values()):,} of {loaded[year].rows:,} rows rejected")
    return findings.result(AssetCheckSeverity.WARN)


@asset_check(
    asset=CRIMES.name, description="Shares of NULL and of each crime type are within 5 points of the year before."
)
def is_like_the_year_before(context: Context, warehouse: ResourceParam[Warehouse]) -> AssetCheckResult:
    """Compare each year with the one before, where that is stored. The dashboard shows the NULLs that it counted."""
    findings, stored = Findings(), warehouse.stored(CRIMES)
    years = [year for year in years_of(context, warehouse, CRIMES) if year in stored and stored[year].rows]
    chosen = [year for year in years if year - 1 in stored and stored[year - 1].rows]
    needed = sorted({y for year in chosen for y in (year - 1, year)})
    counts = warehouse.measure(CRIMES, sorted({*years, *needed}), NULL_COUNTS)
    findings.more[NULLS] = MetadataValue.json({str(year): counts[year] for year in years})
    nulls = {year: {name: n / stored[year].rows for name, n in found.items()} for year, found in counts.items()}
    types = {
        year: {name: n / stored[year].rows for name, n in found.items()}
        for year, found in warehouse.count_by(CRIMES, needed, "primary_type").items()
    }
    for year in chosen:
        shifts = {f"NULL {name}": nulls[year][name] - nulls[year - 1][name] for name in NULL_COUNTS}
        for name in types[year].keys() | types[year - 1].keys():
            shifts[f"type {name}"] = types[year].get(name, 0) - types[year - 1].get(name, 0)
        largest = dict(sorted(shifts.items(), key=lambda item: -abs(item[1]))[:5])
        findings.by_year[year] = {name: round(shift, 4) for name, shift in largest.items()}
        findings.problems.extend(
            f"{year}: share of {name} moved by {shift:+.1%} points"
            for name, shift in largest.items()
            if abs(shift) > LARGEST_SHIFT
        )
    return findings.result(AssetCheckSeverity.WARN)


@asset_check(
    asset=ENRICHED_CRIMES.name,
    name="nothing_lost",
    blocking=True,
    description="rows of enriched_crimes = rows of crimes.",
)
def nothing_lost_in_spark(context: Context, warehouse: ResourceParam[Warehouse]) -> AssetCheckResult:
    """Account for every typed row."""
    return _account_for(context, warehouse, CRIMES, ENRICHED_CRIMES)


def all_checks() -> list[AssetChecksDefinition]:
    """Every check of the platform."""
    return [
        has_not_shrunk,
        has_no_gap,
        few_lines_quarantined,
        nothing_lost_at_the_gate,
        nothing_lost_in_typing,
        few_rows_rejected,
        is_like_the_year_before,
        nothing_lost_in_spark,
        *table_checks(),
    ]


def _account_for(context: Context, warehouse: Warehouse, whole: Table, *parts: Table) -> AssetCheckResult:
    """Check that a table has as many rows as the tables that its rows went to."""
    findings = Findings()
    stored = {table.name: warehouse.stored(table) for table in (whole, *parts)}
    for year in years_of(context, warehouse, parts[0]):
        numbers = {name: years[year].rows if year in years else 0 for name, years in stored.items()}
        findings.must_be_equal(year, whole.name, " + ".join(part.name for part in parts), numbers)
    return findings.result()


def _manifests(context: Context, warehouse: Warehouse, source_files: SourceFiles) -> dict[int, Manifest]:
    manifests = {year: source_files.manifest(year) for year in years_of(context, warehouse, RAW_CRIMES)}
    return {year: manifest for year, manifest in manifests.items() if manifest}


def _quarantined(object_store: ObjectStore, year: int, folder: Path) -> int:
    with staging_folder(folder) as own, object_store.get(quarantine_key(year), own).open(newline="") as file:
        return sum(1 for _ in csv.DictReader(file))
