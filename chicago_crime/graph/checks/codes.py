"""The check for IUCR codes that appear, vanish, rise or fall, which can look like trends in crime."""

from collections.abc import Sequence

from chicago_crime.graph.checks.findings import Check, CheckInputs, Finding, Findings
from chicago_crime.tables import CODE_COVERAGE, CRIMES

MIN_CRIMES = 20
"""Minimum crimes in a year; rarer codes come and go by chance."""

JUMP, MIN_CRIMES_OF_JUMP = 3, 100
"""Largest factor by which a code's share may grow or shrink, and the minimum crimes in one year to apply it."""


def codes_are_stable(inputs: CheckInputs, years: Sequence[int]) -> Findings:
    """Compare the codes of each year with the previous year, if it is stored."""
    findings, stored = dict[int, Finding](), inputs.warehouse.stored(CRIMES)
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
        findings[year] = Finding(moved or "no code appears, vanishes, or changes its share much")
        if moved:
            findings[year].warnings.append(f"codes: {', '.join(moved)}")
    return findings


CODES_ARE_STABLE = Check(
    CODE_COVERAGE.name,
    "codes_are_stable",
    f"No IUCR code appears, vanishes, or changes its share by more than a factor of {JUMP} from the previous year.",
    codes_are_stable,
    reads=(CRIMES,),
)
