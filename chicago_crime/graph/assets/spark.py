"""The tables that `spark_jobs/enrich_crimes.py` computes from the typed crimes, all years of a run in one job."""

import time
from collections.abc import Iterator
from functools import partial

from dagster import AssetExecutionContext, MaterializeResult, MetadataValue, ResourceParam, multi_asset

from chicago_crime.graph.assets.by_year import Metadata, each_year, run_years, stored_metadata
from chicago_crime.graph.assets.describe import asset_spec
from chicago_crime.graph.partitions import SPARK_POOL, one_run_for_all_years
from chicago_crime.graph.run_state import RunState
from chicago_crime.storage.spark import SparkRunner
from chicago_crime.storage.warehouse import TableYear, Warehouse
from chicago_crime.tables import CRIMES, TABLES

_MADE = {name: table for name, table in TABLES.items() if table.made_by == "spark"}


@multi_asset(
    specs=[asset_spec(table) for table in _MADE.values()],
    backfill_policy=one_run_for_all_years,
    pool=SPARK_POOL,
)
def enrich_crimes(
    context: AssetExecutionContext,
    spark: ResourceParam[SparkRunner],
    warehouse: ResourceParam[Warehouse],
    run_state: ResourceParam[RunState],
) -> Iterator[MaterializeResult]:
    """Run the Spark job on all years of the run, then load its tables by year."""
    years = run_years(context, run_state)
    if not years:
        yield from (each_year(context, run_state, name, lambda year: {}) for name in _MADE)
        return
    run_id = context.run.run_id
    with spark.workspace(run_id, context.log) as workspace:
        warehouse.export_parquet(CRIMES, years, workspace.input)
        began = time.monotonic()
        pages = spark.run(run_id, workspace, context.log)
        job = {"spark_engine": spark.engine, "job_seconds_all_years": round(time.monotonic() - began, 1)}
        job |= {name: MetadataValue.url(page) for name, page in pages.items()}
        loaded: dict[int, dict[str, TableYear]] = {}

        def load(year: int, name: str) -> Metadata:
            if year not in loaded:  # all tables of a year together, because BigQuery loads them in parallel
                made = {table: f"{workspace.output}/{table.name}/{year}" for table in _MADE.values()}
                loaded[year] = warehouse.load_parquets(made, year)
            return {**stored_metadata(warehouse, _MADE[name], year, loaded[year][name]), **job}

        for name in _MADE:
            yield each_year(context, run_state, name, partial(load, name=name))
