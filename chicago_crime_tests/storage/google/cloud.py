"""A cloud on loopback for the tests of the BigQuery warehouse, with rows in its bucket."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from chicago_crime.installation import build_bigquery
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.bigquery.warehouse import BigQueryWarehouse
from chicago_crime.storage.warehouse import TableYear
from chicago_crime.tables import CRIMES, RAW_CRIMES, REJECTED_CRIMES
from chicago_crime_tests.support import write_csv
from chicago_crime_tests.whole_cloud import BUCKET, DATASET, WholeCloud

POLICY = RetryPolicy(timeout_s=10, first_wait_s=0.02, deadline_s=5)


class Cloud(WholeCloud):
    """The servers, with helpers that load rows into the bucket and the tables."""

    def warehouse(self, **changes: object) -> BigQueryWarehouse:
        """A new warehouse with empty caches, as in another process."""
        settings = self.settings.model_copy(update=changes)
        return replace(build_bigquery(settings), policy=POLICY)

    def load(self, warehouse: BigQueryWarehouse, year: int, rows: Sequence[dict[str, str]]) -> None:
        """Load rows into the raw table, and from there into the typed ones."""
        self.load_raw(warehouse, year, rows)
        warehouse.replace_year(CRIMES, year)
        warehouse.replace_year(REJECTED_CRIMES, year)

    def load_raw(self, warehouse: BigQueryWarehouse, year: int, rows: Sequence[dict[str, str]]) -> TableYear:
        content = write_csv(self.folder / f"{year}.csv", rows).read_bytes()
        self.storage.buckets.write(BUCKET, f"crimes/{year}.csv", content)
        return warehouse.load_csv(
            RAW_CRIMES, year, f"gs://{BUCKET}/crimes/{year}.csv", hashlib.sha256(content).hexdigest()
        )

    def years(self, table: str) -> dict[int, int]:
        """Number of rows by year of a table of crimes."""
        return dict(Counter(row["year"] for row in self.bigquery.rows(DATASET, table)))
