"""Checks generated from table definitions: schema, valid values, and counts that add up."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from chicago_crime.graph.checks.findings import Check, CheckInputs, Finding, Findings
from chicago_crime.sources.base import MIN_REJECTED
from chicago_crime.tables import CRIMES, TABLES, Table
from chicago_crime.tables.columns import TYPED

MAX_INVALID = 0.01
"""Largest share of a year's rows with an invalid value in a column."""


def checks_of_tables() -> Iterator[Check]:
    """Yield the checks of all tables except the raw one, which has no schema."""
    for table in TABLES.values():
        if table.made_by == "csv":
            continue
        yield Check(
            table.name,
            "holds_to_schema",
            "Keys are unique, required columns have no NULLs, and all rows belong to the year.",
            partial(_holds_to_schema, table),
        )
        if out_of_range(table):
            yield Check(
                table.name,
                "values_are_possible",
                "Numbers are in their valid range, and codes match their pattern and the type of crime.",
                partial(_values_are_possible, table),
                can_be_accepted=True,
            )
        if table.adds_up:
            yield Check(
                table.name,
                "adds_up",
                f"{table.adds_up.total} = {table.adds_up.upstream} of {table.upstream[0].name}.",
                partial(_adds_up, table),
            )


def _holds_to_schema(table: Table, inputs: CheckInputs, years: Sequence[int]) -> Findings:
    for year, rows in _problem_rows(table, schema_problems(table), inputs, years).items():
        yield year, Finding(rows or "no problem", [f"{problem} in {count:,} rows" for problem, count in rows.items()])


def _values_are_possible(table: Table, inputs: CheckInputs, years: Sequence[int]) -> Findings:
    stored, manifests = inputs.warehouse.stored(table), inputs.manifests(years)
    for year, rows in _problem_rows(table, out_of_range(table), inputs, years).items():
        one = Finding(rows or "no problem")
        file = manifests[year].origin if year in manifests else "the file"
        for problem, count in rows.items():
            if count > stored[year].rows * MAX_INVALID and count >= MIN_REJECTED:
                one.failures.append(f"{problem} in {count:,} rows: check the columns of {file}")
            else:
                one.warnings.append(f"{problem} in {count:,} rows")
        yield year, one


def _problem_rows(
    table: Table, measures: Mapping[str, str], inputs: CheckInputs, years: Sequence[int]
) -> dict[int, dict[str, int]]:
    """Count the rows with each problem, by year."""
    names = {problem: f"m{index}" for index, problem in enumerate(measures)}
    counts = inputs.warehouse.measure(table, years, {names[problem]: measure for problem, measure in measures.items()})
    return {year: {problem: n for problem in measures if (n := counts[year][names[problem]])} for year in years}


def _adds_up(table: Table, inputs: CheckInputs, years: Sequence[int]) -> Findings:
    assert table.adds_up, "only a table of counts has this check"
    upstream = table.upstream[0]
    stored = inputs.warehouse.stored(upstream)
    years = [year for year in years if year in stored]
    own = inputs.warehouse.measure(table, years, {"n": f"COALESCE({table.adds_up.total}, 0)"})
    above = inputs.warehouse.measure(upstream, years, {"n": table.adds_up.upstream})
    for year in years:
        numbers = {table.name: int(own[year]["n"]), upstream.name: int(above[year]["n"])}
        yield year, Finding.of_sums(table.name, upstream.name, numbers)


def schema_problems(table: Table) -> dict[str, str]:
    """Return the GoogleSQL aggregates that count the rows with each problem of keys, NULLs and years."""
    measures = {f"{c.name} is NULL": f"COUNTIF({c.name} IS NULL)" for c in table.columns if not c.nullable}
    if table.year_column:
        measures["another year"] = f"COUNTIF({table.year_column} != @year)"
    if {"date", "year"} <= {column.name for column in table.columns} and table.year_column == "year":
        measures["date in another year"] = "COUNTIF(EXTRACT(YEAR FROM date) != @year)"
    if table.key:
        key = table.key[0] if len(table.key) == 1 else f"TO_JSON_STRING(STRUCT({', '.join(table.key)}))"
        measures[f"repeated {', '.join(table.key)}"] = f"COUNT(*) - COUNT(DISTINCT {key})"
    return measures


def out_of_range(table: Table) -> dict[str, str]:
    """Return the aggregates that count impossible values; columns of crimes are not checked again in other tables."""
    columns = [one for one in table.columns if table == CRIMES or one.name not in TYPED]
    numbers = {
        f"{one.name} is not in the range {one.valid_range}": (
            f"COUNTIF({one.name} < {one.between[0]:f} OR {one.name} > {one.between[1]:f})"
        )
        for one in columns
        if one.between
    }
    codes = {
        f"{one.name} is not {one.form}": f"COUNTIF(NOT REGEXP_CONTAINS({one.name}, '{one.pattern}'))"
        for one in columns
        if one.pattern
    }
    return numbers | codes | {problem: f"COUNTIF({condition})" for problem, condition in table.impossible}
