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
from chicago_crime.tables.years import contiguous_ranges

load_and_publish = define_asset_job(
    "load_and_publish",
    AssetSelection.all() - AssetSelection.groups(REFERENCE),
    description="Fetch the years that you choose from the source, make all tables of them, check them, and publish "
    "those that pass. Years with gaps are one run for each range.",
)
fetch_boundaries = define_asset_job(
    "fetch_boundaries",
    AssetSelection.assets("boundaries"),
    description="Fetch the City's official outlines and publish them. They change with a redistricting, every ten "
    "years or so.",
)


@schedule(
    job=load_and_publish,
    cron_schedule="0 6 * * 1",
    execution_timezone="America/Chicago",
    default_status=DefaultScheduleStatus.STOPPED,
    description="Loads the current and the previous year every Monday, if the source has them: their records still "
    "change. Off by default.",
)
def refresh_newest_years(
    context: ScheduleEvaluationContext, source: ResourceParam[CrimeSource]
) -> RunRequest | SkipReason:
    """One run for those of both years that the source has."""
    at: datetime = context.scheduled_execution_time
    offered = set(source.years()) & {at.year - 1, at.year}
    if not offered:
        return SkipReason(f"the source {source.name} has neither {at.year - 1} nor {at.year}")
    return RunRequest(run_key=f"refresh-{at:%Y-%m-%d}", tags=range_tags(min(offered), max(offered)))


@schedule(
    job=load_and_publish,
    cron_schedule="0 6 * * *",
    execution_timezone="America/Chicago",
    default_status=DefaultScheduleStatus.STOPPED,
    description="Brings every year that was loaded from the source up to date each morning; a new year joins the one "
    "before. Off by default.",
)
def refresh_loaded_years(
    context: ScheduleEvaluationContext, source: ResourceParam[CrimeSource], source_files: ResourceParam[SourceFiles]
) -> list[RunRequest] | SkipReason:
    """One run for each contiguous range."""
    at: datetime = context.scheduled_execution_time
    offered = source.years()
    loaded = set(source_files.previous_files(source, offered))
    if not loaded:
        return SkipReason(f"no year was loaded from the source {source.name}: choose some, and load them once")
    years = sorted(loaded | {year for year in offered[-1:] if year - 1 in loaded})
    return [
        RunRequest(run_key=f"refresh-{at:%Y-%m-%d}-{first}", tags=range_tags(first, last))
        for first, last in contiguous_ranges(years)
    ]
