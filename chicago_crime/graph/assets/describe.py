"""How a table is shown in Dagster: its asset spec, derived from `tables/` and `lineage.py`."""

from collections.abc import Sequence

from dagster import (
    AssetDep,
    AssetSpec,
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableSchema,
)

from chicago_crime.graph.partitions import yearly
from chicago_crime.tables import Table
from chicago_crime.tables.columns import Column
from chicago_crime.tables.lineage import upstream_columns

OWNERS = ["team:data-platform"]


def asset_spec(table: Table, group: str, deps: Sequence[str], kind: str = "sql", skippable: bool = False) -> AssetSpec:
    """The spec of the asset that is this table.

    Args:
        table: which.
        group: the asset's group.
        deps: names of the assets that it is made of.
        kind: what makes it, sql or spark.
        skippable: whether a run may choose it without its siblings.
    """
    return AssetSpec(
        table.name,
        deps=[AssetDep(name) for name in deps],
        description=f"{table.description}\n\nOne row: {table.grain}.",
        group_name=group,
        kinds={"table", kind},
        owners=OWNERS,
        partitions_def=yearly,
        skippable=skippable,
        metadata={
            "dagster/table_name": table.name,
            "dagster/column_schema": TableSchema([_column(column) for column in table.columns]),
            "dagster/column_lineage": TableColumnLineage(
                {
                    column: [TableColumnDep(asset, name) for asset, name in deps_of]
                    for column, deps_of in upstream_columns(table).items()
                }
            ),
        },
    )


def _column(column: Column) -> TableColumn:
    other = [f"between {column.between[0]:g} and {column.between[1]:g}"] if column.between else []
    return TableColumn(
        column.name,
        column.type,
        column.description,
        TableColumnConstraints(nullable=column.nullable, other=other),
    )
