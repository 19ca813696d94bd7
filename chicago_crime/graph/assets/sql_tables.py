"""The assets of tables computed by a statement in `sql/tables/`, one step each."""

from dagster import AssetExecutionContext, AssetsDefinition, MaterializeResult, ResourceParam, multi_asset

from chicago_crime.graph.assets.by_year import Metadata, each_year, stored_metadata
from chicago_crime.graph.assets.describe import asset_spec
from chicago_crime.graph.assets.warehouse import TYPED_TOGETHER
from chicago_crime.graph.partitions import one_run_for_all_years
from chicago_crime.graph.run_state import RunState
from chicago_crime.storage.warehouse import Warehouse
from chicago_crime.tables import TABLES, Table


def _sql_table(table: Table) -> AssetsDefinition:
    @multi_asset(name=table.name, specs=[asset_spec(table)], backfill_policy=one_run_for_all_years)
    def compute(
        context: AssetExecutionContext, warehouse: ResourceParam[Warehouse], run_state: ResourceParam[RunState]
    ) -> MaterializeResult:
        def replace(year: int) -> Metadata:
            return stored_metadata(warehouse, table, year, warehouse.replace_year(table, year))

        return each_year(context, run_state, table.name, replace)

    return compute


sql_tables = [_sql_table(table) for table in TABLES.values() if table.made_by == "sql" and table not in TYPED_TOGETHER]
