"""The sensor that notices when the source has a new or a changed year, and asks for a run of just those.

What makes a year another one is the source's to say (`CrimeSource.versions`); here it is compared with what is loaded.
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
from chicago_crime.graph.jobs import everything, range_tags
from chicago_crime.intake.source_files import Manifest, SourceFiles
from chicago_crime.sources.base import VERSION, CrimeSource
from chicago_crime.tables.years import CURRENT_YEAR, contiguous_ranges, format_years


@dataclass(frozen=True)
class Seen:
    """What the sensor knew when it looked last: its cursor.

    Attributes:
        source: who was looked at.
        versions: of each year that was there, the version that was loaded or asked for, or merely seen.
    """

    source: str
    versions: Mapping[int, str]

    @classmethod
    def read(cls, cursor: str | None, source: str) -> "Seen | None":
        """What a cursor says of a source; None if it says nothing, or is of another source."""
        kept = json.loads(cursor) if cursor else {}
        if kept.get("source") != source:
            return None
        return cls(source, {int(year): version for year, version in kept["versions"].items()})

    def write(self) -> str:
        """As a cursor."""
        return json.dumps({"source": self.source, "versions": dict(self.versions)})


def new_years(source: CrimeSource, files: SourceFiles, versions: Mapping[int, str], seen: Seen | None) -> list[int]:
    """The years to load, ascending, of those that the source has now.

    A year that was loaded from this source is wanted again when its version is another. One that never was is wanted
    when it appears: in an inbox at once, at a publisher if it was not there yet when the sensor looked first. What was
    asked for once is not asked for again, whatever became of the run: a person is to look at it.
    """
    known = seen.versions if seen else {}

    def is_wanted(year: int, version: str) -> bool:
        loaded, before = _loaded_version(files.manifest(year), source), known.get(year)
        if loaded is None and not source.is_inbox:
            return seen is not None and before is None
        if loaded == "" and before is None:
            return False  # nobody noted what was loaded: it is taken to be what is there now
        return version not in (loaded, before)

    return [year for year, version in sorted(versions.items()) if is_wanted(year, version)]


def watch(source: CrimeSource) -> SensorDefinition:
    """The sensor for a source, which decides how often it may be asked."""

    @sensor(
        job=everything,
        minimum_interval_seconds=source.look_every_s,
        default_status=DefaultSensorStatus.STOPPED,
        description="Looks whether the source has new or changed years, and loads just those. Off until switched on.",
    )
    def new_source_files(
        context: SensorEvaluationContext, source: ResourceParam[CrimeSource], source_files: ResourceParam[SourceFiles]
    ) -> SensorResult | SkipReason:
        try:
            source.refuse_wrong_settings()
            offered = source.versions()
        except (PlatformError, OSError) as error:  # a folder may be out of reach, too
            return SkipReason(str(error))  # the cursor stays: what is missed now is noticed later
        seen = Seen.read(context.cursor, source.name)
        versions = {year: version for year, version in offered.items() if year <= CURRENT_YEAR}
        if not versions:
            return SkipReason(f"the source {source.name} has no year that could be new")
        years = new_years(source, source_files, versions, seen)
        # A year that is gone for a while, as a file that is being written, is no new one when it comes back.
        cursor = Seen(source.name, {**(seen.versions if seen else {}), **versions}).write()
        if not years:
            beyond = sorted(offered.keys() - versions.keys())
            unknown = f"; {format_years(beyond)} will be, once the code location is started anew" if beyond else ""
            return SensorResult(skip_reason=f"nothing is new in the source {source.name}{unknown}", cursor=cursor)
        requests = [_request(source, first, last, versions) for first, last in contiguous_ranges(years)]
        return SensorResult(run_requests=requests, cursor=cursor)

    return new_source_files


def _loaded_version(manifest: Manifest | None, source: CrimeSource) -> str | None:
    """The version of a year that was loaded from this source; None if none was, "" if nobody noted which."""
    if manifest is None or manifest.source != source.name:
        return None
    return str(manifest.details.get(VERSION, ""))


def _request(source: CrimeSource, first: int, last: int, versions: Mapping[int, str]) -> RunRequest:
    """A run of a range of years. Its key makes sure that one state of them is asked for once."""
    state = " ".join(versions[year] for year in range(first, last + 1))
    key = f"{source.name}-{first}-{last}-{sha256(state.encode()).hexdigest()[:16]}"
    return RunRequest(run_key=key, tags=range_tags(first, last))
