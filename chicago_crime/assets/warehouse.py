"""Warehouse: the raw table, and the typed table beside its rejects."""

from collections.abc import Iterator

from dagster import AssetExecutionContext, MaterializeResult, ResourceParam, multi_asset

from chicago_crime.assets.by_year import Metadata, as_metadata, each_year, is_chosen
from chicago_crime.assets.describe import asset_spec
from chicago_crime.assets.lake import rows_key
from chicago_crime.assets.sql_table import stored_metadata
from chicago_crime.resources.object_store import ObjectStore
from chicago_crime.resources.warehouse import Warehouse
from chicago_crime.tables import CRIMES, RAW_CRIMES, REJECTED_CRIMES
from chicago_crime.years import one_run_for_all_years


@multi_asset(
    name=RAW_CRIMES.name,
    specs=[asset_spec(RAW_CRIMES, group="warehouse", deps=["crime_object"])],
    backfill_policy=one_run_for_all_years,
)
def raw_crimes(
    context: AssetExecutionContext, object_store: ResourceParam[ObjectStore], warehouse: ResourceParam[Warehouse]
) -> None:
    """Load each year's object as it is, every column a string."""

    def load(year: int) -> Metadata:
        return stored_metadata(warehouse.load_csv(RAW_CRIMES, year, object_store.location(rows_key(year))))

    each_year(context, RAW_CRIMES.name, load)


@multi_asset(
    specs=[
        asset_spec(table, group="warehouse", deps=[RAW_CRIMES.name], skippable=True)
        for table in (CRIMES, REJECTED_CRIMES)
    ],
    can_subset=True,
    backfill_policy=one_run_for_all_years,
)
def type_crimes(context: AssetExecutionContext, warehouse: ResourceParam[Warehouse]) -> Iterator[MaterializeResult]:
    """Type the raw rows, then set aside those that cannot be, each with its reason."""

    def accept(year: int) -> Metadata:
        return stored_metadata(warehouse.replace_year(CRIMES, year))

    def reject(year: int) -> Metadata:
        if year in fully_typed:  # most years: reading every row once more would find nothing
            stored = warehouse.clear_year(REJECTED_CRIMES, year)
        else:
            stored = warehouse.replace_year(REJECTED_CRIMES, year)
        counts = warehouse.count_by(REJECTED_CRIMES, year, "reason")
        return stored_metadata(stored) | {"rejected_rows_by_reason": as_metadata(counts)}

    if is_chosen(context, CRIMES.name):
        each_year(context, CRIMES.name, accept)
        yield MaterializeResult(asset_key=CRIMES.name)
    if is_chosen(context, REJECTED_CRIMES.name):
        fully_typed = _fully_typed(warehouse)
        each_year(context, REJECTED_CRIMES.name, reject)
        yield MaterializeResult(asset_key=REJECTED_CRIMES.name)


def _fully_typed(warehouse: Warehouse) -> set[int]:
    """The years of which `crimes` was made of the raw rows as they now are, and took all of them."""
    raw, typed = warehouse.stored(RAW_CRIMES), warehouse.stored(CRIMES)
    return {
        year
        for year in raw.keys() & typed.keys()
        if typed[year].rows == raw[year].rows and typed[year].replaced_at > raw[year].replaced_at
    }
