"""The live tables: created on first use, and the years that each of them holds.

Rows are left to `warehouse.py`.
"""

import copy
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Self

from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from chicago_crime import reference
from chicago_crime.storage.google.bigquery import ddl, statements
from chicago_crime.storage.google.bigquery.jobs import Jobs, Purpose, call_bigquery
from chicago_crime.storage.warehouse import TableYear
from chicago_crime.tables import TABLES, Table

Years = dict[str, dict[int, TableYear]]

_EMPTY = "empty_"
_PARALLEL_REQUESTS = 8  # the client keeps ten connections


@dataclass
class LiveTables:
    """The tables of a dataset.

    Partitions do not tell a year without rows from one that was never loaded. So an empty year is recorded in a label
    of the table, `empty_2014`, whose value is the time in epoch milliseconds. The label is set after the rows are gone:
    a run that is killed in between leaves a year that counts as not loaded. Rows win over the label, so it need not be
    removed. Labels of two years never conflict.

    Attributes:
        client: returns the client.
        dataset: the dataset of the tables.
        location: region of the dataset.
        jobs: runs DDL and queries.
    """

    client: Callable[[], bigquery.Client]
    dataset: bigquery.DatasetReference
    location: str
    jobs: Jobs
    _ready: set[str] = field(default_factory=set, init=False)
    _in_use: dict[str, threading.Lock] = field(default_factory=dict, init=False)
    _seen: dict[str, tuple[object, dict[int, TableYear]]] = field(default_factory=dict, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _seen_lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def using(self, jobs: Jobs) -> Self:
        """The same tables with other jobs: locks and what is known of the tables are shared."""
        found = copy.copy(self)
        found.jobs = jobs
        return found

    def reference_to(self, name: str) -> bigquery.TableReference:
        """A table, or a partition as in crimes$2014."""
        return self.dataset.table(name)

    def live(self, name: str) -> bigquery.Table | None:
        """A table as it is now, or None."""

        def request() -> bigquery.Table | None:
            try:
                return self.client().get_table(self.reference_to(name), **self.jobs.options)
            except NotFound:
                return None

        return call_bigquery(request, f"cannot look up {name}")

    def years(self, table: Table) -> dict[int, TableYear]:
        """What a table holds, by year, from the metadata of its partitions: no row is read."""
        live = self.live(table.name)
        return self._query_years([live])[table.name] if live else {}

    def years_of_all(self, tables: Sequence[Table]) -> Years:
        """What many tables hold.

        A query about partitions is billed, and when a table last changed is free. So one query covers all tables that
        have changed since the last call, and none is sent if none has.
        """
        with ThreadPoolExecutor(_PARALLEL_REQUESTS) as pool:
            live = [one for one in pool.map(lambda table: self.live(table.name), tables) if one]
        states = {one.table_id: (one.etag, one.modified) for one in live}
        with self._seen_lock:
            changed = [one for one in live if self._seen.get(one.table_id, (None,))[0] != states[one.table_id]]
            self._seen |= {name: (states[name], years) for name, years in self._query_years(changed).items()}
            return {table.name: self._seen[table.name][1] if table.name in states else {} for table in tables}

    def _query_years(self, live: Sequence[bigquery.Table]) -> Years:
        names = [table.table_id for table in live]
        found: Years = {
            table.table_id: {year: TableYear(0, 0, at) for year, at in self.marked_empty(table).items()}
            for table in live
        }
        if names:
            purpose = Purpose(f"cannot look up the years of {', '.join(names)}", names[0])
            query = statements.partitions(self.dataset.dataset_id)
            for row in self.jobs.read(query, purpose, {"tables": names}).to_pylist():
                year = TableYear(row["row_count"], row["bytes"], row["replaced_at"].timestamp())
                found[row["table_name"]][row["year"]] = year
        return {name: dict(sorted(years.items())) for name, years in found.items()}

    def make_ready(self, tables: Iterable[Table], reads: Iterable[str] = ()) -> None:
        """Create tables, and load the reference tables that a statement reads.

        Raises:
            WarehouseError: a table has other columns; the message has the statement that migrates it.
        """
        with self._lock:
            for table in tables:
                if table.name not in self._ready:
                    if live := self.live(table.name):
                        ddl.require_same_columns(table, live)
                    else:
                        self._create_all(table)
                    self._ready.add(table.name)
            for name in reads:
                if name in reference.TABLES and name not in self._ready:
                    live = self.live(name)
                    if live is None or live.labels.get(ddl.CONTENT) != ddl.reference_hash(name):
                        self.jobs.run(ddl.create_reference(name), Purpose(f"cannot load {name}", name))
                    self._ready.add(name)

    def _create_all(self, first: Table) -> None:
        """Create every table that does not exist, in one script, which costs no more than one statement."""

        def ensure_dataset() -> None:
            try:
                self.client().get_dataset(self.dataset, **self.jobs.options)
            except NotFound:
                new = bigquery.Dataset(self.dataset)
                new.location, new.labels = self.location, ddl.LABELS
                self.client().create_dataset(new, exists_ok=True, **self.jobs.options)

        call_bigquery(ensure_dataset, f"cannot create the dataset {self.dataset.dataset_id}")
        tables = {table.name: table for table in (*TABLES.values(), first)}
        script = ";\n".join(ddl.create(table) for table in tables.values()) + ";"
        self.jobs.run(script, Purpose("cannot create the tables", first.name))

    @contextmanager
    def exclusive(self, tables: Iterable[Table]) -> Iterator[None]:
        """Within, no other transaction of this process changes these tables: BigQuery would abort one of two."""
        with ExitStack() as held:
            for name in sorted(table.name for table in tables):
                with self._lock:
                    lock = self._in_use.setdefault(name, threading.Lock())
                held.enter_context(lock)
            yield

    def mark_empty(self, table: Table, year: int) -> float:
        """Record that a year is stored and empty; returns the recorded time, in epoch seconds."""
        milliseconds = int(time.time() * 1000)
        changed = bigquery.Table(self.reference_to(table.name))
        changed.labels = {f"{_EMPTY}{year}": str(milliseconds)}  # a patch keeps all other labels
        call_bigquery(
            lambda: self.client().update_table(changed, ["labels"], **self.jobs.options), f"cannot label {table.name}"
        )
        return milliseconds / 1000

    @staticmethod
    def marked_empty(live: bigquery.Table) -> dict[int, float]:
        """The years that are recorded as empty, each with its time in epoch seconds."""
        marks = {name: at for name, at in live.labels.items() if name.startswith(_EMPTY)}
        return {int(name.removeprefix(_EMPTY)): int(at) / 1000 for name, at in marks.items()}
