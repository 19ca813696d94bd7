"""The live tables: they are created on first use, and their labels record the stored years.

`warehouse.py` reads and writes the rows.
"""

import re
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from google.api_core.exceptions import Conflict, NotFound
from google.cloud import bigquery

from chicago_crime import reference
from chicago_crime.storage.google.bigquery import statements
from chicago_crime.storage.google.bigquery.jobs import JobFailedError, Jobs, Purpose, call_bigquery
from chicago_crime.storage.lineage import Lineage
from chicago_crime.storage.warehouse import TableYear, WarehouseError
from chicago_crime.tables import TABLES, Table

STAGING_LIFE = timedelta(days=1)
"""Google deletes staging tables after this time if a run did not."""

_YEAR = "year-"
_PARALLEL_REQUESTS = 8  # the client keeps ten connections
_LEGACY_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
_OF_A_YEAR = re.compile(r"([0-9a-f]{16})-([0-9a-f]{16})-(\d+)-(\d+)")


@dataclass
class LiveTables:
    """The tables of a dataset.

    A label records each year of a table, `year-2014: identity-inputs-rows-milliseconds`, as reported by the job that
    wrote it. The label is removed before the rows change and set afterwards, so if a run is killed in between, the year
    is not loaded. Labels of different years never conflict.

    Attributes:
        jobs: runs DDL and queries; has the client and the dataset.
        estimates: CSV of residents after the last census, if any.
    """

    jobs: Jobs
    estimates: Path | None = None
    _ready: set[str] = field(default_factory=set, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def live(self, name: str) -> bigquery.Table | None:
        """Look up a table; None if it does not exist."""

        def request() -> bigquery.Table | None:
            try:
                return self.jobs.client().get_table(self.jobs.dataset.table(name), **self.jobs.options)
            except NotFound:
                return None

        return call_bigquery(request, f"cannot look up {name}")

    def years(self, tables: Sequence[Table]) -> dict[str, dict[int, TableYear]]:
        """Return the stored years of some tables, by table name, from their labels, without a query."""
        with ThreadPoolExecutor(_PARALLEL_REQUESTS) as pool:
            live = [one for one in pool.map(lambda table: self.live(table.name), tables) if one]
        found = {one.table_id: dict(sorted(years_in_labels(one).items())) for one in live}
        return {table.name: found.get(table.name, {}) for table in tables}

    def record(self, table: Table, year: int, lineage: Lineage, rows: int) -> TableYear:
        """Record a year, as its job reported it, in the table's labels."""
        value = f"{lineage.identity}-{lineage.inputs}-{rows}-{int(time.time() * 1000)}"
        return years_in_labels(self._set_labels(table, {f"{_YEAR}{year}": value}))[year]

    @contextmanager
    def changing(self, table: Table, year: int) -> Iterator[None]:
        """Remove a year's label for a change. It is restored if the job fails, which changes nothing."""
        name = f"{_YEAR}{year}"
        live = self.live(table.name)
        old = live.labels.get(name) if live else None
        if old:
            self._set_labels(table, {name: None})
        try:
            yield
        except JobFailedError:
            if old:
                self._set_labels(table, {name: old})
            raise

    def _set_labels(self, table: Table, labels: Mapping[str, str | None]) -> bigquery.Table:
        changed = bigquery.Table(self.jobs.dataset.table(table.name))
        changed.labels = dict(labels)  # a patch keeps all other labels, and removes those that are None
        return call_bigquery(
            lambda: self.jobs.client().update_table(changed, ["labels"], **self.jobs.options),
            f"cannot label {table.name}",
        )

    @contextmanager
    def staging(self, table: Table, year: int) -> Iterator[bigquery.TableReference]:
        """Create an empty staging table without columns; it is deleted on exit, or expires."""
        staged = bigquery.Table(self.jobs.dataset.table(f"staged_{table.name}_{year}_{uuid.uuid4().hex[:12]}"))
        staged.expires = datetime.now(UTC) + STAGING_LIFE
        staged.labels = statements.LABELS

        def create() -> None:
            with suppress(Conflict):  # created by a request whose response was lost: nobody else uses this name
                self.jobs.client().create_table(staged, **self.jobs.options)

        call_bigquery(create, f"cannot create a staging table for {table.name}")
        try:
            yield staged.reference
        finally:
            with suppress(WarehouseError):  # it expires
                call_bigquery(
                    lambda: self.jobs.client().delete_table(staged, not_found_ok=True, **self.jobs.options),
                    f"cannot delete a staging table of {table.name}",
                )

    def make_ready(self, table: Table, reads: Iterable[str] = ()) -> None:
        """Create a missing table, and load the reference tables that a statement reads.

        Raises:
            WarehouseError: the table has other columns; the message has the fix.
        """
        with self._lock:
            if table.name not in self._ready:
                if live := self.live(table.name):
                    require_same_columns(table, live)
                else:
                    self._create_all(table)
                self._ready.add(table.name)
            for name in reads:
                if name in reference.TABLES and name not in self._ready:
                    live, content = self.live(name), statements.reference_hash(name, self.estimates)
                    if live is None or live.labels.get(statements.CONTENT) != content:
                        statement = statements.create_reference(name, self.estimates)
                        self.jobs.run(statement, Purpose(f"cannot load {name}", name))
                    self._ready.add(name)

    def _create_all(self, first: Table) -> None:
        """Create all missing tables in one script, which costs no more than one statement."""

        def ensure_dataset() -> None:
            try:
                self.jobs.client().get_dataset(self.jobs.dataset, **self.jobs.options)
            except NotFound:
                new = bigquery.Dataset(self.jobs.dataset)
                new.labels = statements.LABELS
                self.jobs.client().create_dataset(new, exists_ok=True, **self.jobs.options)

        call_bigquery(ensure_dataset, f"cannot create the dataset {self.jobs.dataset.dataset_id}")
        tables = {table.name: table for table in (*TABLES.values(), first)}
        script = ";\n".join(statements.create(table) for table in tables.values()) + ";"
        self.jobs.run(script, Purpose("cannot create the tables", first.name))


def years_in_labels(live: bigquery.Table) -> dict[int, TableYear]:
    """Return the years in a table's labels. A year's bytes are its share of the table, in proportion to its rows."""
    found = {}
    for name, value in live.labels.items():
        if name.startswith(_YEAR) and (parts := _OF_A_YEAR.fullmatch(value)):
            identity, inputs, rows, milliseconds = parts.groups()
            size = (live.num_bytes or 0) * int(rows) // max(live.num_rows or 0, int(rows), 1)
            lineage = Lineage(identity, inputs)
            found[int(name.removeprefix(_YEAR))] = TableYear(int(rows), size, int(milliseconds) / 1000, lineage)
    return found


def require_same_columns(table: Table, live: bigquery.Table) -> None:
    """Check that a live table has the expected columns.

    Raises:
        WarehouseError: they differ; the message lists each difference and the statement that drops the table.
    """
    found = {field.name: _LEGACY_NAMES.get(field.field_type, field.field_type) for field in live.schema}
    wanted = {column.name: column.type for column in table.columns}
    differences = [
        f"{name} is {found.get(name, 'missing')}, expected {wanted.get(name, 'no such column')}"
        for name in (*wanted, *(found.keys() - wanted.keys()))
        if found.get(name) != wanted.get(name)
    ]
    if differences:
        where = f"{live.dataset_id}.{table.name}"
        raise WarehouseError(
            f"the columns of the table {where} differ from this version of the package: {'; '.join(differences)}. "
            f"Remove it with DROP TABLE {statements.name_of(where)}, and load its years again with `chicago-crime "
            "run`: published data stays. Or use the version of the package that wrote it"
        )
