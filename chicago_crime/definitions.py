"""The whole platform on one page: what Dagster loads."""

from dagster import Definitions, in_process_executor, load_assets_from_modules

from chicago_crime import checks
from chicago_crime.assets import lake, marts, source, spark, warehouse
from chicago_crime.jobs import everything, refresh_newest_years
from chicago_crime.resources import build_resources
from chicago_crime.settings import load_settings

assets = load_assets_from_modules([source, lake, warehouse, spark, marts])

defs = Definitions(
    assets=assets,
    asset_checks=checks.all_checks(),
    jobs=[everything],
    schedules=[refresh_newest_years],
    resources=build_resources(load_settings()),
    executor=in_process_executor,  # a step starts in no time, and all years share one Spark
)
