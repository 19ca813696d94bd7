"""The folder of source files: for each year, the CSV as published, its manifest, and the output of the gate.

The manifest names the year's CSV and is replaced last, so a crash leaves the previous year intact.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from chicago_crime.errors import HOW_TO_REPAIR
from chicago_crime.intake.staging import publish, staging_folder
from chicago_crime.sources.base import CrimeSource, PreviousFile, Progress, SourceError

if TYPE_CHECKING:  # slow to import, and only runs need it
    from chicago_crime.intake.gate import GateResult


class Manifest(BaseModel, frozen=True):
    """The manifest of a year's source file.

    Attributes:
        file: name of the CSV, in the folder of the manifest.
        source: name of the source that delivered it.
        origin: where it came from.
        synthetic: True if its rows are made up.
        details: other facts from the source and the gate.
        sha256: SHA-256 of the CSV, in hexadecimal.
        bytes: size of the CSV.
        columns: column names in its header.
        lines: physical lines after the header.
        rows: lines on which a row starts.
        quarantined: damaged lines.
        other_lines: blank lines, and lines that continue a row.
        months: crimes of the year by month ("2014-01", ...).
        days: days with crimes by month; empty in manifests of older versions.
        gaps: first and last day of each gap (`find_gaps`), ISO 8601.
        is_canonical: True if it enters the lake unchanged.
        fetched_at: time of the fetch, ISO 8601, UTC.
        ignored: columns that are not used.
        missing: source columns that the file lacks, which are loaded as empty.
        unreadable: {column: {count, place, example}} of unreadable values, which become NULL.
        accepted: reason for loading it although an audit refused it; None if none did.
    """

    year: int
    file: str
    source: str
    origin: str
    synthetic: bool
    details: dict[str, str | int | bool]
    sha256: str
    bytes: int
    columns: list[str]
    lines: int
    rows: int
    quarantined: int
    other_lines: int
    months: dict[str, int]
    is_canonical: bool
    fetched_at: str
    days: dict[str, int] = {}
    gaps: list[tuple[str, str]] = []
    ignored: list[str] = []
    missing: list[str] = []
    unreadable: dict[str, dict[str, Any]] = {}
    accepted: str | None = None


@dataclass(frozen=True)
class SourceFiles:
    """CSVs and manifests in a folder.

    Attributes:
        folder: folder of the published files.
        staging: folder for unpublished files, on the same file system.
    """

    folder: Path
    staging: Path

    def fetch(
        self, source: CrimeSource, year: int, progress: Progress, audit: "Callable[[str, GateResult], str | None]"
    ) -> Manifest:
        """Fetch a year from a source, validate it, and replace the previous file.

        `audit` receives the origin and the result of the gate before anything is replaced. It returns the reason for
        accepting a file with problems, or None if it has none, and raises an error to refuse it.

        Raises:
            SourceError: the source cannot deliver the year, or the gate or the audit refuses the file.
        """
        from chicago_crime.intake.gate import run_gate  # slow to import, and only runs need it

        with staging_folder(self.staging) as fresh:
            fetched = source.fetch(year, fresh, progress)
            gated = run_gate(fetched, year, fresh)
            split, counts = gated.split, gated.split.counts
            accepted = audit(fetched.origin, gated)
            manifest = Manifest(
                year=year,
                file=f"{year}.{split.sha256[:12]}.csv",
                source=source.name,
                origin=fetched.origin,
                synthetic=fetched.synthetic,
                details=fetched.details | gated.details,
                sha256=split.sha256,
                bytes=split.size,
                columns=[*gated.header.names],
                lines=counts.lines,
                rows=counts.rows,
                quarantined=counts.quarantined,
                other_lines=counts.continuations + counts.blank,
                months=gated.months,
                days=gated.days,
                gaps=gated.gaps,
                is_canonical=split.file == fetched.path,
                fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
                ignored=[*gated.header.ignored, *fetched.ignored],
                missing=[*gated.header.missing, *fetched.missing],
                unreadable=gated.unreadable,
                accepted=accepted,
            )
            previous = self.readable_manifest(year)
            written = fresh / "manifest.json"
            written.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
            gate_files = (fetched.path, split.file, split.quarantine)
            for target, file in dict(zip(self._files(manifest), gate_files, strict=True)).items():
                publish(file, target)
            publish(written, self._manifest_path(year))
            old = {*self.folder.glob(f"{year}.{'?' * 12}.*"), *(self._files(previous) if previous else ())}
            for file in old - {*self._files(manifest)}:  # also of a killed fetch, or named by an earlier version
                file.unlink(missing_ok=True)
        return manifest

    def previous_files(self, source: CrimeSource, years: Sequence[int]) -> dict[int, PreviousFile]:
        """Return the files of the years that were fetched from this source before."""
        found = {year: self.readable_manifest(year) for year in years}
        return {
            year: PreviousFile(self.folder / one.file, one.sha256, one.details)
            for year, one in found.items()
            if one and one.source == source.name and (self.folder / one.file).exists()
        }

    def manifest(self, year: int) -> Manifest | None:
        """Return the manifest of a year, None if the year was never fetched.

        Raises:
            SourceError: the manifest is damaged.
        """
        path = self._manifest_path(year)
        if not path.exists():
            return None
        try:
            return Manifest.model_validate_json(path.read_bytes())
        except ValidationError as error:
            what = error.errors()[0]["msg"]
            raise SourceError(f"{path} is damaged ({what}): load {year} {HOW_TO_REPAIR}") from error

    def readable_manifest(self, year: int) -> Manifest | None:
        """Return the manifest of a year, None if it is missing or damaged."""
        try:
            return self.manifest(year)
        except SourceError:
            return None

    def synthetic_years(self) -> list[int]:
        """Return the years with synthetic rows, ascending; skips damaged manifests."""
        found = [self.readable_manifest(year) for year in self.years()]
        return [manifest.year for manifest in found if manifest and manifest.synthetic]

    def years(self) -> list[int]:
        """Return the fetched years, ascending."""
        return sorted(int(file.stem) for file in self.folder.glob("[0-9][0-9][0-9][0-9].json"))

    def csv(self, year: int) -> Path:
        """Return the CSV of a year; raises the errors of `files`."""
        return self.files(year)[0]

    def files(self, year: int) -> tuple[Path, Path, Path]:
        """Return a year's CSV, its canonical rows (the CSV itself if it is canonical), and its quarantine.

        Raises:
            SourceError: the year was never fetched, or a file is missing.
        """
        manifest = self.manifest(year)
        found = manifest and self._files(manifest)
        if not found or not all(file.exists() for file in found):
            how = f"load the year with `chicago-crime run --years {year}`, or materialize all assets"
            raise SourceError(f"{self.folder} lacks files for {year}: {how}")
        return found

    def _files(self, manifest: Manifest) -> tuple[Path, Path, Path]:
        csv = self.folder / manifest.file
        return csv, csv if manifest.is_canonical else csv.with_suffix(".rows"), csv.with_suffix(".quarantine")

    def _manifest_path(self, year: int) -> Path:
        return self.folder / f"{year}.json"
