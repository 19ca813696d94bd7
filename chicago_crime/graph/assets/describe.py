"""Asset specs generated from table definitions, and Dagster resources from the parts of an installation."""

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
from chicago_crime.storage.lineage import code_version
from chicago_crime.tables import Table
from chicago_crime.tables.columns import Column

OWNERS = ["team:data-platform"]
REFERENCE = "reference"
"""The group of assets without partitions."""


def asset_spec(table: Table, deps: tuple[str, ...] = ()) -> AssetSpec:
    """Return the asset spec of a table; `deps` are its upstream assets that are not tables."""
    return AssetSpec(
        table.name,
        deps=[AssetDep(name) for name in (*(above.name for above in table.upstream), *deps)],
        description=f"{table.description}\n\nOne row per {table.grain}.",
        group_name="spark" if table.made_by == "spark" else table.group,
        kinds={"table", table.made_by},
        owners=OWNERS,
        partitions_def=yearly,
        automation_condition=follows_upstream,
        code_version=code_version(table),
        metadata={
            "dagster/table_name": table.name,
            "dagster/column_schema": TableSchema([_column(column) for column in table.columns]),
        },
    )


def as_installed(spec: AssetSpec, engine: str, fresh_for: timedelta | None) -> AssetSpec:
    """Add the installation's engine to the spec of a table, and a freshness policy to that of a partitioned asset."""
    if fresh_for and spec.partitions_def:
        spec = apply_freshness_policy(spec, FreshnessPolicy.time_window(fresh_for))
    return spec.merge_attributes(kinds={engine}) if "table" in spec.kinds else spec


def as_resource(part: object) -> ResourceDefinition:
    """Return an object as a resource, described by the first line of its docstring."""
    return ResourceDefinition.hardcoded_resource(part, str(getdoc(part)).partition("\n")[0])


def _column(column: Column) -> TableColumn:
    other = [column.valid_range] if column.valid_range else []
    return TableColumn(
        column.name, column.type, column.description, TableColumnConstraints(nullable=column.nullable, other=other)
    )
