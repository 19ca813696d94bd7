"""The sensor that requests runs for years that are new at the source or have changed there.

A source reports a version for each year (`CrimeSource.versions`); the sensor compares it with the version loaded.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

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

from chicago_crime.errors import PlatformError
from chicago_crime.graph.dagster_internals import range_tags
from chicago_crime.graph.jobs import everything
from chicago_crime.intake.source_files import Manifest, SourceFiles
from chicago_crime.sources.base import VERSION, CrimeSource
from chicago_crime.tables.years import CURRENT_YEAR, contiguous_ranges, format_years


@dataclass(frozen=True)
class Seen:
    """What the sensor saw on its last tick: its cursor.

    Attributes:
        source: name of the source.
        versions: the last version seen of each year.
    """

    source: str
    versions: Mapping[int, str]

    @classmethod
    def read(cls, cursor: str | None, source: str) -> "Seen | None":
        """Read a cursor; None if there is none, or if it is about another source."""
        kept = json.loads(cursor) if cursor else {}
        if kept.get("source") != source:
            return None
        return cls(source, {int(year): version for year, version in kept["versions"].items()})

    def write(self) -> str:
        """Write the cursor."""
        return json.dumps({"source": self.source, "versions": dict(self.versions)})


def new_years(source: CrimeSource, files: SourceFiles, versions: Mapping[int, str], seen: Seen | None) -> list[int]:
    """The years to load, ascending.

    A year that was loaded from this source is loaded again when its version changes. A year that was never loaded is
    loaded when it appears: in an inbox always, at a publisher only if it was missing on the sensor's first tick. A
    version is requested once, even if its run fails: a failed run needs a person.
    """
    known = seen.versions if seen else {}

    def is_wanted(year: int, version: str) -> bool:
        loaded, before = _loaded_version(files.manifest(year), source), known.get(year)
        if loaded is None and not source.is_inbox:
            return seen is not None and before is None
        if loaded == "" and before is None:
            return False  # an old manifest without a version: assume that the current one is loaded
        return version not in (loaded, before)

    return [year for year, version in sorted(versions.items()) if is_wanted(year, version)]


def watch(source: CrimeSource) -> SensorDefinition:
    """The sensor of a source, at the interval that the source allows."""

    @sensor(
        job=everything,
        minimum_interval_seconds=source.look_every_s,
        default_status=DefaultSensorStatus.STOPPED,
        description="Loads years that are new or changed at the source. Off by default.",
    )
    def new_source_files(
        context: SensorEvaluationContext, source: ResourceParam[CrimeSource], source_files: ResourceParam[SourceFiles]
    ) -> SensorResult | SkipReason:
        try:
            source.refuse_wrong_settings()
            offered = source.versions()
        except (PlatformError, OSError) as error:  # a folder may be unreachable, too
            return SkipReason(str(error))  # the cursor stays, so the next tick finds what this one missed
        seen = Seen.read(context.cursor, source.name)
        versions = {year: version for year, version in offered.items() if year <= CURRENT_YEAR}
        if not versions:
            return SkipReason(f"the source {source.name} offers no year")
        years = new_years(source, source_files, versions, seen)
        # A year may vanish for a while, e.g. while its file is being written; it is not new when it comes back.
        cursor = Seen(source.name, {**(seen.versions if seen else {}), **versions}).write()
        if not years:
            beyond = sorted(offered.keys() - versions.keys())
            later = f"; {format_years(beyond)} can be loaded once the code location restarts" if beyond else ""
            return SensorResult(skip_reason=f"the source {source.name} has nothing new{later}", cursor=cursor)
        requests = [_request(source, first, last, versions) for first, last in contiguous_ranges(years)]
        return SensorResult(run_requests=requests, cursor=cursor)

    return new_source_files


def _loaded_version(manifest: Manifest | None, source: CrimeSource) -> str | None:
    """The version that was loaded from this source; None if the year was not, "" if its manifest has no version."""
    if manifest is None or manifest.source != source.name:
        return None
    return str(manifest.details.get(VERSION, ""))


def _request(source: CrimeSource, first: int, last: int, versions: Mapping[int, str]) -> RunRequest:
    """A run of a range of years. Its key prevents a second run for the same versions."""
    state = " ".join(versions[year] for year in range(first, last + 1))
    key = f"{source.name}-{first}-{last}-{sha256(state.encode()).hexdigest()[:16]}"
    return RunRequest(run_key=key, tags=range_tags(first, last))
