"""The warehouse in BigQuery: tables partitioned by month or by year, a year replaced whole."""

import copy
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Self

import pyarrow as pa
from google.cloud import bigquery
from typing_extensions import override

from chicago_crime import sql
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.access import GoogleAccount
from chicago_crime.storage.google.bigquery import answers, statements
from chicago_crime.storage.google.bigquery.jobs import Costs, Jobs, Purpose, call_bigquery
from chicago_crime.storage.google.bigquery.live_tables import LiveTables
from chicago_crime.storage.google.bigquery.packing import live_columns
from chicago_crime.storage.warehouse import FirstRows, TableYear, TooMuchToReadError, Warehouse, WarehouseError
from chicago_crime.tables import Table

_TRUNCATE = bigquery.WriteDisposition.WRITE_TRUNCATE
_NEVER = bigquery.CreateDisposition.CREATE_NEVER


@dataclass
class BigQueryWarehouse(Warehouse):
    """BigQuery tables.

    A table of counts is partitioned by year: one job overwrites the partition, which is atomic. A table of crimes is
    partitioned by month: a year is deleted and inserted in one transaction. BigQuery aborts one of two transactions
    that change the same table at once, so those of this process wait for each other, and one that conflicts with
    another process is started again.

    Attributes:
        account: project, credentials and endpoint of the client.
        dataset_id: the dataset.
        location: region of the dataset and of all jobs.
        most_bytes: a statement that would read more is refused.
        has_files: whether there is a Parquet file below a folder, gs://bucket/folder.
        policy: timeouts and retries of a request.
    """

    account: GoogleAccount
    dataset_id: str
    location: str
    most_bytes: int
    has_files: Callable[[str], bool]
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    _client: bigquery.Client | None = field(default=None, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        dataset = bigquery.DatasetReference(self.account.project or "", self.dataset_id)
        self.jobs = Jobs(self._connect, dataset, self.most_bytes, self.policy)
        self.tables = LiveTables(self._connect, dataset, self.location, self.jobs)

    @override
    def for_run(self, run_id: str) -> Self:
        found = copy.copy(self)  # it shares the client, the locks and what is known of the tables
        found.jobs = replace(self.jobs, run_id=run_id)
        found.tables = self.tables.using(found.jobs)
        return found

    @override
    def load_csv(self, table: Table, year: int, csv: str) -> TableYear:
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

    @override
    def load_parquet(self, table: Table, year: int, folder: str) -> TableYear:
        return self.load_parquets({table: folder}, year)[table.name]

    @override
    def load_parquets(self, folders: Mapping[Table, str], year: int) -> dict[str, TableYear]:
        # One script: temporary tables from the files, then one transaction.
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
        with self.tables.exclusive(folders):
            costs = self.jobs.run(statements.transaction(changes, before), purpose)
        first = next(iter(folders))
        return {table.name: self._now(table, year, costs if table is first else Costs()) for table in folders}

    @override
    def clear_year(self, table: Table, year: int) -> TableYear:
        self.tables.make_ready([table])
        stored, costs = self.stored(table).get(year), Costs()
        if stored and not stored.rows:  # nothing to do, and no write to pay for
            return stored
        if stored:
            with self.tables.exclusive([table]):
                purpose = Purpose(f"cannot clear {year} of {table.name}", table.name, year)
                costs = self.jobs.run(statements.delete(table, year), purpose)
        return self._empty(table, year, costs)

    @override
    def replace_year(self, table: Table, year: int) -> TableYear:
        purpose = Purpose(f"cannot compute {table.name} for {year}", table.name, year)
        query, parameters = statements.computed(table), {"year": year}
        self.tables.make_ready([table], sql.tables_read(f"tables/{table.name}"))
        if statements.is_by_month(table):
            script = statements.transaction(statements.replaced(table, year, query))
            with self.tables.exclusive([table]):
                costs = self.jobs.run(script, purpose, parameters)
        else:
            target = self._partition(table, year)
            how = {"write_disposition": _TRUNCATE, "create_disposition": _NEVER}
            costs = self.jobs.run(query, purpose, parameters, destination=target, **how)
        return self._now(table, year, costs)

    @override
    def export_parquet(self, table: Table, years: Sequence[int], folder: str) -> None:
        purpose = Purpose(f"cannot export {table.name}", table.name)
        self._existing(table, years)
        self.jobs.run(statements.export(table, years, folder), purpose)

    @override
    def stored(self, table: Table) -> dict[int, TableYear]:
        return self.tables.years(table)

    @override
    def stored_of_all(self, tables: Sequence[Table]) -> dict[str, dict[int, TableYear]]:
        return self.tables.years_of_all(tables)

    @override
    def measure(self, table: Table, years: Sequence[int], measures: Mapping[str, str]) -> dict[int, dict[str, Any]]:
        if not years:
            return {}
        self._existing(table, years)
        purpose = Purpose(f"cannot measure {table.name}", table.name)
        rows = self.jobs.read(statements.measured(table, years, measures), purpose).to_pylist()
        return {row.pop("of_year"): row for row in rows}

    @override
    def count_by(self, table: Table, years: Sequence[int], column: str) -> dict[int, dict[str, int]]:
        counts: dict[int, dict[str, int]] = {year: {} for year in years}
        if not years:
            return counts
        self._existing(table, years)
        purpose = Purpose(f"cannot count {table.name} by {column}", table.name)
        for row in self.jobs.read(statements.counted(table, years, column), purpose).to_pylist():
            counts[row["of_year"]][row["value"]] = row["row_count"]
        return counts

    @override
    def answer(self, name: str, parameters: Mapping[str, object]) -> pa.Table:
        query, given = answers.reduced(name, parameters)
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

    @override
    def outdated(self, table: Table) -> list[int]:
        live = self.tables.live(table.name)
        if live is None or {column.name for column in live_columns(table)} == {column.name for column in live.schema}:
            return []
        return list(self.stored(table))

    @override
    def first_rows(self, sql: str, count: int | None) -> FirstRows:
        rows = self._read(sql, count)
        return FirstRows(rows.column_names, list(zip(*(column.to_pylist() for column in rows.columns), strict=True)))

    @override
    @contextmanager
    def batches(self, sql: str) -> Iterator[pa.RecordBatchReader]:
        yield self._read(sql, None).to_reader()

    def _read(self, sql: str, most_rows: int | None) -> pa.Table:
        purpose = Purpose("cannot answer the query", "query")
        if self.jobs.statement_type(sql, purpose) != "SELECT":
            raise WarehouseError("the statement is not a query: only SELECT statements are run")
        return self.jobs.read(sql, purpose, most_rows=most_rows)

    def _partition(self, table: Table, year: int) -> bigquery.TableReference:
        return self.tables.reference_to(f"{table.name}${year}")

    def _existing(self, table: Table, years: Sequence[int]) -> None:
        stored = self.stored(table)
        for year in years:
            if year not in stored:
                raise WarehouseError(f"{table.name} has no year {year}: materialize it first")

    def _now(self, table: Table, year: int, costs: Costs) -> TableYear:
        """A year as it is after a job; an empty one is recorded."""
        stored = self.stored(table).get(year)
        return replace(stored, details=costs.as_details()) if stored else self._empty(table, year, costs)

    def _empty(self, table: Table, year: int, costs: Costs) -> TableYear:
        return TableYear(0, 0, self.tables.mark_empty(table, year), costs.as_details())

    def _connect(self) -> bigquery.Client:
        with self._lock:  # one client for all threads: it keeps a pool of connections
            if self._client is None:
                arguments = call_bigquery(self.account.client_arguments, "cannot open BigQuery")
                self._client = bigquery.Client(location=self.location, **arguments)
            return self._client
