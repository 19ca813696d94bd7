"""The whole platform on one page: what Dagster loads."""

from dagster import Definitions, definitions, in_process_executor, load_assets_from_modules

from chicago_crime.assets import dashboard, lake, marts, source, spark, warehouse
from chicago_crime.checks import all_checks
from chicago_crime.jobs import everything, refresh_newest_years
from chicago_crime.resources import build_resources
from chicago_crime.sensors import watch
from chicago_crime.settings import Settings, load_settings


def build_definitions(settings: Settings) -> Definitions:
    """The graph, with the resources that the settings choose."""
    resources = build_resources(settings)
    reports = [dashboard] if "looker_studio" in resources else []
    return Definitions(
        assets=load_assets_from_modules([source, lake, warehouse, spark, marts, *reports]),
        asset_checks=all_checks(),
        jobs=[everything],
        schedules=[refresh_newest_years],
        sensors=[watch(resources["source"])],
        resources=resources,
        executor=in_process_executor,  # a step starts in no time, and all years share one Spark
    )


@definitions
def defs() -> Definitions:
    """What the workspace loads: the graph of this environment."""
    return build_definitions(load_settings())
