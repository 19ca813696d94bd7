"""The whole platform on one page: what Dagster loads."""

from dagster import Definitions, definitions, in_process_executor, load_assets_from_modules

from chicago_crime.graph import progress
from chicago_crime.graph.assets import dashboard, lake, marts, source, spark, warehouse
from chicago_crime.graph.checks.layers import all_checks
from chicago_crime.graph.jobs import everything, refresh_newest_years
from chicago_crime.graph.progress import Listener, ignore_progress
from chicago_crime.graph.sensors import watch
from chicago_crime.installation import Installation
from chicago_crime.settings import load_settings


def build_definitions(installation: Installation, listener: Listener = ignore_progress) -> Definitions:
    """The graph over the parts of one installation."""
    progress._listeners[:] = [listener]
    reports = [dashboard] if installation.looker_studio else []
    return Definitions(
        assets=load_assets_from_modules([source, lake, warehouse, spark, marts, *reports]),
        asset_checks=all_checks(),
        jobs=[everything],
        schedules=[refresh_newest_years],
        sensors=[watch(installation.source)],
        resources=installation.resources(),
        executor=in_process_executor,  # a step starts in no time, and all years share one Spark
    )


@definitions
def defs() -> Definitions:
    """What the workspace loads: the graph of this environment."""
    return build_definitions(Installation(load_settings()))
