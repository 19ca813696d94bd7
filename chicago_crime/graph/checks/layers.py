"""Checks that compare layers or years: nothing is lost, nothing shrinks, nothing moves without notice.

Checks that derive from a single table are in `tables.py`; a file is refused by the gate.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

from chicago_crime.graph.checks.findings import Check, Examined, Finding, Findings
from chicago_crime.intake.staging import staging_folder
from chicago_crime.intake.values import MAX_REJECTED_SHARE, MIN_REJECTED
from chicago_crime.published.audit import LARGEST_LOSS
from chicago_crime.storage.object_store import quarantine_key
from chicago_crime.tables import CRIMES, ENRICHED_CRIMES, RAW_CRIMES, REJECTED_CRIMES, Table

LARGEST_SHIFT = 0.05
"""How far the share of a crime type, or of a column's NULLs, may move between two years before a check warns."""

COORDINATES = {
    "latitudes": "SUM(IF(ABS(latitude) < 1e3, CAST(ROUND(latitude * 1e9) AS INT64), 0))",
    "longitudes": "SUM(IF(ABS(longitude) < 1e3, CAST(ROUND(longitude * 1e9) AS INT64), 0))",
    "x_coordinates": "SUM(IF(ABS(x_coordinate) < 1e7, CAST(ROUND(x_coordinate * 1e3) AS INT64), 0))",
    "y_coordinates": "SUM(IF(ABS(y_coordinate) < 1e7, CAST(ROUND(y_coordinate * 1e3) AS INT64), 0))",
}
"""Sums of whole numbers, whatever the order of rows. A number that is exported with 4 bytes changes them."""

LEAST_OF_MONTH = 2
"""A file with fewer rows a month may have none in some month by chance: its gaps are worth a warning."""

NULL_COUNTS = {column.name: f"COUNTIF({column.name} IS NULL)" for column in CRIMES.columns if column.nullable}
"""Aggregates that count the NULLs of `crimes`, by column."""


def has_not_shrunk(parts: Examined, years: Sequence[int]) -> Findings:
    """Compare each fetched year with what is published of it; sample data protect nothing."""
    findings, published = dict[int, Finding](), parts.published()
    for year, manifest in parts.manifests(years).items():
        there = published.get(year)
        tables = there.tables if there and not there.is_synthetic else {}
        before = sum(tables[table.name].rows for table in (CRIMES, REJECTED_CRIMES)) if tables else 0
        findings[year] = Finding({"rows published": before, "rows fetched": manifest.rows})
        if manifest.rows < before * (1 - LARGEST_LOSS):
            findings[year].failures.append(f"the file has {manifest.rows:,} rows, {before:,} are published of the year")
    return findings


def has_no_gap(parts: Examined, years: Sequence[int]) -> Findings:
    """Find months without a row. A year may end early: it may not be over yet."""
    findings: dict[int, Finding] = {}
    for year, manifest in parts.manifests(years).items():
        months = sorted(int(month[-2:]) for month in manifest.months)
        missing = sorted(set(range(1, months[-1])) - set(months))
        findings[year] = Finding(manifest.months)
        if missing:
            names = ", ".join(f"{year}-{month:02}" for month in missing)
            is_full = manifest.rows >= LEAST_OF_MONTH * len(months)
            is_wrong = is_full and any(month > months[0] for month in missing)
            problems = findings[year].failures if is_wrong else findings[year].warnings
            problems.append(f"there is no row of {names}, but there are rows of later months: the file is incomplete")
    return findings


def few_lines_quarantined(parts: Examined, years: Sequence[int]) -> Findings:
    """Count the quarantined lines, and show the first."""
    findings: dict[int, Finding] = {}
    for year, manifest in parts.manifests(years).items():
        findings[year] = Finding({"lines": manifest.lines, "quarantined": manifest.quarantined})
        if manifest.quarantined:
            is_much = manifest.quarantined >= max(manifest.lines * MAX_REJECTED_SHARE, MIN_REJECTED)
            problems = findings[year].failures if is_much else findings[year].warnings
            problems.append(
                f"{manifest.quarantined:,} of {manifest.lines:,} lines cannot be read as rows and are in "
                f"{quarantine_key(year)}; the first is {_quarantine(parts, year, Path(manifest.origin).name)[1]}. "
                "Download or export the file again",
            )
    return findings


def nothing_lost_at_the_gate(parts: Examined, years: Sequence[int]) -> Findings:
    """Account for every physical line; lines were counted byte by byte, before anything was parsed."""
    findings, loaded = dict[int, Finding](), parts.stored(RAW_CRIMES)
    for year, manifest in parts.manifests(years).items():
        numbers = {
            "source lines": manifest.lines,
            "raw_crimes": loaded[year].rows if year in loaded else 0,
            "quarantined lines": _quarantine(parts, year)[0],
            "blank or continuation lines": manifest.other_lines,
        }
        right = "raw_crimes + quarantined lines + blank or continuation lines"
        findings[year] = Finding.of_sums("source lines", right, numbers)
    return findings


def few_rows_rejected(parts: Examined, years: Sequence[int]) -> Findings:
    """Count rejects by reason."""
    findings, loaded = dict[int, Finding](), parts.stored(RAW_CRIMES)
    rejected = parts.warehouse.count_by(REJECTED_CRIMES, years, "reason")
    for year, reasons in rejected.items():
        findings[year] = Finding(reasons)
        rows, count = loaded[year].rows if year in loaded else 0, sum(reasons.values())
        unreadable = count - reasons.get("superseded", 0) - reasons.get("date_outside_year", 0)
        if unreadable > rows * MAX_REJECTED_SHARE and unreadable >= MIN_REJECTED:
            findings[year].failures.append(f"{unreadable:,} of {rows:,} rows cannot be typed")
        elif count > rows * MAX_REJECTED_SHARE:
            findings[year].warnings.append(f"{count:,} of {rows:,} rows are rejected")
    return findings


def is_like_the_year_before(parts: Examined, years: Sequence[int]) -> Findings:
    """Compare each year with the one before, where that is stored."""
    findings, stored = dict[int, Finding](), parts.stored(CRIMES)
    compared, needed = parts.with_year_before(CRIMES, years)
    counts = parts.warehouse.measure(CRIMES, needed, NULL_COUNTS)
    nulls = {year: {name: n / stored[year].rows for name, n in found.items()} for year, found in counts.items()}
    types = {
        year: {name: n / stored[year].rows for name, n in found.items()}
        for year, found in parts.warehouse.count_by(CRIMES, needed, "primary_type").items()
    }
    for year in compared:
        shifts = {f"NULL {name}": nulls[year][name] - nulls[year - 1][name] for name in NULL_COUNTS}
        for name in types[year].keys() | types[year - 1].keys():
            shifts[f"type {name}"] = types[year].get(name, 0) - types[year - 1].get(name, 0)
        largest = dict(sorted(shifts.items(), key=lambda item: -abs(item[1]))[:5])
        findings[year] = Finding({name: round(shift, 4) for name, shift in largest.items()})
        for name, shift in largest.items():
            if abs(shift) > LARGEST_SHIFT:
                findings[year].warnings.append(f"share of {name} moved by {shift * 100:+.1f} percentage points")
    return findings


def nothing_lost_in_typing(parts: Examined, years: Sequence[int]) -> Findings:
    """Account for every raw row."""
    return _account_for(parts, years, RAW_CRIMES, CRIMES, REJECTED_CRIMES)


def nothing_lost_in_spark(parts: Examined, years: Sequence[int]) -> Findings:
    """Account for every typed row."""
    return _account_for(parts, years, CRIMES, ENRICHED_CRIMES)


def coordinates_are_kept(parts: Examined, years: Sequence[int]) -> Findings:
    """Compare the coordinates before and after the way through files and Spark."""
    findings: dict[int, Finding] = {}
    before, after = (parts.warehouse.measure(table, years, COORDINATES) for table in (CRIMES, ENRICHED_CRIMES))
    for year in years:
        findings[year] = Finding({"crimes": before[year], "enriched_crimes": after[year]})
        if before[year] != after[year]:
            names = ", ".join(name for name in COORDINATES if before[year][name] != after[year][name])
            findings[year].failures.append(
                f"{names} of enriched_crimes are not those of crimes: they lost digits on the way"
            )
    return findings


LAYER_CHECKS = (
    Check(
        "crime_csv",
        "has_not_shrunk",
        "The file has at most 1 % fewer rows than are published of the year.",
        has_not_shrunk,
        can_be_accepted=True,
    ),
    Check("crime_csv", "has_no_gap", "No month is missing between others.", has_no_gap, can_be_accepted=True),
    Check(
        "crime_object",
        "few_lines_quarantined",
        "Each line could be read as a row; with one in a hundred that could not, the year is not published.",
        few_lines_quarantined,
        can_be_accepted=True,
    ),
    Check(
        RAW_CRIMES.name,
        "nothing_lost",
        "lines of the source file = rows of raw_crimes + quarantined lines + blank and continuation lines.",
        nothing_lost_at_the_gate,
    ),
    Check(
        CRIMES.name,
        "nothing_lost",
        "rows of raw_crimes = rows of crimes + rows of rejected_crimes.",
        nothing_lost_in_typing,
        reads=(REJECTED_CRIMES,),
    ),
    Check(
        REJECTED_CRIMES.name,
        "few_rows_rejected",
        "At most one row in a hundred was rejected.",
        few_rows_rejected,
        can_be_accepted=True,
    ),
    Check(
        CRIMES.name,
        "is_like_the_year_before",
        "Shares of NULL and of each crime type are within 5 points of the year before.",
        is_like_the_year_before,
    ),
    Check(ENRICHED_CRIMES.name, "nothing_lost", "rows of enriched_crimes = rows of crimes.", nothing_lost_in_spark),
    Check(
        ENRICHED_CRIMES.name,
        "coordinates_are_kept",
        "The coordinates of enriched_crimes are those of crimes.",
        coordinates_are_kept,
    ),
)


def _account_for(parts: Examined, years: Sequence[int], whole: Table, *made: Table) -> Findings:
    """Check that a table has as many rows as the tables that its rows went to."""
    findings: dict[int, Finding] = {}
    stored = {table.name: parts.stored(table) for table in (whole, *made)}
    for year in years:
        numbers = {name: held[year].rows if year in held else 0 for name, held in stored.items()}
        findings[year] = Finding.of_sums(whole.name, " + ".join(table.name for table in made), numbers)
    return findings


def _quarantine(parts: Examined, year: int, origin: str = "") -> tuple[int, str]:
    """How many lines are in quarantine, and the first in words, of the user's file if there is one only."""
    from chicago_crime.intake.csv_rows import describe_line  # slow to import

    with (
        staging_folder(parts.source_files.staging) as folder,
        parts.object_store.get(quarantine_key(year), folder).open(newline="", encoding="utf-8") as file,
    ):
        lines = csv.DictReader(file)
        first = next(lines, None)
        if first is None:
            return 0, ""
        name = Path(first.get("file") or origin).name  # pages show it, without the user's folders
        return 1 + sum(1 for _ in lines), describe_line(first | {"file": name})
