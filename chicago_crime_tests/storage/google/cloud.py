"""A cloud on loopback for the tests of the BigQuery warehouse, with rows in its bucket."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from chicago_crime.installation import build_bigquery
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.bigquery.ddl import LABELS
from chicago_crime.storage.google.bigquery.warehouse import BigQueryWarehouse
from chicago_crime.storage.warehouse import TableYear
from chicago_crime.tables import CRIMES, RAW_CRIMES, REJECTED_CRIMES, TABLES
from chicago_crime_tests.support import write_csv
from chicago_crime_tests.whole_cloud import BUCKET, DATASET, WholeCloud

POLICY = RetryPolicy(timeout_s=10, first_wait_s=0.02, deadline_s=5)


class Cloud(WholeCloud):
    """The servers, with helpers that load rows into the bucket and the tables."""

    def warehouse(self, **changes: object) -> BigQueryWarehouse:
        """A new warehouse with empty caches, as in another process."""
        settings = self.settings.model_copy(update=changes)
        return replace(build_bigquery(settings), policy=POLICY)

    def put(self, year: int, rows: Sequence[dict[str, str]]) -> str:
        file = write_csv(self.folder / f"{year}.csv", rows)
        return self.put_file(f"crimes/{year}.csv", file)

    def put_file(self, name: str, file: Path) -> str:
        self.storage.buckets.write(BUCKET, name, file.read_bytes())
        return f"gs://{BUCKET}/{name}"

    def load(self, warehouse: BigQueryWarehouse, year: int, rows: Sequence[dict[str, str]]) -> None:
        """Load rows into the raw table, and from there into the typed ones."""
        self.load_raw(warehouse, year, rows)
        warehouse.replace_year(CRIMES, year)
        warehouse.replace_year(REJECTED_CRIMES, year)

    def load_raw(self, warehouse: BigQueryWarehouse, year: int, rows: Sequence[dict[str, str]]) -> TableYear:
        uri = self.put(year, rows)
        return warehouse.load_csv(RAW_CRIMES, year, uri, self.checksum(uri))

    def checksum(self, uri: str) -> str:
        return sha256(self.storage.buckets.read(BUCKET, uri.removeprefix(f"gs://{BUCKET}/"))).hexdigest()

    def years(self, table: str) -> dict[int, int]:
        """Number of rows by year of a table of crimes."""
        found: dict[int, int] = {}
        for row in self.bigquery.rows(DATASET, table):
            found[row["year"]] = found.get(row["year"], 0) + 1
        return found

    def empty(self) -> None:
        """Delete rows, objects, jobs and faults. Tables stay, and so do reference tables with their rows."""
        self.storage.forget_faults()
        self.bigquery.forget_faults()
        self.bigquery.forget_jobs()
        for name in self.storage.buckets.names(BUCKET):
            self.storage.buckets.delete(BUCKET, name)
        catalog = self.bigquery.catalog
        for table in [table for (_, name), table in catalog.tables.items() if name in TABLES]:
            catalog.database.cursor().execute(f"DELETE FROM {table.rows_table}")
            table.labels = dict(LABELS)
            table.measured = None
