"""The jobs, and the schedule that refreshes the newest years. The sensor for new files is in `sensors.py`."""

from datetime import datetime

from dagster import (
    AssetSelection,
    DefaultScheduleStatus,
    ResourceParam,
    RunRequest,
    ScheduleEvaluationContext,
    SkipReason,
    define_asset_job,
    schedule,
)

from chicago_crime.graph.assets.describe import REFERENCE
from chicago_crime.graph.dagster_internals import range_tags
from chicago_crime.sources.base import CrimeSource
from chicago_crime.tables.years import CURRENT_YEAR

everything = define_asset_job(
    "everything",
    AssetSelection.all() - AssetSelection.groups(REFERENCE),
    description="All assets by year, with their checks, for the years you choose.",
)
fetch_boundaries = define_asset_job(
    "fetch_boundaries",
    AssetSelection.assets("boundaries"),
    description="The City's official outlines. They change with a redistricting, every ten years or so.",
)


@schedule(
    job=everything,
    cron_schedule="0 6 * * 1",
    execution_timezone="America/Chicago",
    default_status=DefaultScheduleStatus.STOPPED,
)
def refresh_newest_years(
    context: ScheduleEvaluationContext, source: ResourceParam[CrimeSource]
) -> RunRequest | SkipReason:
    """Load the current and the previous year every Monday, if the source has them: their records still change."""
    at: datetime = context.scheduled_execution_time
    offered = set(source.years()) & {at.year - 1, at.year}
    if at.year in offered and at.year > CURRENT_YEAR:
        context.log.warning(
            f"{at.year} is skipped until the code location restarts: its partitions end with {CURRENT_YEAR}"
        )
    years = [year for year in offered if year <= CURRENT_YEAR]
    if not years:
        return SkipReason(f"the source {source.name} has neither {at.year - 1} nor {at.year}")
    return RunRequest(run_key=f"refresh-{at:%Y-%m-%d}", tags=range_tags(min(years), max(years)))
