"""The jobs, and the schedule that updates loaded years."""

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
    description="Fetches the selected years from the source, builds and checks all tables, and publishes the years "
    "that pass. A selection with gaps needs a run per contiguous range.",
)
fetch_boundaries = define_asset_job(
    "fetch_boundaries",
    AssetSelection.assets("boundaries"),
    description="Fetches and publishes the City's official boundaries. They change with redistricting, about every ten "
    "years.",
)


@schedule(
    job=load_and_publish,
    cron_schedule="0 6 * * *",
    execution_timezone="America/Chicago",
    default_status=DefaultScheduleStatus.STOPPED,
    description="Updates all years loaded from the source every morning, and adds newer years once the source has "
    "them. Off by default.",
)
def refresh_loaded_years(
    context: ScheduleEvaluationContext, source: ResourceParam[CrimeSource], source_files: ResourceParam[SourceFiles]
) -> list[RunRequest] | SkipReason:
    """Request one run per contiguous range."""
    at: datetime = context.scheduled_execution_time
    offered = source.years()
    loaded = set(source_files.previous_files(source, offered))
    if not loaded:
        return SkipReason(f"no year has been loaded from the source {source.name}: load the years to refresh once")
    years = sorted(loaded | {year for year in offered if year > max(loaded)})
    return [
        RunRequest(run_key=f"refresh-{at:%Y-%m-%d}-{first}", tags=range_tags(first, last))
        for first, last in contiguous_ranges(years)
    ]
