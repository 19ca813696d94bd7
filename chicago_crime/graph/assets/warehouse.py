"""The tables that the warehouse computes: the raw table, the typed one with rejects and revisions, and the marts.

Revisions compare a year's raw rows with its published crimes, before `crimes` is replaced.
"""

from collections.abc import Iterator, Mapping

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    multi_asset,
)

from chicago_crime.graph.assets.by_year import Metadata, each_year, stored_metadata
from chicago_crime.graph.assets.describe import asset_spec
from chicago_crime.graph.partitions import one_run_for_all_years
from chicago_crime.graph.run_state import RunState
from chicago_crime.published.catalog import DamagedError, PublishedYear
from chicago_crime.published.reader import columns_digest
from chicago_crime.storage.object_store import ObjectStore, ObjectStoreError, lake_record, rows_key
from chicago_crime.storage.warehouse import TableYear, Warehouse, is_computed_from
from chicago_crime.tables import CRIMES, RAW_CRIMES, REJECTED_CRIMES, REVISIONS, TABLES, Table

TYPED_TOGETHER = (CRIMES, REJECTED_CRIMES, REVISIONS)


@multi_asset(
    name=RAW_CRIMES.name,
    specs=[asset_spec(RAW_CRIMES, ("crime_object",))],
    backfill_policy=one_run_for_all_years,
)
def raw_crimes(
    context: AssetExecutionContext,
    object_store: ResourceParam[ObjectStore],
    warehouse: ResourceParam[Warehouse],
    run_state: ResourceParam[RunState],
) -> MaterializeResult:
    """Load each year's object unchanged, with all columns as strings."""

    def load(year: int) -> Metadata:
        record = lake_record(object_store, year)
        if record is None:
            raise ObjectStoreError(
                f"{rows_key(year)} is incomplete. Write it again: `chicago-crime run --years {year} "
                "--assets key:crime_object+`"
            )
        rows = object_store.location(rows_key(year))
        stored = warehouse.load_csv(RAW_CRIMES, year, rows, record.sha256)
        return stored_metadata(warehouse, RAW_CRIMES, year, stored)

    return each_year(context, run_state, RAW_CRIMES.name, load)


@multi_asset(
    specs=[asset_spec(table) for table in TYPED_TOGETHER],
    backfill_policy=one_run_for_all_years,
)
def type_crimes(
    context: AssetExecutionContext,
    warehouse: ResourceParam[Warehouse],
    object_store: ResourceParam[ObjectStore],
    run_state: ResourceParam[RunState],
) -> Iterator[MaterializeResult]:
    """Type the raw rows, record revisions, and store rejected rows with their reasons."""
    stored = {table: warehouse.stored(table) for table in (RAW_CRIMES, CRIMES, REVISIONS)}
    revised: dict[int, Metadata] = {}

    def accept(year: int) -> Metadata:
        revised[year] = revise(year)  # first, because replacing crimes discards the old values
        return stored_metadata(warehouse, CRIMES, year, warehouse.replace_year(CRIMES, year))

    def revise(year: int) -> Metadata:
        held = {table: years.get(year) for table, years in stored.items()}
        try:
            is_comparable = _restore_published(warehouse, object_store, year, run_state.before.get(year), held)
        except DamagedError as error:  # any other error may pass, and must not erase the revisions
            context.log.warning(f"The revisions of {year} start over: the published year cannot be read: {error}")
            is_comparable = False
        make = warehouse.replace_year if is_comparable else warehouse.clear_year
        return _with_counts(warehouse, REVISIONS, year, make(REVISIONS, year), "kind")

    def reject(year: int) -> Metadata:
        raw, typed = stored[RAW_CRIMES].get(year), warehouse.stored(CRIMES).get(year)
        if raw and typed and typed.rows == raw.rows and is_computed_from(typed, [raw]):
            rejected = warehouse.clear_year(REJECTED_CRIMES, year)  # no rejects, as in most years: skip the query
        else:
            rejected = warehouse.replace_year(REJECTED_CRIMES, year)
        return _with_counts(warehouse, REJECTED_CRIMES, year, rejected, "reason")

    for table, make in ((CRIMES, accept), (REVISIONS, revised.__getitem__), (REJECTED_CRIMES, reject)):
        yield each_year(context, run_state, table.name, make)


def _with_counts(warehouse: Warehouse, table: Table, year: int, stored: TableYear, column: str) -> Metadata:
    """Return the metadata of a new year, with its rows by a column, such as `rejected_rows_by_reason`."""
    counts = warehouse.count_by(table, [year], column)[year] if stored.rows else {}
    name = "revisions" if table == REVISIONS else "rejected_rows"
    return stored_metadata(warehouse, table, year, stored) | {f"{name}_by_{column}": MetadataValue.json(counts)}


def _restore_published(
    warehouse: Warehouse,
    object_store: ObjectStore,
    year: int,
    published: PublishedYear | None,
    held: Mapping[Table, TableYear | None],
) -> bool:
    """Restore the published `crimes` and `revisions` of a year. Return False if there is nothing to compare with."""
    if published is None:
        return False
    there = [(table, published.tables[table.name]) for table in (CRIMES, REVISIONS)]
    if any(one.columns != columns_digest(table) for table, one in there):
        raise DamagedError("it has columns of another version")
    for table, one in there:
        working = held[table]
        if working is None or working.lineage != one.lineage or warehouse.damage(table.name, year):
            if not object_store.is_intact(one.key, one.bytes, one.sha256):
                raise DamagedError(f"{one.key} is damaged")
            warehouse.load_parquet(table, year, object_store.location(one.key), one.lineage)
    return published.tables[CRIMES.name].rows > 0


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
