"""Checks that derive from `schema.py` and `tables/`: keys, columns that always have a value, values that can be true.

Nothing here knows a particular table. Which step of a run makes the checks is said in `table_checks.py`.
"""

from collections.abc import Collection, Iterator, Sequence

from dagster import AssetCheckKey, AssetCheckResult, AssetCheckSeverity, AssetCheckSpec

from chicago_crime.graph.checks.findings import Findings
from chicago_crime.storage.warehouse import Warehouse
from chicago_crime.tables import Table
from chicago_crime.tables.columns import Column


def schema_specs(table: Table) -> list[AssetCheckSpec]:
    """The specs of a table's checks.

    `holds_to_schema` (ERROR, blocks): the key is unique, no value is NULL that must not be, rows are of their year.
    `values_are_possible` (WARN): numbers lie where they can be true, e.g. coordinates in the city, or are NULL.
    """
    specs = [
        AssetCheckSpec(
            "holds_to_schema",
            asset=table.name,
            blocking=True,
            description=f"{', '.join(table.key) or 'Nothing'} is unique; no value is NULL that must not be; rows are "
            "of their year.",
        )
    ]
    if _should_hold(table):
        specs.append(
            AssetCheckSpec(
                "values_are_possible",
                asset=table.name,
                description="Numbers lie between the smallest and the largest that can be true, or are NULL.",
            )
        )
    return specs


def schema_results(
    table: Table, years: Sequence[int], warehouse: Warehouse, chosen: Collection[AssetCheckKey]
) -> Iterator[AssetCheckResult]:
    """The results of those of a table's checks that are chosen, from one look at it."""
    specs = schema_specs(table)
    if not any(spec.key in chosen for spec in specs):
        return
    texts = measures_of(table)
    aliases = {name: f"m{index}" for index, name in enumerate(texts)}
    counts = warehouse.measure(table, years, {aliases[name]: text for name, text in texts.items()})
    for spec, names, severity in zip(
        specs,
        (_must_hold(table), _should_hold(table)),
        (AssetCheckSeverity.ERROR, AssetCheckSeverity.WARN),
        strict=False,
    ):
        if spec.key not in chosen:
            continue
        findings = Findings()
        for year in years:
            wrong = {name: n for name in names if (n := counts[year][aliases[name]])}
            findings.by_year[year] = wrong or "all rows are good"
            findings.problems.extend(f"{year}: {name} in {n:,} rows" for name, n in wrong.items())
        yield findings.result(severity, spec.key)


def measures_of(table: Table) -> dict[str, str]:
    """What the checks of a table measure: problem -> the GoogleSQL aggregate that counts its rows."""
    return _must_hold(table) | _should_hold(table)


def _must_hold(table: Table) -> dict[str, str]:
    """Problem -> the GoogleSQL aggregate that counts its rows."""
    measures = {f"{c.name} is NULL": f"COUNTIF({c.name} IS NULL)" for c in table.columns if not c.nullable}
    if table.year_column:
        measures["of another year"] = f"COUNTIF({table.year_column} != @year)"
    if {"date", "year"} <= {column.name for column in table.columns} and table.year_column == "year":
        measures["date in another year"] = "COUNTIF(EXTRACT(YEAR FROM date) != @year)"
    if table.key:
        measures[f"repeated {', '.join(table.key)}"] = f"COUNT(*) - COUNT(DISTINCT {_as_one(table)})"
    return measures


def _should_hold(table: Table) -> dict[str, str]:
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


def _as_one(table: Table) -> str:
    if len(table.key) == 1:
        return table.key[0]
    return f"TO_JSON_STRING(STRUCT({', '.join(table.key)}))"
