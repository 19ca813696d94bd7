"""Spark: what `spark_jobs/enrich_crimes.py` makes of the typed table, many years in one job."""

from collections.abc import Iterator
from functools import partial

from dagster import AssetExecutionContext, MaterializeResult, ResourceParam, multi_asset

from chicago_crime import reference
from chicago_crime.graph.assets.by_year import Metadata, each_year, is_chosen, run_years
from chicago_crime.graph.assets.describe import asset_spec
from chicago_crime.graph.assets.sql_table import stored_metadata
from chicago_crime.graph.partitions import one_run_for_all_years
from chicago_crime.storage.spark import SparkRunner
from chicago_crime.storage.warehouse import TableYear, Warehouse
from chicago_crime.tables import CRIME_TYPE_COUNT, CRIMES, CRIMES_DAILY, ENRICHED_CRIMES, HOT_SPOTS
from chicago_crime.tables.lineage import UPSTREAM

JOB = "enrich_crimes"
TABLES = {table.name: table for table in (ENRICHED_CRIMES, CRIME_TYPE_COUNT, CRIMES_DAILY, HOT_SPOTS)}


@multi_asset(
    specs=[
        asset_spec(
            table,
            group="marts" if table is HOT_SPOTS else "spark",
            deps=[UPSTREAM[name].name],
            kind="spark",
            skippable=True,
        )
        for name, table in TABLES.items()
    ],
    can_subset=True,
    backfill_policy=one_run_for_all_years,
)
def enrich_crimes(
    context: AssetExecutionContext, spark: ResourceParam[SparkRunner], warehouse: ResourceParam[Warehouse]
) -> Iterator[MaterializeResult]:
    """Run the job on all years of the run, then publish its tables year by year."""
    names = [name for name in TABLES if is_chosen(context, name)]
    years = run_years(context)
    with spark.workspace(context, JOB) as workspace:
        if not workspace.is_filled:
            warehouse.export_parquet(CRIMES, years, workspace.input)
        report = spark.run(
            context,
            JOB,
            crimes=workspace.input,
            community_areas=reference.file("community_areas"),
            fbi_codes=reference.file("fbi_codes"),
            output=workspace.output,
            tables=",".join(names),
        )
        loaded: dict[int, dict[str, TableYear]] = {}

        def publish(year: int, name: str) -> Metadata:
            if year not in loaded:  # all tables of a year at once: where the warehouse can, they change together
                made = {TABLES[of]: f"{workspace.output}/{of}/{year}" for of in names}
                loaded[year] = warehouse.load_parquets(made, year)
            job = {"spark_engine": spark.engine, "job_seconds_all_years": round(report.seconds, 1)}
            stored = stored_metadata(loaded[year][name])
            return {**stored, **job, **report.about, **report.told.get((name, year), {})}

        for name in names:
            each_year(context, name, partial(publish, name=name))
            yield MaterializeResult(asset_key=name)
