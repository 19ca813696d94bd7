"""Warehouse: the raw table, and the typed table beside its rejects."""

from dagster import AssetExecutionContext, ResourceParam, multi_asset

from chicago_crime.assets.by_year import Metadata, as_metadata, each_year
from chicago_crime.assets.describe import asset_spec
from chicago_crime.assets.lake import rows_key
from chicago_crime.assets.sql_table import sql_table, stored_metadata
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


crimes = sql_table(CRIMES, group="warehouse")


def _rejects_by_reason(warehouse: Warehouse, year: int) -> Metadata:
    counts = warehouse.count_by(REJECTED_CRIMES, year, "reason")
    return {"rejected_rows_by_reason": as_metadata(counts)}


rejected_crimes = sql_table(REJECTED_CRIMES, group="warehouse", more_metadata=_rejects_by_reason)
