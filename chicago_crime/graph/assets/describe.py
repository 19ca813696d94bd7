"""The asset spec of a table, derived from its `Table`."""

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

OWNERS = ["team:data-platform"]
REFERENCE = "reference"
"""The group of assets that have no years."""


def asset_spec(table: Table, *, deps: tuple[str, ...] = (), can_be_skipped: bool = False) -> AssetSpec:
    """The spec of the asset that is this table.

    Args:
        table: which.
        deps: assets that it is made of and that are no tables.
        can_be_skipped: whether a run may select the other assets of its step without it.
    """
    lineage = {
        column: [TableColumnDep(asset, name) for asset, name in upstream]
        for column, upstream in table.upstream_columns().items()
    }
    return AssetSpec(
        table.name,
        deps=[AssetDep(name) for name in (*(above.name for above in table.upstream), *deps)],
        description=f"{table.description}\n\nOne row: {table.grain}.",
        group_name=table.group,
        kinds={"table", table.made_by},
        owners=OWNERS,
        partitions_def=yearly,
        skippable=can_be_skipped,
        metadata={
            "dagster/table_name": table.name,
            "dagster/column_schema": TableSchema([_column(column) for column in table.columns]),
            "dagster/column_lineage": TableColumnLineage(lineage),
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
