"""The sensor that requests runs for new and changed files of a folder."""

import json

from dagster import DefaultSensorStatus, ResourceParam, RunRequest, SensorEvaluationContext, SensorResult, sensor

from chicago_crime.graph.dagster_internals import range_tags
from chicago_crime.graph.jobs import load_and_publish
from chicago_crime.intake.source_files import SourceFiles
from chicago_crime.sources.base import VERSION, CrimeSource
from chicago_crime.tables.years import contiguous_ranges, current_year, format_years


@sensor(
    job=load_and_publish,
    minimum_interval_seconds=60,
    default_status=DefaultSensorStatus.STOPPED,
    description="Loads years whose files are new or changed. Off by default.",
)
def new_source_files(
    context: SensorEvaluationContext, source: ResourceParam[CrimeSource], source_files: ResourceParam[SourceFiles]
) -> SensorResult:
    """Compare the version of each year with the one that was loaded.

    Each version is requested once, even if its run fails, because failed runs need attention.
    """
    source.check_settings()  # if it fails, so does the tick: Dagster keeps the cursor, and alerts report it
    offered = source.versions()
    versions = {year: version for year, version in sorted(offered.items()) if year <= current_year()}
    seen = json.loads(context.cursor or "{}")

    def is_new(year: int, version: str) -> bool:
        manifest = source_files.readable_manifest(year)
        loaded = manifest.details.get(VERSION) if manifest and manifest.source == source.name else None
        return version not in (loaded, seen.get(str(year)))

    years = [year for year, version in versions.items() if is_new(year, version)]
    beyond = sorted(offered.keys() - versions.keys())
    later = f"; {format_years(beyond)} has not started yet" if beyond else ""
    return SensorResult(
        # Without a run key, because a version may return, such as when a file is restored.
        run_requests=[RunRequest(tags=range_tags(first, last)) for first, last in contiguous_ranges(years)],
        skip_reason=None if years else f"the source {source.name} has nothing new{later}",
        # A year may disappear temporarily, such as while its file is written; it is not new when it returns.
        cursor=json.dumps(seen | {str(year): version for year, version in versions.items()}),
    )
