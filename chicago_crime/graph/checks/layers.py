"""Checks that compare layers or years: no rows are lost, no year shrinks, and large shifts are reported.

Checks generated from a single table's definition are in `tables.py`; the gate checks the source file.
"""

import csv
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from chicago_crime.graph.checks.findings import Check, CheckInputs, Finding, Findings, check
from chicago_crime.intake.staging import staging_folder
from chicago_crime.published.audit import is_large
from chicago_crime.sources.base import MAX_REJECTED_SHARE, MIN_REJECTED
from chicago_crime.storage.object_store import quarantine_key
from chicago_crime.tables import CODE_COVERAGE, CRIMES, ENRICHED_CRIMES, RAW_CRIMES, REJECTED_CRIMES, Table
from chicago_crime.tables.years import MAX_RATIO_OF_MONTHS, MAX_RATIO_OF_YEARS, MIN_ROWS_A_MONTH

MAX_SHIFT = 0.05
"""Largest change from year to year in the share of a crime type, or of a column's NULLs, without a warning."""

COORDINATES = {
    "latitudes": "SUM(IF(ABS(latitude) < 1e3, CAST(ROUND(latitude * 1e9) AS INT64), 0))",
    "longitudes": "SUM(IF(ABS(longitude) < 1e3, CAST(ROUND(longitude * 1e9) AS INT64), 0))",
    "x_coordinates": "SUM(IF(ABS(x_coordinate) < 1e7, CAST(ROUND(x_coordinate * 1e3) AS INT64), 0))",
    "y_coordinates": "SUM(IF(ABS(y_coordinate) < 1e7, CAST(ROUND(y_coordinate * 1e3) AS INT64), 0))",
}
"""Checksums that do not depend on row order: sums of rounded integers. Single-precision values would change them."""

MIN_DAYS = 7
"""Minimum days with rows of a month that is compared with others."""

MIN_CRIMES = 20
"""Minimum crimes of an IUCR code in a year; rarer codes come and go by chance."""

JUMP, MIN_CRIMES_OF_JUMP = 3, 100
"""Largest factor by which a code's share may grow or shrink, and the minimum crimes in one year to apply it."""

CODES_NAMED = 5
"""Maximum number of codes named in a warning; the check's metadata has all."""

NULL_COUNTS = {column.name: f"COUNT(*) - COUNT({column.name})" for column in CRIMES.columns if column.nullable}
"""Aggregates that count NULLs in `crimes`, by column."""


@check("crime_csv", can_be_accepted=True)
def has_not_shrunk(inputs: CheckInputs, years: Sequence[int]) -> Findings:
    """The file lacks at most 1% of the published crimes, or fewer than 5, unless those are sample data."""
    published = inputs.published()
    for year, manifest in inputs.manifests(years).items():
        there = published.get(year)
        before = there.tables[CRIMES.name].rows if there and not there.is_synthetic else 0
        one = Finding({"crimes published": before, "rows fetched": manifest.rows})
        if is_large(before - manifest.rows, before):
            one.failures.append(f"the file has {manifest.rows:,} rows, but {before:,} crimes are published")
        yield year, one


@check("crime_csv", can_be_accepted=True)
def has_no_gap(inputs: CheckInputs, years: Sequence[int]) -> Findings:
    """No day before another is missing, except by chance, and no month has less than half the rows a day of another."""
    for year, manifest in inputs.manifests(years).items():
        one = Finding({f"rows in month {month[-2:]}": rows for month, rows in manifest.months.items()})
        if manifest.gaps:
            (first, last), *others = manifest.gaps
            # A late start may be all that the publisher has.
            problems = one.failures if others or not first.endswith("-01-01") else one.warnings
            days = f"on {first}" if first == last else f"from {first} to {last}"
            more = f" (and {len(others)} more gap{'s' if len(others) > 1 else ''})" if others else ""
            problems.append(f"no rows {days}{more}, although later days have rows: the file is incomplete or filtered")
        a_day = {month: manifest.months[month] / days for month, days in manifest.days.items() if days >= MIN_DAYS}
        most = max(a_day.values(), default=0)
        low = [month for month, rows in a_day.items() if rows * MAX_RATIO_OF_MONTHS < most]
        if most * 30 >= MIN_ROWS_A_MONTH and low:
            few = f"only {a_day[low[0]]:,.0f} rows a day in {low[0]}, but {most:,.0f} in another month"
            as_few = f" (and {len(low) - 1} more months with few)" if len(low) > 1 else ""
            one.failures.append(f"{few}{as_few}: the file is incomplete or filtered")
        yield year, one


@check("crime_object", can_be_accepted=True)
def few_lines_quarantined(inputs: CheckInputs, years: Sequence[int]) -> Findings:
    """All lines could be read as rows. Fails if at least 1% of the lines, and at least 5, could not."""
    for year, manifest in inputs.manifests(years).items():
        one = Finding({"lines": manifest.lines, "quarantined": manifest.quarantined})
        if manifest.quarantined:
            is_much = manifest.quarantined >= max(manifest.lines * MAX_REJECTED_SHARE, MIN_REJECTED)
            problems = one.failures if is_much else one.warnings
            problems.append(
                f"{manifest.quarantined:,} of {manifest.lines:,} lines cannot be read as rows and are in "
                f"{quarantine_key(year)}; the first is {_quarantine(inputs, year, Path(manifest.origin).name)[1]}. "
                "Download or export the file again"
            )
        yield year, one


def nothing_lost_at_the_gate(inputs: CheckInputs, years: Sequence[int]) -> Findings:
    """Account for all physical lines, which were counted before parsing."""
    loaded = inputs.warehouse.stored(RAW_CRIMES)
    for year, manifest in inputs.manifests(years).items():
        numbers = {
            "source lines": manifest.lines,
            "raw_crimes": loaded[year].rows if year in loaded else 0,
            "quarantined lines": _quarantine(inputs, year)[0],
            "blank or continuation lines": manifest.other_lines,
        }
        right = "raw_crimes + quarantined lines + blank or continuation lines"
        yield year, Finding.of_sums("source lines", right, numbers)


@check(REJECTED_CRIMES.name, can_be_accepted=True)
def few_rows_rejected(inputs: CheckInputs, years: Sequence[int]) -> Findings:
    """At most 1% of rows have no id or no readable date. Warns if more are rejected, except superseded ones."""
    loaded = inputs.warehouse.stored(RAW_CRIMES)
    for year, reasons in inputs.warehouse.count_by(REJECTED_CRIMES, years, "reason").items():
        one = Finding(reasons)
        rows, count = loaded[year].rows if year in loaded else 0, sum(reasons.values())
        of_year = count - reasons.get("superseded", 0)
        unreadable = of_year - reasons.get("date_outside_year", 0)
        if unreadable > rows * MAX_REJECTED_SHARE and unreadable >= MIN_REJECTED:
            one.failures.append(f"{unreadable:,} of {rows:,} rows cannot be typed")
        elif of_year > rows * MAX_REJECTED_SHARE:
            one.warnings.append(f"{of_year:,} of {rows:,} rows are rejected, besides superseded ones")
        yield year, one


@check(CRIMES.name)
def is_like_the_year_before(inputs: CheckInputs, years: Sequence[int]) -> Findings:
    """Shares of NULLs and crime types change by at most 5 percentage points a year, and rows by 1.6 times."""
    stored = inputs.warehouse.stored(CRIMES)
    compared, needed = inputs.with_year_before(CRIMES, years)
    manifests = inputs.manifests(needed)
    counts = inputs.warehouse.measure(CRIMES, needed, NULL_COUNTS)
    nulls = {year: {name: n / stored[year].rows for name, n in found.items()} for year, found in counts.items()}
    types = {
        year: {name: n / stored[year].rows for name, n in found.items()}
        for year, found in inputs.warehouse.count_by(CRIMES, needed, "primary_type").items()
    }
    for year in compared:
        shifts = {f"NULL {name}": nulls[year][name] - nulls[year - 1][name] for name in NULL_COUNTS}
        for name in types[year].keys() | types[year - 1].keys():
            shifts[f"type {name}"] = types[year].get(name, 0) - types[year - 1].get(name, 0)
        largest = dict(sorted(shifts.items(), key=lambda item: -abs(item[1]))[:5])
        one = Finding({name: round(shift, 4) for name, shift in largest.items()})
        for name, shift in largest.items():
            if abs(shift) > MAX_SHIFT:
                one.warnings.append(f"share of {name} changed by {shift * 100:+.1f} percentage points")
        days = [sum(manifests[at].days.values()) if at in manifests else 0 for at in (year, year - 1)]
        if min(days) > 31:  # a year that has just begun says little
            now, before = (stored[at].rows / count * 30 for at, count in zip((year, year - 1), days, strict=True))
            if max(now, before) >= max(MIN_ROWS_A_MONTH, MAX_RATIO_OF_YEARS * min(now, before)):
                few = f"{now:,.0f} rows a month, but {before:,.0f} in {year - 1}: a file must be incomplete or filtered"
                one.warnings.append(few)
        yield year, one


@check(CODE_COVERAGE.name)
def codes_are_stable(inputs: CheckInputs, years: Sequence[int]) -> Findings:
    """No IUCR code appears, vanishes, or changes its share by more than a factor of 3 from the previous year.

    Such changes can look like trends in crime.
    """
    stored = inputs.warehouse.stored(CRIMES)
    compared, needed = inputs.with_year_before(CRIMES, years)
    counts = inputs.warehouse.count_by(CRIMES, needed, "iucr")
    for year in compared:
        # Scale the previous year's counts, because the current year may be incomplete.
        part = stored[year].rows / stored[year - 1].rows
        moved = []
        for code in sorted((counts[year].keys() | counts[year - 1].keys()) - {""}):
            now, before = counts[year].get(code, 0), counts[year - 1].get(code, 0) * part
            minimum = MIN_CRIMES if not (now and before) else MIN_CRIMES_OF_JUMP
            if max(now, before) >= minimum and not 1 / JUMP <= (now + 1) / (before + 1) <= JUMP:
                what = "appears" if not before else "vanishes" if not now else "rises" if now > before else "falls"
                moved.append(
                    f"{code} {what} ({counts[year - 1].get(code, 0):,} crimes in {year - 1}, {now:,} in {year})"
                )
        more = f" (and {len(moved) - CODES_NAMED} more)" if len(moved) > CODES_NAMED else ""
        warnings = [f"codes: {', '.join(moved[:CODES_NAMED])}{more}"] if moved else []
        yield year, Finding(moved or "no code appears, vanishes, or changes its share much", warnings=warnings)


def no_row_lost(source: Table, derived: Sequence[Table], inputs: CheckInputs, years: Sequence[int]) -> Findings:
    """Compare the number of rows of a table with that of its derived tables."""
    stored = {table.name: inputs.warehouse.stored(table) for table in (source, *derived)}
    for year in years:
        numbers = {name: held[year].rows if year in held else 0 for name, held in stored.items()}
        yield year, Finding.of_sums(source.name, " + ".join(table.name for table in derived), numbers)


@check(ENRICHED_CRIMES.name)
def coordinates_are_kept(inputs: CheckInputs, years: Sequence[int]) -> Findings:
    """Coordinates are the same in enriched_crimes and crimes."""
    before, after = (inputs.warehouse.measure(table, years, COORDINATES) for table in (CRIMES, ENRICHED_CRIMES))
    for year in years:
        one = Finding({"crimes": before[year], "enriched_crimes": after[year]})
        if names := [name for name in COORDINATES if before[year][name] != after[year][name]]:
            one.failures.append(f"{', '.join(names)} differ between crimes and enriched_crimes: they lost precision")
        yield year, one


LAYER_CHECKS = (
    has_not_shrunk,
    has_no_gap,
    few_lines_quarantined,
    Check(
        RAW_CRIMES.name,
        "nothing_lost",
        "Lines in the source file = rows in raw_crimes + quarantined lines + blank and continuation lines.",
        nothing_lost_at_the_gate,
    ),
    Check(
        CRIMES.name,
        "nothing_lost",
        "Rows in raw_crimes = rows in crimes + rows in rejected_crimes.",
        partial(no_row_lost, RAW_CRIMES, (CRIMES, REJECTED_CRIMES)),
    ),
    few_rows_rejected,
    is_like_the_year_before,
    Check(
        ENRICHED_CRIMES.name,
        "nothing_lost",
        "Rows in enriched_crimes = rows in crimes.",
        partial(no_row_lost, CRIMES, (ENRICHED_CRIMES,)),
    ),
    coordinates_are_kept,
    codes_are_stable,
)


def _quarantine(inputs: CheckInputs, year: int, origin: str = "") -> tuple[int, str]:
    """Return the number of quarantined lines and a description of the first; `origin` is used if it lacks a file."""
    from chicago_crime.intake.csv_rows import describe_line  # slow to import

    with (
        staging_folder(inputs.source_files.staging) as folder,
        inputs.object_store.get(quarantine_key(year), folder).open(newline="", encoding="utf-8") as file,
    ):
        lines = csv.DictReader(file)
        first = next(lines, None)
        if first is None:
            return 0, ""
        name = Path(first.get("file") or origin).name  # pages show findings, which must not name folders
        return 1 + sum(1 for _ in lines), describe_line(first | {"file": name})
