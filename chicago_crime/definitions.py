"""The platform's Dagster definitions."""

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
from chicago_crime.graph.assets import boundaries, dashboard, lake, published, source, spark, warehouse
from chicago_crime.graph.assets.describe import as_installed, as_resource
from chicago_crime.graph.checks.assets import asset_checks
from chicago_crime.graph.checks.findings import CheckInputs
from chicago_crime.graph.jobs import fetch_boundaries, load_and_publish, refresh_loaded_years
from chicago_crime.graph.progress import Listener, ignore_progress
from chicago_crime.graph.run_state import run_state_resource
from chicago_crime.graph.sensors import new_source_files
from chicago_crime.installation import Installation
from chicago_crime.published.publisher import Publisher
from chicago_crime.serve.scheduled import report_sensors, site_assets
from chicago_crime.settings import load_settings
from chicago_crime.storage.warehouse import Warehouse


def build_definitions(installation: Installation, listener: Listener = ignore_progress) -> Definitions:
    """Build the graph of an installation.

    Args:
        installation: provides the resources of assets and checks.
        listener: called with the progress of runs in this process.
    """
    reports = [dashboard] if installation.is_on_google else []
    inbox = [new_source_files] if installation.source.is_inbox else []
    modules = [boundaries, source, lake, warehouse, spark, published, *reports]
    assets = [one for one in load_assets_from_modules(modules) if isinstance(one, AssetsDefinition)]
    engine = "bigquery" if installation.is_on_google else "duckdb"
    assets = [*map_asset_specs(partial(as_installed, engine=engine, fresh_for=installation.source.fresh_for), assets)]

    def run_warehouse(context: InitResourceContext) -> Warehouse:
        return installation.warehouse.for_run(context.run.run_id) if context.run else installation.warehouse

    def check_inputs(context: InitResourceContext) -> CheckInputs:
        return CheckInputs(
            run_warehouse(context),
            installation.source_files,
            installation.object_store,
            installation.published_years,
        )

    def publisher(context: InitResourceContext) -> Publisher:
        return installation.publisher(run_warehouse(context))

    return Definitions(
        assets=[*assets, *site_assets(installation)],
        asset_checks=asset_checks(assets),
        jobs=[load_and_publish, fetch_boundaries],
        schedules=[refresh_loaded_years] if installation.source.fresh_for else [],
        sensors=[*inbox, *alerts(installation), *report_sensors(installation)],
        resources={
            **{name: as_resource(part) for name, part in installation.resources().items()},
            "warehouse": ResourceDefinition(run_warehouse, description="The warehouse, with the tables of the run."),
            "check_inputs": ResourceDefinition(check_inputs, description="The data that asset checks examine."),
            "publisher": ResourceDefinition(publisher, description="Adds years to the published snapshot."),
            "run_state": run_state_resource(installation, listener),
        },
        executor=in_process_executor,  # steps start without delay, and all years share one Spark session
    )


@definitions
def defs() -> Definitions:
    """The definitions for the settings in the environment, loaded by the workspace."""
    return build_definitions(Installation(load_settings()))
