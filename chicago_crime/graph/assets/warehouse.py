"""The raw table, and made of it the typed table, its rejects and the revisions.

Revisions compare the raw rows of a year with the typed ones before these are replaced. No other run may change either
meanwhile, so both assets hold the year's lock.
"""

from collections.abc import Iterator

from dagster import AssetExecutionContext, MaterializeResult, MetadataValue, ResourceParam, multi_asset

from chicago_crime.graph.assets.by_year import Metadata, each_year, is_selected, run_years, stored_metadata
from chicago_crime.graph.assets.describe import asset_spec
from chicago_crime.graph.assets.lake import rows_key
from chicago_crime.graph.partitions import one_run_for_all_years
from chicago_crime.graph.progress import Listener
from chicago_crime.storage.leases import YearLocks
from chicago_crime.storage.object_store import ObjectStore
from chicago_crime.storage.spark import SparkRunner
from chicago_crime.storage.warehouse import Warehouse
from chicago_crime.tables import CRIMES, RAW_CRIMES, REJECTED_CRIMES, REVISIONS

TYPED_TOGETHER = (CRIMES, REJECTED_CRIMES, REVISIONS)


@multi_asset(
    name=RAW_CRIMES.name,
    specs=[asset_spec(RAW_CRIMES, deps=("crime_object",))],
    backfill_policy=one_run_for_all_years,
)
def raw_crimes(
    context: AssetExecutionContext,
    object_store: ResourceParam[ObjectStore],
    warehouse: ResourceParam[Warehouse],
    year_locks: ResourceParam[YearLocks],
    spark: ResourceParam[SparkRunner],
    listener: ResourceParam[Listener],
) -> None:
    """Load each year's object as it is, every column a string."""
    spark.prepare()  # its job follows, while most of the work until then is DuckDB's

    def load(year: int) -> Metadata:
        with year_locks.alone([year], lambda _: _log_waiting(context, year)):
            return stored_metadata(warehouse.load_csv(RAW_CRIMES, year, object_store.location(rows_key(year))))

    each_year(context, listener, RAW_CRIMES.name, load)


@multi_asset(
    specs=[asset_spec(table, can_be_skipped=True) for table in TYPED_TOGETHER],
    can_subset=True,
    backfill_policy=one_run_for_all_years,
)
def type_crimes(
    context: AssetExecutionContext,
    warehouse: ResourceParam[Warehouse],
    year_locks: ResourceParam[YearLocks],
    listener: ResourceParam[Listener],
) -> Iterator[MaterializeResult]:
    """Type the raw rows, record what changed, and set aside the rows that cannot be typed, each with its reason."""
    with year_locks.alone(run_years(context), lambda year: _log_waiting(context, year)):
        yield from _typed(context, warehouse, listener)


def _log_waiting(context: AssetExecutionContext, year: int) -> None:
    context.log.info(f"Waiting for another run that is replacing the crimes of {year}.")


def _typed(context: AssetExecutionContext, warehouse: Warehouse, listener: Listener) -> Iterator[MaterializeResult]:
    revised: dict[int, Metadata] = {}
    comparable = _comparable(warehouse, run_years(context))

    def accept(year: int) -> Metadata:
        revised[year] = revise(year)  # selected or not: once crimes is replaced, the old values are gone
        return stored_metadata(warehouse.replace_year(CRIMES, year))

    def revise(year: int) -> Metadata:
        if year not in comparable:
            return stored_metadata(warehouse.clear_year(REVISIONS, year)) | {
                "revisions_by_kind": MetadataValue.json({})
            }
        stored = warehouse.replace_year(REVISIONS, year)
        counts = warehouse.count_by(REVISIONS, [year], "kind")[year]
        return stored_metadata(stored) | {"revisions_by_kind": MetadataValue.json(counts)}

    def reject(year: int) -> Metadata:
        if year in fully_typed:  # most years, and quicker than to read every row once more
            stored = warehouse.clear_year(REJECTED_CRIMES, year)
        else:
            stored = warehouse.replace_year(REJECTED_CRIMES, year)
        counts = warehouse.count_by(REJECTED_CRIMES, [year], "reason")[year]
        return stored_metadata(stored) | {"rejected_rows_by_reason": MetadataValue.json(counts)}

    if is_selected(context, CRIMES.name):
        each_year(context, listener, CRIMES.name, accept)
        yield MaterializeResult(asset_key=CRIMES.name)
    if is_selected(context, REVISIONS.name):
        each_year(context, listener, REVISIONS.name, lambda year: revised.get(year) or revise(year))
        yield MaterializeResult(asset_key=REVISIONS.name)
    if is_selected(context, REJECTED_CRIMES.name):
        fully_typed = _fully_typed(warehouse)
        each_year(context, listener, REJECTED_CRIMES.name, reject)
        yield MaterializeResult(asset_key=REJECTED_CRIMES.name)


def _comparable(warehouse: Warehouse, years: list[int]) -> set[int]:
    """The years of which `crimes` holds rows to compare with. `revisions` then has the year, empty if it is new."""
    stored, revised = warehouse.stored(CRIMES), warehouse.stored(REVISIONS)
    old = {table: warehouse.outdated(table) if stored else [] for table in (CRIMES, REVISIONS)}
    found = {year for year in years if year in stored and stored[year].rows and year not in old[CRIMES]}
    for year in found:
        if year not in revised or year in old[REVISIONS]:
            warehouse.clear_year(REVISIONS, year)
    return found


def _fully_typed(warehouse: Warehouse) -> set[int]:
    """The years whose current raw rows are all in `crimes`."""
    raw, typed = warehouse.stored(RAW_CRIMES), warehouse.stored(CRIMES)
    return {
        year
        for year in raw.keys() & typed.keys()
        if typed[year].rows == raw[year].rows and typed[year].replaced_at > raw[year].replaced_at
    }
