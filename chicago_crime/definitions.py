"""The whole platform on one page: what Dagster loads."""

from functools import partial

from dagster import (
    AssetsDefinition,
    Definitions,
    InitResourceContext,
    ResourceDefinition,
    definitions,
    in_process_executor,
    load_assets_from_modules,
    map_asset_specs,
)

from chicago_crime.graph.alerts import alerts
from chicago_crime.graph.assets import boundaries, dashboard, lake, published, source, spark, sql_tables, warehouse
from chicago_crime.graph.assets.describe import as_installed, as_resource
from chicago_crime.graph.checks.assets import asset_checks
from chicago_crime.graph.checks.findings import Examined
from chicago_crime.graph.jobs import fetch_boundaries, load_and_publish, refresh_loaded_years, refresh_newest_years
from chicago_crime.graph.progress import Listener, ignore_progress
from chicago_crime.graph.sensors import watch
from chicago_crime.graph.years_of_run import years_of_run
from chicago_crime.installation import Installation
from chicago_crime.published.publisher import Publisher
from chicago_crime.serve.scheduled import report_sensors, site_assets
from chicago_crime.settings import load_settings
from chicago_crime.storage.warehouse import Warehouse


def build_definitions(installation: Installation, listener: Listener = ignore_progress) -> Definitions:
    """The graph over the parts of one installation.

    Args:
        installation: what the assets and checks work with.
        listener: is called with the progress of a run in this process.
    """
    reports = [dashboard] if installation.is_on_google else []
    modules = [boundaries, source, lake, warehouse, spark, sql_tables, published, *reports]
    assets = [one for one in load_assets_from_modules(modules) if isinstance(one, AssetsDefinition)]
    engine = "bigquery" if installation.is_on_google else "duckdb"
    assets = [*map_asset_specs(partial(as_installed, engine=engine, fresh_for=installation.source.fresh_for), assets)]

    def warehouse_of_run(context: InitResourceContext) -> Warehouse:
        return installation.warehouse.for_run(context.run.run_id) if context.run else installation.warehouse

    def examined(context: InitResourceContext) -> Examined:
        return Examined(
            warehouse_of_run(context),
            installation.source_files,
            installation.object_store,
            installation.published_years,
        )

    def publisher(context: InitResourceContext) -> Publisher:
        return installation.publisher(warehouse_of_run(context))

    return Definitions(
        assets=[*assets, *site_assets(installation)],
        asset_checks=asset_checks(assets),
        jobs=[load_and_publish, fetch_boundaries],
        schedules=[refresh_loaded_years if installation.source.fresh_for else refresh_newest_years],
        sensors=[watch(installation.source), *alerts(installation), *report_sensors(installation)],
        resources={
            **{name: as_resource(part) for name, part in installation.resources().items()},
            "warehouse": ResourceDefinition(warehouse_of_run, description="The tables that a run works on."),
            "examined": ResourceDefinition(examined, description="What asset checks look at."),
            "publisher": ResourceDefinition(publisher, description="Adds years to the published snapshot."),
            "of_run": years_of_run(installation, listener),
        },
        executor=in_process_executor,  # steps start at once, and all years share one Spark
    )


@definitions
def defs() -> Definitions:
    """What the workspace loads: the graph of this environment."""
    return build_definitions(Installation(load_settings()))
