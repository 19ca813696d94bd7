"""What is loaded: year by table, what is missing, stale or of another version. Reads files' facts only, never rows."""

from dataclasses import dataclass

from chicago_crime.graph.assets.lake import quarantine_key, rows_key
from chicago_crime.installation import Installation
from chicago_crime.intake.source_files import Manifest
from chicago_crime.storage.warehouse import TableYear
from chicago_crime.tables import TABLES


@dataclass(frozen=True)
class YearStatus:
    """One year of the platform.

    Attributes:
        year: which.
        manifest: of its source file; None if it was never fetched.
        in_lake: whether its objects are stored.
        tables: table -> what it holds; tables without the year are not in it.
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
    def missing(self) -> frozenset[str]:
        """Tables that do not have the year."""
        return frozenset(TABLES) - frozenset(self.tables)

    @property
    def is_complete(self) -> bool:
        """True if every table has the year, and none is stale or of another version."""
        return not self.missing and not self.stale and not self.outdated


def read_status(installation: Installation) -> list[YearStatus]:
    """The status of every year of which anything is there, ascending."""
    source_files, store, warehouse = installation.source_files, installation.object_store, installation.warehouse
    stored = {name: warehouse.stored(table) for name, table in TABLES.items()}
    old = {name: warehouse.outdated(table) for name, table in TABLES.items()}
    found = {year for years in stored.values() for year in years} | set(source_files.years())
    statuses = []
    for year in sorted(found):
        manifest = source_files.manifest(year)
        tables = {name: years[year] for name, years in stored.items() if year in years}
        in_lake = store.exists(rows_key(year)) and store.exists(quarantine_key(year))
        outdated = frozenset(name for name, years in old.items() if year in years)
        statuses.append(YearStatus(year, manifest, in_lake, tables, _stale(tables, manifest), outdated))
    return statuses


def synthetic_years(installation: Installation) -> list[int]:
    """Loaded years whose rows are made up."""
    source_files = installation.source_files
    manifests = (source_files.manifest(year) for year in source_files.years())
    return [manifest.year for manifest in manifests if manifest and manifest.synthetic]


def _stale(tables: dict[str, TableYear], manifest: Manifest | None) -> frozenset[str]:
    stale: set[str] = set()
    for name, table in TABLES.items():  # in the order in which they are made: what is made of something stale is stale
        if name not in tables:
            continue
        made_at = [tables[above.name].replaced_at for above in table.upstream if above.name in tables]
        if not table.upstream and manifest:
            made_at = [manifest.fetched_epoch]
        is_older = any(tables[name].replaced_at < time for time in made_at)
        if is_older or any(above.name in stale for above in table.upstream):
            stale.add(name)
    return frozenset(stale)
