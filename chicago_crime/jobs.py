"""Named jobs and the schedule that keeps the newest years fresh."""

from dagster import (
    AssetSelection,
    DefaultScheduleStatus,
    RunRequest,
    ScheduleEvaluationContext,
    define_asset_job,
    schedule,
)
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from chicago_crime.years import CURRENT_YEAR

everything = define_asset_job(
    "everything", AssetSelection.all(), description="The whole graph, with its checks, for the years you choose."
)


@schedule(
    job=everything,
    cron_schedule="0 6 * * 1",
    execution_timezone="America/Chicago",
    default_status=DefaultScheduleStatus.STOPPED,
)
def refresh_newest_years(context: ScheduleEvaluationContext) -> RunRequest:
    """Every Monday: the current year, and the one before, whose records still change."""
    return RunRequest(
        run_key=f"refresh-{context.scheduled_execution_time:%Y-%m-%d}",
        tags={
            ASSET_PARTITION_RANGE_START_TAG: str(CURRENT_YEAR - 1),
            ASSET_PARTITION_RANGE_END_TAG: str(CURRENT_YEAR),
        },
    )
