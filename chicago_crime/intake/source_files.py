"""The folder of source files: one CSV a year as its publisher wrote it, each with a manifest.

The manifest is what makes a file the year's file: it is replaced last, so that a crash leaves the former year whole.
Getting files belongs to `sources/`, judging them to the gate.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from chicago_crime.intake.staging import publish, staging_folder
from chicago_crime.sources.base import CrimeSource, Progress, SourceError


@dataclass(frozen=True)
class Manifest:
    """What is known of one year's source file.

    Attributes:
        year: its year.
        file: name of the CSV, beside the manifest.
        source: name of the source that handed it over.
        origin: where it came from.
        synthetic: True if its rows are made up.
        details: what else the source says.
        sha256: checksum of the CSV, hexadecimal.
        bytes: its size.
        columns: names in its header.
        lines: physical lines after the header.
        rows: rows among them; the other lines are unreadable, blank, or go on with a row.
        quarantined: unreadable lines.
        other_lines: blank lines and lines that go on with a row.
        months: rows of the year by month, "2014-01" and on.
        is_canonical: whether it may enter the lake as it is.
        fetched_at: when it was fetched, ISO 8601, UTC.
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

    @property
    def fetched_epoch(self) -> float:
        """`fetched_at` in seconds since 1970."""
        return datetime.fromisoformat(self.fetched_at).timestamp()


@dataclass(frozen=True)
class SourceFiles:
    """CSVs and manifests in a folder.

    Attributes:
        folder: where they are.
        staging: where they are written before they are published; on the same file system.
    """

    folder: Path
    staging: Path

    def fetch(self, source: CrimeSource, year: int, progress: Progress) -> Manifest:
        """Have a source hand over a year, look it through and put it in the former file's place.

        Raises:
            SourceError: the source cannot hand it over.
            GateError: what it handed over is no file of that year's crimes.
        """
        from chicago_crime.intake.gate import pass_through  # slow to import, and only runs need it

        with staging_folder(self.staging) as fresh:
            handed = source.fetch(year, fresh, progress)
            gated = pass_through(handed.path, year, fresh)
            manifest = Manifest(
                year=year,
                file=f"{handed.path.stem}.{gated.facts.sha256[:12]}.csv",
                source=source.name,
                origin=handed.origin,
                synthetic=handed.synthetic,
                details=handed.details,
                sha256=gated.facts.sha256,
                bytes=gated.facts.size,
                columns=list(gated.columns),
                lines=gated.lines,
                rows=gated.rows,
                quarantined=gated.quarantined,
                other_lines=gated.continuations + gated.blank,
                months=gated.months,
                is_canonical=gated.is_canonical,
                fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
            )
            former = self.manifest(year)
            written = fresh / "manifest.json"
            written.write_text(json.dumps(asdict(manifest), indent=2) + "\n")
            publish(handed.path, self.folder / manifest.file)
            publish(written, self._manifest_path(year))
            if former and former.file != manifest.file:
                (self.folder / former.file).unlink(missing_ok=True)
        return manifest

    def manifest(self, year: int) -> Manifest | None:
        """The manifest of a year, None if the year was never fetched."""
        path = self._manifest_path(year)
        return Manifest(**json.loads(path.read_text())) if path.exists() else None

    def years(self) -> list[int]:
        """Years that were ever fetched, ascending."""
        return sorted(int(file.stem) for file in self.folder.glob("[0-9][0-9][0-9][0-9].json"))

    def csv(self, year: int) -> Path:
        """Where the CSV of a year is.

        Raises:
            SourceError: the year was never fetched, or its CSV is gone.
        """
        manifest = self.manifest(year)
        if manifest is None or not (self.folder / manifest.file).exists():
            raise SourceError(f"{self.folder} has no CSV for {year}: materialize crime_csv for {year} first")
        return self.folder / manifest.file

    def _manifest_path(self, year: int) -> Path:
        return self.folder / f"{year}.json"
