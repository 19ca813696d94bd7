"""What Dagster shows of a table, derived from its `Table`, and of a part of the installation."""

from datetime import timedelta
from inspect import getdoc

from dagster import (
    AssetDep,
    AssetSpec,
    FreshnessPolicy,
    ResourceDefinition,
    TableColumn,
    TableColumnConstraints,
    TableSchema,
    apply_freshness_policy,
)

from chicago_crime.graph.partitions import follows_upstream, yearly
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
    return AssetSpec(
        table.name,
        deps=[AssetDep(name) for name in (*(above.name for above in table.upstream), *deps)],
        description=f"{table.description}\n\nOne row per {table.grain}.",
        group_name="spark" if table.made_by == "spark" else table.group,
        kinds={"table", table.made_by},
        owners=OWNERS,
        partitions_def=yearly,
        automation_condition=follows_upstream,
        skippable=can_be_skipped,
        metadata={
            "dagster/table_name": table.name,
            "dagster/column_schema": TableSchema([_column(column) for column in table.columns]),
        },
    )


def as_installed(spec: AssetSpec, engine: str, fresh_for: timedelta | None) -> AssetSpec:
    """An asset in an installation: a table shows its engine, and what has years shows how old it may become."""
    if fresh_for and spec.partitions_def:
        spec = apply_freshness_policy(spec, FreshnessPolicy.time_window(fresh_for))
    return spec.merge_attributes(kinds={engine}) if "table" in spec.kinds else spec


def as_resource(part: object) -> ResourceDefinition:
    """A part as a resource, with the first line of its documentation."""
    return ResourceDefinition.hardcoded_resource(part, str(getdoc(part)).partition("\n")[0])


def _column(column: Column) -> TableColumn:
    other = [column.valid_range] if column.valid_range else []
    return TableColumn(
        column.name,
        column.type,
        column.description,
        TableColumnConstraints(nullable=column.nullable, other=other),
    )
