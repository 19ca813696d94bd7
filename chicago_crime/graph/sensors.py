"""The sensor that requests runs for new and changed years of the source.

It compares the version that the source reports for each year (`CrimeSource.versions`) with the loaded version.
"""

import json
from collections.abc import Mapping

from dagster import (
    DefaultSensorStatus,
    ResourceParam,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from chicago_crime.graph.dagster_internals import range_tags
from chicago_crime.graph.jobs import load_and_publish
from chicago_crime.intake.source_files import SourceFiles
from chicago_crime.sources.base import VERSION, CrimeSource
from chicago_crime.tables.years import contiguous_ranges, current_year, format_years

INBOX_EVERY_S, PUBLISHER_EVERY_S = 60, 6 * 3600
"""Minimum intervals between ticks for an inbox and a publisher, in seconds."""


def new_years(
    source: CrimeSource, files: SourceFiles, versions: Mapping[int, str], seen: Mapping[int, str] | None
) -> list[int]:
    """Return the years to load, ascending.

    Years loaded from this source are reloaded when their version changes. Other years are loaded when they appear: in
    an inbox always, at a publisher only after the sensor's first tick. Each version is requested once, even if its run
    fails, because failed runs need attention.
    """

    def is_wanted(year: int, version: str) -> bool:
        manifest, before = files.readable_manifest(year), (seen or {}).get(year)
        is_loaded = manifest is not None and manifest.source == source.name
        if not is_loaded and not source.is_inbox:
            return seen is not None and before is None
        loaded = manifest.details.get(VERSION) if manifest and is_loaded else None
        return version not in (loaded, before)

    return [year for year, version in sorted(versions.items()) if is_wanted(year, version)]


def watch(source: CrimeSource) -> SensorDefinition:
    """Return the sensor of a source."""

    @sensor(
        job=load_and_publish,
        minimum_interval_seconds=INBOX_EVERY_S if source.is_inbox else PUBLISHER_EVERY_S,
        default_status=DefaultSensorStatus.STOPPED,
        description="Loads new and changed years of the source. Off by default.",
    )
    def new_source_files(
        context: SensorEvaluationContext, source: ResourceParam[CrimeSource], source_files: ResourceParam[SourceFiles]
    ) -> SensorResult | SkipReason:
        source.check_settings()
        offered = source.versions()  # if it fails, so does the tick: Dagster keeps the cursor, and alerts report it
        kept, seen = json.loads(context.cursor or "{}"), None
        if kept.get("source") == source.name:  # otherwise it is the cursor of another source
            seen = {int(year): version for year, version in kept["versions"].items()}
        versions = {year: version for year, version in offered.items() if year <= current_year()}
        if not versions:
            return SkipReason(f"the source {source.name} has no years")
        years = new_years(source, source_files, versions, seen)
        # A year may disappear temporarily, such as while its file is written; it is not new when it returns.
        cursor = json.dumps({"source": source.name, "versions": {**(seen or {}), **versions}})
        if not years:
            beyond = sorted(offered.keys() - versions.keys())
            later = f"; {format_years(beyond)} has not started yet" if beyond else ""
            return SensorResult(skip_reason=f"the source {source.name} has nothing new{later}", cursor=cursor)
        # Without a run key, because a version may return, such as when a file is restored.
        requests = [RunRequest(tags=range_tags(first, last)) for first, last in contiguous_ranges(years)]
        return SensorResult(run_requests=requests, cursor=cursor)

    return new_source_files
