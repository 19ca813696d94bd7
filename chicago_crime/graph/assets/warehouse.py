"""Warehouse: the raw table, and the typed table beside its rejects and what changed in it.

What changed is told by comparing the raw rows of a year with the typed ones, before they take their place. So no other
run of that year may change either meanwhile: both assets hold the year's lock.
"""

from collections.abc import Iterator

from dagster import AssetExecutionContext, MaterializeResult, ResourceParam, multi_asset

from chicago_crime.graph.assets.by_year import Metadata, as_metadata, each_year, is_chosen, run_years
from chicago_crime.graph.assets.describe import asset_spec
from chicago_crime.graph.assets.lake import rows_key
from chicago_crime.graph.assets.sql_table import stored_metadata
from chicago_crime.graph.partitions import one_run_for_all_years
from chicago_crime.storage.leases import YearLocks
from chicago_crime.storage.object_store import ObjectStore
from chicago_crime.storage.warehouse import Warehouse
from chicago_crime.tables import CRIMES, RAW_CRIMES, REJECTED_CRIMES, REVISIONS


@multi_asset(
    name=RAW_CRIMES.name,
    specs=[asset_spec(RAW_CRIMES, group="warehouse", deps=["crime_object"])],
    backfill_policy=one_run_for_all_years,
)
def raw_crimes(
    context: AssetExecutionContext,
    object_store: ResourceParam[ObjectStore],
    warehouse: ResourceParam[Warehouse],
    year_locks: ResourceParam[YearLocks],
) -> None:
    """Load each year's object as it is, every column a string."""

    def load(year: int) -> Metadata:
        with year_locks.alone([year], lambda _: _waits(context, year)):
            return stored_metadata(warehouse.load_csv(RAW_CRIMES, year, object_store.location(rows_key(year))))

    each_year(context, RAW_CRIMES.name, load)


@multi_asset(
    specs=[
        asset_spec(table, group="warehouse", deps=[RAW_CRIMES.name], skippable=True)
        for table in (CRIMES, REJECTED_CRIMES, REVISIONS)
    ],
    can_subset=True,
    backfill_policy=one_run_for_all_years,
)
def type_crimes(
    context: AssetExecutionContext, warehouse: ResourceParam[Warehouse], year_locks: ResourceParam[YearLocks]
) -> Iterator[MaterializeResult]:
    """Type the raw rows, note what changed, and set aside the rows that cannot be typed, each with its reason."""
    with year_locks.alone(run_years(context), lambda year: _waits(context, year)):
        yield from _typed(context, warehouse)


def _waits(context: AssetExecutionContext, year: int) -> None:
    context.log.info(f"Another run is about to replace the crimes of {year}: this one goes on when it has.")


def _typed(context: AssetExecutionContext, warehouse: Warehouse) -> Iterator[MaterializeResult]:
    noted: dict[int, Metadata] = {}
    comparable = _comparable(warehouse, run_years(context))

    def accept(year: int) -> Metadata:
        noted[year] = revise(year)  # chosen or not: once crimes is replaced, nobody can tell any more
        return stored_metadata(warehouse.replace_year(CRIMES, year))

    def revise(year: int) -> Metadata:
        if year not in comparable:
            return stored_metadata(warehouse.clear_year(REVISIONS, year)) | {"revisions_by_kind": as_metadata({})}
        stored = warehouse.replace_year(REVISIONS, year)
        counts = warehouse.count_by(REVISIONS, [year], "kind")[year]
        return stored_metadata(stored) | {"revisions_by_kind": as_metadata(counts)}

    def reject(year: int) -> Metadata:
        if year in fully_typed:  # most years: reading every row once more would find nothing
            stored = warehouse.clear_year(REJECTED_CRIMES, year)
        else:
            stored = warehouse.replace_year(REJECTED_CRIMES, year)
        counts = warehouse.count_by(REJECTED_CRIMES, [year], "reason")[year]
        return stored_metadata(stored) | {"rejected_rows_by_reason": as_metadata(counts)}

    if is_chosen(context, CRIMES.name):
        each_year(context, CRIMES.name, accept)
        yield MaterializeResult(asset_key=CRIMES.name)
    if is_chosen(context, REVISIONS.name):
        each_year(context, REVISIONS.name, lambda year: noted.get(year) or revise(year))
        yield MaterializeResult(asset_key=REVISIONS.name)
    if is_chosen(context, REJECTED_CRIMES.name):
        fully_typed = _fully_typed(warehouse)
        each_year(context, REJECTED_CRIMES.name, reject)
        yield MaterializeResult(asset_key=REJECTED_CRIMES.name)


def _comparable(warehouse: Warehouse, years: list[int]) -> set[int]:
    """Those years of which `crimes` holds rows to compare with; `revisions` then has the year, to go on from."""
    stored, noted = warehouse.stored(CRIMES), warehouse.stored(REVISIONS)
    old = {table: warehouse.outdated(table) if stored else [] for table in (CRIMES, REVISIONS)}
    found = {year for year in years if year in stored and stored[year].rows and year not in old[CRIMES]}
    for year in found:
        if year not in noted or year in old[REVISIONS]:
            warehouse.clear_year(REVISIONS, year)
    return found


def _fully_typed(warehouse: Warehouse) -> set[int]:
    """The years of which `crimes` was made of the raw rows as they now are, and took all of them."""
    raw, typed = warehouse.stored(RAW_CRIMES), warehouse.stored(CRIMES)
    return {
        year
        for year in raw.keys() & typed.keys()
        if typed[year].rows == raw[year].rows and typed[year].replaced_at > raw[year].replaced_at
    }
