"""What is loaded: by year and table, what is missing, stale or outdated. It reads no rows, and imports no Dagster."""

from dataclasses import dataclass

from chicago_crime.installation import Installation
from chicago_crime.intake.source_files import Manifest
from chicago_crime.storage.object_store import quarantine_key, rows_key
from chicago_crime.storage.warehouse import TableYear
from chicago_crime.tables import TABLES


@dataclass(frozen=True)
class YearStatus:
    """One year of the platform.

    Attributes:
        year: which.
        manifest: of its source file; None if it was never fetched.
        in_lake: whether its objects are stored.
        tables: table -> what it holds of the year; tables without the year are left out.
        stale: tables that are older than what they are made of.
        outdated: tables whose columns are those of another version of this package.
    """

    year: int
    manifest: Manifest | None
    in_lake: bool
    tables: dict[str, TableYear]
    stale: frozenset[str]
    outdated: frozenset[str]

    @property
    def is_complete(self) -> bool:
        """True if every table has the year, and none is stale or outdated."""
        return self.tables.keys() == TABLES.keys() and not self.stale and not self.outdated


def read_status(installation: Installation) -> list[YearStatus]:
    """The status of every year of which anything is stored, ascending."""
    source_files, store, reader = installation.source_files, installation.object_store, installation.working_reader
    stored = reader.stored_of_all(list(TABLES.values()))
    old = {name: reader.outdated(table) for name, table in TABLES.items()}
    statuses = []
    for year in sorted({year for years in stored.values() for year in years} | set(source_files.years())):
        manifest = source_files.manifest(year)
        tables = {name: years[year] for name, years in stored.items() if year in years}
        in_lake = store.exists(rows_key(year)) and store.exists(quarantine_key(year))
        outdated = frozenset(name for name, years in old.items() if year in years)
        statuses.append(YearStatus(year, manifest, in_lake, tables, _stale(tables, manifest), outdated))
    return statuses


def synthetic_years(installation: Installation) -> list[int]:
    """Loaded years whose rows the sample source generated."""
    source_files = installation.source_files
    manifests = (source_files.manifest(year) for year in source_files.years())
    return [manifest.year for manifest in manifests if manifest and manifest.synthetic]


def _stale(tables: dict[str, TableYear], manifest: Manifest | None) -> frozenset[str]:
    stale: set[str] = set()
    for name, table in TABLES.items():  # upstream tables come first: what is made of a stale table is stale
        if name not in tables:
            continue
        made_at = [tables[above.name].replaced_at for above in table.upstream if above.name in tables]
        if not table.upstream and manifest:
            made_at = [manifest.fetched_epoch]
        is_older = any(tables[name].replaced_at < time for time in made_at)
        if is_older or any(above.name in stale for above in table.upstream):
            stale.add(name)
    return frozenset(stale)
