"""The warehouse on Google Cloud: BigQuery tables, partitioned by month or by year, a year replaced whole.

Here belongs which job each of the warehouse's verbs is. How jobs are run is in `bigquery_jobs.py`, their statements in
`bigquery_sql.py`, the tables' DDL in `bigquery_ddl.py`.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
from dagster_gcp import BigQueryResource
from google.cloud import bigquery

from chicago_crime import sql
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.bigquery import answers, statements
from chicago_crime.storage.google.bigquery.client import told
from chicago_crime.storage.google.bigquery.costs import Costs, total
from chicago_crime.storage.google.bigquery.jobs import Jobs, Purpose
from chicago_crime.storage.google.bigquery.live_tables import LiveTables
from chicago_crime.storage.google.bigquery.packing import live_columns
from chicago_crime.storage.google.bigquery.stored_years import StoredYears
from chicago_crime.storage.warehouse import TableYear, TooMuchToReadError, Warehouse, WarehouseError
from chicago_crime.tables import Table

_TRUNCATE = bigquery.WriteDisposition.WRITE_TRUNCATE
_NEVER = bigquery.CreateDisposition.CREATE_NEVER


@dataclass
class BigQueryWarehouse(Warehouse):
    """BigQuery tables.

    A table of counts is partitioned by year: one job writes the partition, which BigQuery does atomically. A table of
    crimes is partitioned by month: a year is deleted and inserted in one transaction. BigQuery aborts one of two
    transactions that change the same table at once, so those of this process wait for each other, and one that met
    another process' is begun anew.

    Attributes:
        resource: Dagster's resource, which gives the client.
        project: the Google Cloud project.
        dataset_id: the dataset.
        location: its region, and that of all jobs.
        most_bytes: a statement that would read more is refused.
        has_files: tells whether any Parquet file is below a folder, gs://bucket/folder.
        policy: timeouts and retries.
    """

    resource: BigQueryResource
    project: str
    dataset_id: str
    location: str
    most_bytes: int
    has_files: Callable[[str], bool]
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    _client: bigquery.Client | None = field(default=None, init=False, repr=False)
    _until_exit: ExitStack = field(default_factory=ExitStack, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        dataset = bigquery.DatasetReference(self.project, self.dataset_id)
        self.jobs = Jobs(self._connect, dataset, self.most_bytes, self.policy)
        self.tables = LiveTables(self._connect, dataset, self.location, self.jobs)
        self.years = StoredYears(self.tables, self.jobs)

    def load_csv(self, table: Table, year: int, csv: str) -> TableYear:
        """See `Warehouse.load_csv`."""
        purpose = Purpose(f"cannot load {csv} into {table.name}", table.name, year)
        self.tables.make_ready([table])
        costs = self.jobs.load(
            csv,
            self._partition(table, year),
            purpose,
            source_format=bigquery.SourceFormat.CSV,
            write_disposition=_TRUNCATE,
            create_disposition=_NEVER,
            schema=[bigquery.SchemaField(c.name, "STRING", description=c.description) for c in table.columns],
            skip_leading_rows=1,
            allow_quoted_newlines=True,
            encoding="UTF-8",
            max_bad_records=0,
        )
        return self._now(table, year, costs)

    def load_parquet(self, table: Table, year: int, folder: str) -> TableYear:
        """See `Warehouse.load_parquet`."""
        return self.load_parquets({table: folder}, year)[table.name]

    def load_parquets(self, folders: Mapping[Table, str], year: int) -> dict[str, TableYear]:
        """See `Warehouse.load_parquets`. One script: temporary tables of the files, then one transaction."""
        names = ", ".join(table.name for table in folders)
        purpose = Purpose(f"cannot load {year} into {names}", next(iter(folders)).name, year)
        self.tables.make_ready(folders)
        before, changes = list[str](), list[str]()
        for table, folder in folders.items():
            rows = None
            if self.has_files(folder):
                staging, rows = statements.staged(table, year, folder)
                before += staging
            changes += statements.replaced(table, year, rows)
        with self.tables.alone(folders):
            costs = self.jobs.run(statements.transaction(changes, before), purpose)
        first = next(iter(folders))
        return {table.name: self._now(table, year, costs if table is first else Costs()) for table in folders}

    def clear_year(self, table: Table, year: int) -> TableYear:
        """See `Warehouse.clear_year`. A year that is stored and empty stays as it is, and costs no write."""
        self.tables.make_ready([table])
        stored, costs = self.stored(table).get(year), Costs()
        if stored and not stored.rows:
            return stored
        if stored:
            with self.tables.alone([table]):
                purpose = Purpose(f"cannot clear {year} of {table.name}", table.name, year)
                costs = self.jobs.run(statements.delete(table, year), purpose)
        return self._empty(table, year, costs)

    def replace_year(self, table: Table, year: int) -> TableYear:
        """See `Warehouse.replace_year`."""
        purpose = Purpose(f"cannot compute {table.name} for {year}", table.name, year)
        query, parameters = statements.computed(table), {"year": year}
        self.tables.make_ready([table], sql.tables_read(f"tables/{table.name}"))
        estimated = self.jobs.estimate(query, purpose, parameters)
        if statements.is_by_month(table):
            script = statements.transaction(statements.replaced(table, year, query))
            with self.tables.alone([table]):
                costs = self.jobs.run(script, purpose, parameters)
        else:
            target = self._partition(table, year)
            how = {"write_disposition": _TRUNCATE, "create_disposition": _NEVER}
            costs = self.jobs.run(query, purpose, parameters, destination=target, **how)
        return self._now(table, year, total([estimated, costs]))

    def export_parquet(self, table: Table, years: Sequence[int], folder: str) -> None:
        """See `Warehouse.export_parquet`. One job for all years."""
        purpose = Purpose(f"cannot export {table.name}", table.name)
        self._existing(table, years)
        self.jobs.run(statements.export(table, years, folder), purpose)

    def stored(self, table: Table) -> dict[int, TableYear]:
        """See `Warehouse.stored`. It reads what BigQuery tells of partitions, and no row."""
        return self.years.of(table)

    def stored_of_all(self, tables: Sequence[Table]) -> dict[str, dict[int, TableYear]]:
        """See `Warehouse.stored_of_all`. One query, and none while no table changes."""
        return self.years.of_all(tables)

    def measure(self, table: Table, years: Sequence[int], measures: Mapping[str, str]) -> dict[int, dict[str, Any]]:
        """See `Warehouse.measure`. One query for all years."""
        if not years:
            return {}
        self._existing(table, years)
        purpose = Purpose(f"cannot measure {table.name}", table.name)
        rows = self.jobs.read(statements.measured(table, years, measures), purpose).to_pylist()
        return {row.pop("of_year"): row for row in rows}

    def count_by(self, table: Table, years: Sequence[int], column: str) -> dict[int, dict[str, int]]:
        """See `Warehouse.count_by`. One query for all years."""
        counts: dict[int, dict[str, int]] = {year: {} for year in years}
        if not years:
            return counts
        self._existing(table, years)
        purpose = Purpose(f"cannot count {table.name} by {column}", table.name)
        for row in self.jobs.read(statements.counted(table, years, column), purpose).to_pylist():
            counts[row["of_year"]][row["value"]] = row["row_count"]
        return counts

    def answer(self, name: str, parameters: Mapping[str, object]) -> pa.Table:
        """See `Warehouse.answer`."""
        query, given = answers.asked(name, parameters)
        most = min(answers.most_bytes(name), self.most_bytes)
        try:
            rows = self.jobs.read(query, Purpose(f"cannot answer {name}", name), given, most)
        except TooMuchToReadError:
            raise TooMuchToReadError(answers.too_much(most)) from None
        if not rows.num_rows:
            for table in sql.tables_read(name):
                live = self.tables.live(table)
                if live is None or not (live.num_rows or self.tables.marked_empty(live)):
                    raise WarehouseError(f"{table} is empty: load some years first, e.g. chicago-crime run")
        return rows

    def outdated(self, table: Table) -> list[int]:
        """See `Warehouse.outdated`. Years from before a column was added have only NULLs in it: they are, too."""
        live = self.tables.live(table.name)
        if live is None:
            return []
        lacks = {column.name for column in live_columns(table)} != {column.name for column in live.schema}
        since = self.tables.columns_added_at(live)
        if not lacks and not since:
            return []
        stored = self.years.of_all([table])[table.name]  # who shows tables has just looked at all of them
        return [year for year, held in stored.items() if lacks or held.replaced_at < since]

    def query(self, sql: str) -> pa.Table:
        """See `Warehouse.query`."""
        purpose = Purpose("cannot answer the query", "query")
        if self.jobs.statement_type(sql, purpose) != "SELECT":
            raise WarehouseError("the statement returns no rows: only queries can be answered")
        return self.jobs.read(sql, purpose)

    def _partition(self, table: Table, year: int) -> bigquery.TableReference:
        return self.tables.reference_to(f"{table.name}${year}")

    def _existing(self, table: Table, years: Sequence[int]) -> None:
        stored = self.stored(table)
        for year in years:
            if year not in stored:
                raise WarehouseError(f"{table.name} has no year {year}: materialize it first")

    def _now(self, table: Table, year: int, costs: Costs) -> TableYear:
        """A year as it stands after a job; if it came out empty, that is written down unless it is already."""
        stored = self.stored(table).get(year)
        return replace(stored, details=costs.as_details()) if stored else self._empty(table, year, costs)

    def _empty(self, table: Table, year: int, costs: Costs) -> TableYear:
        return TableYear(0, 0, self.tables.mark_empty(table, year), costs.as_details())

    def _connect(self) -> bigquery.Client:
        with self._lock:  # one client for all threads: it keeps a pool of connections
            if self._client is None:
                opened = self.resource.get_client()
                self._client = told(lambda: self._until_exit.enter_context(opened), "cannot open BigQuery")
            return self._client
