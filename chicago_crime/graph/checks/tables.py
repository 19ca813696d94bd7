"""The checks that derive from a `Table`: its schema, plausible values, and counts that add up.

Checks that compare layers or years are in `layers.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from chicago_crime.graph.checks.findings import Check, Examined, Finding, Findings
from chicago_crime.published.audit import LEAST_LOST
from chicago_crime.tables import TABLES, Table
from chicago_crime.tables.columns import Column

MOST_IMPOSSIBLE = 0.01
"""Share of a year's rows that may have an impossible value of one column."""


def checks_of_tables() -> Iterator[Check]:
    """The checks of every table. (The raw table has no schema to hold to.)"""
    for table in TABLES.values():
        if table.made_by == "csv":
            continue
        yield Check(
            table.name,
            "holds_to_schema",
            f"{', '.join(table.key) or 'Nothing'} is unique; no value is NULL that must not be; rows are of the year.",
            partial(_holds_to_schema, table),
        )
        if _implausible(table):
            yield Check(
                table.name,
                "values_are_possible",
                "Numbers are between the smallest and the largest plausible value, or NULL; codes have their form.",
                partial(_values_are_possible, table),
                can_be_accepted=True,
            )
        if table.adds_up:
            yield Check(
                table.name,
                "adds_up",
                f"The counts add up to the rows of {table.upstream[0].name} that they count.",
                partial(_adds_up, table),
            )


def _holds_to_schema(table: Table, parts: Examined, years: Sequence[int]) -> Findings:
    found = _wrong(table, _invalid(table), parts, years)
    return {
        year: Finding(wrong or "all rows are good", [f"{problem} in {rows:,} rows" for problem, rows in wrong.items()])
        for year, wrong in found.items()
    }


def _values_are_possible(table: Table, parts: Examined, years: Sequence[int]) -> Findings:
    findings: dict[int, Finding] = {}
    stored = parts.stored(table)
    for year, wrong in _wrong(table, _implausible(table), parts, years).items():
        findings[year] = one = Finding(wrong or "all rows are good")
        for problem, rows in wrong.items():
            if rows > stored[year].rows * MOST_IMPOSSIBLE and rows >= LEAST_LOST:
                one.failures.append(f"{problem} in {rows:,} rows: are columns of the file exchanged?")
            else:
                one.warnings.append(f"{problem} in {rows:,} rows")
    return findings


def _wrong(
    table: Table, measures: Mapping[str, str], parts: Examined, years: Sequence[int]
) -> dict[int, dict[str, int]]:
    """What is wrong in which number of rows, by year. Both checks of a table's rows count in one query."""
    aliases = {problem: f"m{index}" for index, problem in enumerate(problem_counts(table))}
    aggregates = {aliases[problem]: aggregate for problem, aggregate in problem_counts(table).items()}
    counts = parts.measure(table, years, aggregates)
    return {year: {problem: n for problem in measures if (n := counts[year][aliases[problem]])} for year in years}


def _adds_up(table: Table, parts: Examined, years: Sequence[int]) -> Findings:
    assert table.adds_up, "only a table of counts has this check"
    findings, upstream = dict[int, Finding](), table.upstream[0]
    stored = parts.stored(upstream)
    years = [year for year in years if year in stored]
    own = parts.warehouse.measure(table, years, {"n": f"COALESCE({table.adds_up.total}, 0)"})
    above = parts.warehouse.measure(upstream, years, {"n": table.adds_up.upstream})
    for year in years:
        numbers = {table.name: int(own[year]["n"]), upstream.name: int(above[year]["n"])}
        findings[year] = Finding.of_sums(table.name, upstream.name, numbers)
    return findings


def problem_counts(table: Table) -> Mapping[str, str]:
    """What can be wrong with a table's rows: problem -> the GoogleSQL aggregate that counts the rows."""
    return _invalid(table) | _implausible(table)


def _invalid(table: Table) -> dict[str, str]:
    measures = {f"{c.name} is NULL": f"COUNTIF({c.name} IS NULL)" for c in table.columns if not c.nullable}
    if table.year_column:
        measures["of another year"] = f"COUNTIF({table.year_column} != @year)"
    if {"date", "year"} <= {column.name for column in table.columns} and table.year_column == "year":
        measures["date in another year"] = "COUNTIF(EXTRACT(YEAR FROM date) != @year)"
    if table.key:
        key = table.key[0] if len(table.key) == 1 else f"TO_JSON_STRING(STRUCT({', '.join(table.key)}))"
        measures[f"repeated {', '.join(table.key)}"] = f"COUNT(*) - COUNT(DISTINCT {key})"
    return measures


def _implausible(table: Table) -> dict[str, str]:
    numbers = {
        f"{one.name} is not in the range {one.valid_range}": _outside(one) for one in table.columns if one.valid_range
    }
    codes = {
        f"{one.name} is not of the form {one.pattern}": f"COUNTIF(NOT REGEXP_CONTAINS({one.name}, '{one.pattern}'))"
        for one in table.columns
        if one.pattern
    }
    return numbers | codes


def _outside(column: Column) -> str:
    assert column.between
    low, high = column.between
    above = "" if high == float("inf") else f" OR {column.name} > {high:f}"
    return f"COUNTIF({column.name} < {low:f}{above})"
