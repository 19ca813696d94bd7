"""An asset for any table that a file in `sql/` computes."""

from dagster import AssetExecutionContext, AssetsDefinition, ResourceParam, multi_asset

from chicago_crime import reference, sql
from chicago_crime.graph.assets.by_year import Metadata, each_year
from chicago_crime.graph.assets.describe import asset_spec
from chicago_crime.graph.partitions import one_run_for_all_years
from chicago_crime.storage.warehouse import TableYear, Warehouse
from chicago_crime.tables import Table


def sql_table(table: Table, group: str) -> AssetsDefinition:
    """The asset that computes a table, year by year, from the tables that its SQL reads.

    Args:
        table: which table.
        group: the asset's group.
    """
    reads = [name for name in sql.tables_read(f"tables/{table.name}") if name not in reference.TABLES]

    @multi_asset(
        name=table.name,
        specs=[asset_spec(table, group=group, deps=reads)],
        backfill_policy=one_run_for_all_years,
    )
    def compute(context: AssetExecutionContext, warehouse: ResourceParam[Warehouse]) -> None:
        def replace(year: int) -> Metadata:
            return stored_metadata(warehouse.replace_year(table, year))

        each_year(context, table.name, replace)

    return compute


def stored_metadata(stored: TableYear) -> Metadata:
    """What every table tells about a year."""
    return {"partition_row_count": stored.rows, "bytes": stored.bytes, **stored.details}
