"""The jobs, and the schedules that refresh years. The sensor for new files is in `sensors.py`."""

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
from chicago_crime.intake.source_files import SourceFiles
from chicago_crime.sources.base import CrimeSource
from chicago_crime.tables.years import CURRENT_YEAR, contiguous_ranges

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


@schedule(
    job=everything,
    cron_schedule="0 6 * * *",
    execution_timezone="America/Chicago",
    default_status=DefaultScheduleStatus.STOPPED,
)
def refresh_loaded_years(
    context: ScheduleEvaluationContext, source: ResourceParam[CrimeSource], source_files: ResourceParam[SourceFiles]
) -> list[RunRequest] | SkipReason:
    """Bring every year that was loaded from the source up to date each morning; a new year joins the one before."""
    at: datetime = context.scheduled_execution_time
    offered = source.years()
    loaded = set(source_files.held(source, offered))
    if not loaded:
        return SkipReason(f"no year was loaded from the source {source.name}: choose some, and load them once")
    years = sorted(loaded | {year for year in offered[-1:] if year - 1 in loaded})
    return [
        RunRequest(run_key=f"refresh-{at:%Y-%m-%d}-{first}", tags=range_tags(first, last))
        for first, last in contiguous_ranges(years)
    ]
