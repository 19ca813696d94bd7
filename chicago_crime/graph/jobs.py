"""Named jobs and the schedule that keeps the newest years fresh. What looks out for new files is in `sensors.py`."""

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
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from chicago_crime.sources.base import CrimeSource
from chicago_crime.tables.years import CURRENT_YEAR

everything = define_asset_job(
    "everything", AssetSelection.all(), description="The whole graph, with its checks, for the years you choose."
)


def range_tags(first: int, last: int) -> dict[str, str]:
    """What makes a run one of all years of a range."""
    return {ASSET_PARTITION_RANGE_START_TAG: str(first), ASSET_PARTITION_RANGE_END_TAG: str(last)}


@schedule(
    job=everything,
    cron_schedule="0 6 * * 1",
    execution_timezone="America/Chicago",
    default_status=DefaultScheduleStatus.STOPPED,
)
def refresh_newest_years(
    context: ScheduleEvaluationContext, source: ResourceParam[CrimeSource]
) -> RunRequest | SkipReason:
    """Every Monday: the current year, and the one before, whose records still change; those of them that are there."""
    at: datetime = context.scheduled_execution_time
    there = set(source.years()) & {at.year - 1, at.year}
    if at.year in there and at.year > CURRENT_YEAR:
        context.log.warning(f"{at.year} is left out until the code location, up since {CURRENT_YEAR}, is started anew.")
    years = [year for year in there if year <= CURRENT_YEAR]
    if not years:
        return SkipReason(f"the source {source.name} has neither {at.year - 1} nor {at.year}")
    return RunRequest(run_key=f"refresh-{at:%Y-%m-%d}", tags=range_tags(min(years), max(years)))
