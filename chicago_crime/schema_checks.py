"""Checks that derive from `schema.py` and `tables.py`: keys, columns that always have a value, values that can be true.

Nothing here knows a particular table.
"""

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    ResourceParam,
    asset_check,
)

from chicago_crime.check_tools import Findings, years_of
from chicago_crime.resources.warehouse import Warehouse
from chicago_crime.schema import Column
from chicago_crime.tables import Table


def holds_to_schema(table: Table) -> AssetChecksDefinition:
    """The check that a table's key is unique, its year is the partition's and no value is NULL that must not be."""
    measures = {f"{column.name} is NULL": _is_null(column) for column in table.columns if not column.nullable}
    if table.year_column:
        measures["of another year"] = f"COUNTIF({table.year_column} != @year)"
    if any(column.name == "date" for column in table.columns) and table.year_column == "year":
        measures["date in another year"] = "COUNTIF(EXTRACT(YEAR FROM date) != @year)"
    if table.key:
        measures[f"{', '.join(table.key)} repeats"] = f"COUNT(*) - COUNT(DISTINCT {_as_one(table)})"
    return _counting_check(
        table,
        "holds_to_schema",
        measures,
        AssetCheckSeverity.ERROR,
        f"{', '.join(table.key) or 'Nothing'} is unique; no value is NULL that must not be; rows are of their year.",
    )


def values_are_possible(table: Table) -> AssetChecksDefinition | None:
    """The check that numbers lie where they can be true, e.g. coordinates in the city or NULL. None without such."""
    measures = {
        f"{column.name} is not between {column.between[0]:g} and {column.between[1]:g}": _outside(column)
        for column in table.columns
        if column.between
    }
    if not measures:
        return None
    return _counting_check(
        table,
        "values_are_possible",
        measures,
        AssetCheckSeverity.WARN,
        "Numbers lie between the smallest and the largest that can be true (coordinates: in the city), or are NULL.",
    )


def _is_null(column: Column) -> str:
    return f"COUNTIF({column.name} IS NULL)"


def _outside(column: Column) -> str:
    assert column.between
    low, high = column.between
    above = "" if high == float("inf") else f" OR {column.name} > {high:g}"
    return f"COUNTIF({column.name} < {low:f}{above})"


def _as_one(table: Table) -> str:
    if len(table.key) == 1:
        return table.key[0]
    parts = ", '|', ".join(f"COALESCE(CAST({name} AS STRING), '')" for name in table.key)
    return f"CONCAT({parts})"


def _counting_check(
    table: Table, name: str, measures: dict[str, str], severity: AssetCheckSeverity, description: str
) -> AssetChecksDefinition:
    @asset_check(asset=table.name, name=name, blocking=severity is AssetCheckSeverity.ERROR, description=description)
    def check(context: AssetCheckExecutionContext, warehouse: ResourceParam[Warehouse]) -> AssetCheckResult:
        findings = Findings()
        aliases = {f"m{index}": text for index, text in enumerate(measures.values())}
        years = years_of(context, warehouse, table)
        for year, counts in warehouse.measure(table, years, aliases).items():
            wrong = {problem: n for problem, n in zip(measures, counts.values(), strict=True) if n}
            findings.by_year[year] = wrong or "all rows are good"
            findings.problems.extend(f"{year}: {problem} in {count:,} rows" for problem, count in wrong.items())
        return findings.result(severity)

    return check
