"""The checks that derive from a `Table`: its schema, plausible values, and counts that add up.

One step makes the checks of all tables that one asset step makes: on a laptop, a step takes longer than most checks.
Checks that compare layers or years are in `layers.py`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    ResourceParam,
    multi_asset_check,
)

from chicago_crime.graph.assets.spark import enrich_crimes
from chicago_crime.graph.assets.sql_tables import sql_tables
from chicago_crime.graph.assets.warehouse import type_crimes
from chicago_crime.graph.checks.findings import Findings, years_of
from chicago_crime.storage.warehouse import Warehouse
from chicago_crime.tables import TABLES, Table
from chicago_crime.tables.columns import Column


def table_checks() -> list[AssetChecksDefinition]:
    """The checks of every table. (The raw table has no schema to hold to.)"""
    steps = (type_crimes, enrich_crimes, *sql_tables)
    return [_checks_of([TABLES[spec.key.to_user_string()] for spec in step.specs]) for step in steps]


def _checks_of(tables: Sequence[Table]) -> AssetChecksDefinition:
    @multi_asset_check(
        specs=[spec for table in tables for spec in _specs(table)],
        name=f"{tables[0].name}_table_checks",
        can_subset=True,
    )
    def check(context: AssetCheckExecutionContext, warehouse: ResourceParam[Warehouse]) -> Iterator[AssetCheckResult]:
        selected = context.selected_asset_check_keys
        for table in tables:
            years = years_of(context, warehouse, table)
            yield from _schema_results(table, years, warehouse, selected)
            yield from _adds_up_result(table, years, warehouse, selected)

    return check


def _specs(table: Table) -> Iterator[AssetCheckSpec]:
    yield AssetCheckSpec(
        "holds_to_schema",
        asset=table.name,
        blocking=True,
        description=f"{', '.join(table.key) or 'Nothing'} is unique; no value is NULL that must not be; rows are of "
        "their year.",
    )
    if _implausible(table):
        yield AssetCheckSpec(
            "values_are_possible",
            asset=table.name,
            description="Numbers are between the smallest and the largest plausible value, or NULL.",
        )
    if table.adds_up:
        yield AssetCheckSpec(
            "adds_up",
            asset=table.name,
            blocking=True,
            description=f"The counts add up to the rows of {table.upstream[0].name} that they count.",
        )


def _schema_results(
    table: Table, years: Sequence[int], warehouse: Warehouse, selected: Collection[AssetCheckKey]
) -> Iterator[AssetCheckResult]:
    """`holds_to_schema` and `values_are_possible`, where selected, from one query."""
    checks = {
        spec.key: counted
        for spec, counted in zip(
            _specs(table),
            ((AssetCheckSeverity.ERROR, _invalid(table)), (AssetCheckSeverity.WARN, _implausible(table))),
            strict=False,
        )
        if spec.key in selected and spec.name != "adds_up"
    }
    problems = [problem for _, measures in checks.values() for problem in measures]
    if not problems:
        return
    aggregates = problem_counts(table)
    aliases = {problem: f"m{index}" for index, problem in enumerate(problems)}
    counts = warehouse.measure(table, years, {alias: aggregates[problem] for problem, alias in aliases.items()})
    for key, (severity, measures) in checks.items():
        findings = Findings()
        for year in years:
            wrong = {problem: n for problem in measures if (n := counts[year][aliases[problem]])}
            findings.by_year[year] = wrong or "all rows are good"
            findings.problems.extend(f"{year}: {problem} in {n:,} rows" for problem, n in wrong.items())
        yield findings.result(severity, key)


def _adds_up_result(
    table: Table, years: Sequence[int], warehouse: Warehouse, selected: Collection[AssetCheckKey]
) -> Iterator[AssetCheckResult]:
    key = AssetCheckKey(AssetKey(table.name), "adds_up")
    if not table.adds_up or key not in selected:
        return
    upstream = table.upstream[0]
    years = [year for year in years if year in warehouse.stored(upstream)]
    own = warehouse.measure(table, years, {"n": f"COALESCE({table.adds_up.total}, 0)"})
    above = warehouse.measure(upstream, years, {"n": table.adds_up.upstream})
    findings = Findings()
    for year in years:
        numbers = {table.name: int(own[year]["n"]), upstream.name: int(above[year]["n"])}
        findings.must_be_equal(year, table.name, upstream.name, numbers)
    yield findings.result(check=key)


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
    return {
        f"{column.name} is not between {column.between[0]:g} and {column.between[1]:g}": _outside(column)
        for column in table.columns
        if column.between
    }


def _outside(column: Column) -> str:
    assert column.between
    low, high = column.between
    above = "" if high == float("inf") else f" OR {column.name} > {high:f}"
    return f"COUNTIF({column.name} < {low:f}{above})"
