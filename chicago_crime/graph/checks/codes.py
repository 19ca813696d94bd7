"""The check of codes that appear, vanish or jump: trends across such a year may follow the codes, not the crimes."""

from collections.abc import Sequence

from chicago_crime.graph.checks.findings import Check, Examined, Finding, Findings
from chicago_crime.tables import CODE_COVERAGE, CRIMES

LEAST = 20
"""Codes with fewer crimes in a year come and go by chance."""

JUMP, LEAST_OF_JUMP = 3, 100
"""How many times as large, or as small, a code's share may become, if it has this many crimes in one of the years."""


def codes_are_stable(parts: Examined, years: Sequence[int]) -> Findings:
    """Compare the codes of each year with those of the year before, where that is stored."""
    findings, stored = dict[int, Finding](), parts.stored(CRIMES)
    compared, needed = parts.with_year_before(CRIMES, years)
    counts = parts.warehouse.count_by(CRIMES, needed, "iucr")
    for year in compared:
        # What a year that is not over would have had of each code, had nothing changed.
        part = stored[year].rows / stored[year - 1].rows
        moved = []
        for code in sorted((counts[year].keys() | counts[year - 1].keys()) - {""}):
            now, before = counts[year].get(code, 0), counts[year - 1].get(code, 0) * part
            least = LEAST if not (now and before) else LEAST_OF_JUMP
            if max(now, before) >= least and not 1 / JUMP <= (now + 1) / (before + 1) <= JUMP:
                what = "appears" if not before else "vanishes" if not now else "jumps"
                moved.append(
                    f"{code} {what} ({counts[year - 1].get(code, 0):,} crimes in {year - 1}, {now:,} in {year})"
                )
        findings[year] = Finding(moved or "no code appears, vanishes or jumps")
        if moved:
            findings[year].warnings.append(f"codes: {', '.join(moved)}")
    return findings


CODES_ARE_STABLE = Check(
    CODE_COVERAGE.name,
    "codes_are_stable",
    f"No IUCR code appears, vanishes, or has more than {JUMP} times its share of the year before.",
    codes_are_stable,
    reads=(CRIMES,),
)
