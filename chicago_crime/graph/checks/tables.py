"""The checks that every table has: it holds to its schema, and what it counts adds up to the rows that it counts.

One step makes the checks of all tables that are made together: on a laptop a step takes longer than most checks do.
Checks that look across layers or years are in `checks.py`.
"""

from collections.abc import Collection, Iterator, Sequence

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    ResourceParam,
    multi_asset_check,
)

from chicago_crime.graph.checks.findings import Findings, years_of
from chicago_crime.graph.checks.schema import schema_results, schema_specs
from chicago_crime.storage.warehouse import Warehouse
from chicago_crime.tables import (
    AREA_RATES,
    CRIME_TYPE_COUNT,
    CRIMES,
    CRIMES_BY_CELL,
    CRIMES_DAILY,
    CRIMES_HOURLY,
    CRIMES_MONTHLY,
    ENRICHED_CRIMES,
    HOT_SPOTS,
    REJECTED_CRIMES,
    REVISIONS,
    Table,
)

ADDS_UP: dict[str, tuple[str, str]] = {
    "crime_type_count": ("SUM(crimes)", "COUNT(*)"),
    "crimes_daily": ("SUM(crimes)", "COUNT(*)"),
    "crimes_monthly": ("SUM(crimes)", "COUNT(*)"),
    "crimes_hourly": ("SUM(crimes) + SUM(time_placeholders)", "COUNT(*)"),
    "crimes_by_cell": ("SUM(crimes)", "COUNT(*)"),
    "hot_spots": ("SUM(IF(offense_class = 'all', crimes, 0))", "COUNTIF(cell_x IS NOT NULL AND cell_y IS NOT NULL)"),
    "area_rates": ("SUM(IF(offense_class = 'all', crimes, 0))", "COUNTIF(community_area BETWEEN 1 AND 77)"),
}
"""By summary table, the sum of its counts, and what it must equal in enriched_crimes."""

MADE_TOGETHER = (
    (CRIMES, REJECTED_CRIMES, REVISIONS),
    (ENRICHED_CRIMES, CRIME_TYPE_COUNT, CRIMES_DAILY, HOT_SPOTS),
    (CRIMES_MONTHLY,),
    (CRIMES_HOURLY,),
    (CRIMES_BY_CELL,),
    (AREA_RATES,),
)
"""The tables, by the step that makes them. (The raw table promises nothing but its columns.)"""


def all_table_checks() -> list[AssetChecksDefinition]:
    """The checks that every table has."""
    return [_checks_of(tables) for tables in MADE_TOGETHER]


def _checks_of(tables: Sequence[Table]) -> AssetChecksDefinition:
    specs = [spec for table in tables for spec in (*schema_specs(table), *_adds_up_specs(table))]

    @multi_asset_check(specs=specs, name=f"{tables[0].name}_table_checks", can_subset=True)
    def check(context: AssetCheckExecutionContext, warehouse: ResourceParam[Warehouse]) -> Iterator[AssetCheckResult]:
        chosen = context.selected_asset_check_keys
        for table in tables:
            years = years_of(context, warehouse, table)
            yield from schema_results(table, years, warehouse, chosen)
            yield from _adds_up(table, years, warehouse, chosen)

    return check


def _adds_up_specs(table: Table) -> list[AssetCheckSpec]:
    if table.name not in ADDS_UP:
        return []
    what = "The counts add up to the rows of enriched_crimes that they count."
    return [AssetCheckSpec("adds_up", asset=table.name, blocking=True, description=what)]


def _adds_up(
    table: Table, years: Sequence[int], warehouse: Warehouse, chosen: Collection[AssetCheckKey]
) -> Iterator[AssetCheckResult]:
    for spec in _adds_up_specs(table):
        if spec.key not in chosen:
            continue
        findings, enriched = Findings(), warehouse.stored(ENRICHED_CRIMES)
        years = [year for year in years if year in enriched]
        own, of_enriched = ADDS_UP[table.name]
        summed = warehouse.measure(table, years, {"n": f"COALESCE({own}, 0)"})
        counted = warehouse.measure(ENRICHED_CRIMES, years, {"n": of_enriched})
        for year in years:
            numbers = {table.name: int(summed[year]["n"]), "enriched_crimes": int(counted[year]["n"])}
            findings.must_be_equal(year, table.name, "enriched_crimes", numbers)
        yield findings.result(check=spec.key)
