"""`warehouse.duckdb`: views of the current snapshot for programs that open DuckDB databases. We never read them."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from chicago_crime.intake.staging import publish, staging_folder
from chicago_crime.published.catalog import Catalog, DamagedError
from chicago_crime.storage.local.parquet_reader import comment_on, create_views


@dataclass(frozen=True)
class Views:
    """The database of views in a data directory.

    Attributes:
        objects: folder of the published files.
        staging: folder for temporary files, on the same file system.
    """

    file: Path
    objects: Path
    staging: Path

    def replace(self, catalog: Catalog) -> None:
        """Rewrite the database: a commented view of each table, and the table `snapshot` with the snapshot's id.

        Raises:
            DamagedError: a published file cannot be read.
        """
        files = {name: [self.objects / held.key for held in catalog.years_of(name).values()] for name in catalog.tables}
        with staging_folder(self.staging) as fresh:
            file, version = str(fresh / self.file.name), "v1.0.0"  # which programs with DuckDB 1.1 or newer can open
            with duckdb.connect(file, config={"storage_compatibility_version": version}) as connection:
                connection.begin()  # one transaction, so that the disk is synced once
                try:
                    create_views(connection, files)
                except duckdb.Error as error:
                    repair = "`chicago-crime doctor` says how to repair it"
                    raise DamagedError(
                        f"{self.file} is not up to date: a published file is damaged ({error}). {repair}"
                    ) from error
                for name in files:
                    comment_on(connection, name)
                shown = [catalog.snapshot, str(self.objects)]
                connection.execute("CREATE TABLE snapshot AS SELECT $1 AS id, $2 AS folder", shown)
                connection.commit()
            publish(fresh / self.file.name, self.file)

    def problem(self, catalog: Catalog) -> str | None:
        """Return why the views do not show this snapshot; None if they do."""
        if not self.file.exists():
            return f"{self.file} is missing"
        try:
            with duckdb.connect(str(self.file), read_only=True) as connection:
                found = connection.execute("FROM snapshot").fetchone()
        except duckdb.Error as error:
            return f"{self.file} cannot be read: {error}"
        if not found or found[0] != catalog.snapshot or Path(found[1]).resolve() != self.objects.resolve():
            return f"{self.file} shows the snapshot {found[0] if found else '?'} in {found[1] if found else '?'}"
        return None
