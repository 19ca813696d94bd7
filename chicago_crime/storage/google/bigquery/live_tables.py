"""The live tables: made when they are first needed, compared with `tables/`, migrated where nothing can be lost.

Here belongs the life of a table as such, and which of its years are stored and empty. Its rows belong in `bigquery.py`.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from chicago_crime import reference
from chicago_crime.storage.google.bigquery import ddl
from chicago_crime.storage.google.bigquery.client import told
from chicago_crime.storage.google.bigquery.jobs import Jobs, Purpose
from chicago_crime.tables import TABLES, Table

_EMPTY = "empty_"
_CHANGED = "columns_added"


@dataclass
class LiveTables:
    """The tables of a dataset.

    Whether a year without rows is stored or was never loaded, partitions do not tell: one without rows is no partition.
    So it is written down in a label of the table, `empty_2014`, whose value is the time in epoch milliseconds. A label
    is set after the rows are gone: who is killed in between leaves a year that counts as not loaded, and is loaded
    again. Rows always win over the label, so it need not be taken away. Labels of two years never get in each other's
    way.

    Attributes:
        client: gives the client.
        dataset: where the tables are.
        location: region of the dataset.
        jobs: runs the DDL.
    """

    client: Callable[[], bigquery.Client]
    dataset: bigquery.DatasetReference
    location: str
    jobs: Jobs
    _ready: set[str] = field(default_factory=set, init=False)
    _in_use: dict[str, threading.Lock] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def reference_to(self, name: str) -> bigquery.TableReference:
        """A table, or a partition as in crimes$2014."""
        return self.dataset.table(name)

    def live(self, name: str) -> bigquery.Table | None:
        """A table as it is now, None if it is not there."""

        def look() -> bigquery.Table | None:
            try:
                return self.client().get_table(self.reference_to(name), **self.jobs.how)
            except NotFound:
                return None

        return told(look, f"cannot look at {name}")

    def make_ready(self, tables: Iterable[Table], reads: Iterable[str] = ()) -> None:
        """See that tables are there and as `tables/` has them, and the reference tables that a statement reads.

        Raises:
            WarehouseError: a table differs in what cannot be migrated without loss.
        """
        with self._lock:
            for table in tables:
                if table.name not in self._ready:
                    self._make_ready(table)
                    self._ready.add(table.name)
            for name in reads:
                if name in reference.TABLES and name not in self._ready:
                    live = self.live(name)
                    if live is None or live.labels.get(ddl.CONTENT) != ddl.reference_hash(name):
                        self.jobs.run(ddl.create_reference(name), Purpose(f"cannot load {name}", name))
                    self._ready.add(name)

    def _make_ready(self, table: Table) -> None:
        live = self.live(table.name)
        if live is None:
            self._make_all(table)
        elif missing := ddl.missing_columns(table, live):
            self.jobs.run(ddl.add(table, missing), Purpose(f"cannot add columns to {table.name}", table.name))
            changed = self.live(table.name)
            if changed and changed.modified:  # by BigQuery's clock, as the times of its partitions are
                self._label(table, _CHANGED, changed.modified.timestamp())

    def _make_all(self, first: Table) -> None:
        """Make every table that is not there, in one script: it costs no more than one of them."""

        def see_to_dataset() -> None:
            try:
                self.client().get_dataset(self.dataset, **self.jobs.how)
            except NotFound:
                made = bigquery.Dataset(self.dataset)
                made.location, made.labels = self.location, ddl.LABELS
                self.client().create_dataset(made, exists_ok=True, **self.jobs.how)

        told(see_to_dataset, f"cannot make the dataset {self.dataset.dataset_id}")
        tables = {table.name: table for table in (*TABLES.values(), first)}
        script = ";\n".join(ddl.create(table) for table in tables.values()) + ";"
        self.jobs.run(script, Purpose("cannot make the tables", first.name))

    @contextmanager
    def alone(self, tables: Iterable[Table]) -> Iterator[None]:
        """Within, no other transaction of this process changes these tables: BigQuery would abort one of the two."""
        with ExitStack() as held:
            for name in sorted(table.name for table in tables):
                with self._lock:
                    lock = self._in_use.setdefault(name, threading.Lock())
                held.enter_context(lock)
            yield

    def mark_empty(self, table: Table, year: int) -> float:
        """Write down that a year is stored and has no rows; the time that is written, in epoch seconds."""
        return self._label(table, f"{_EMPTY}{year}", time.time())

    @staticmethod
    def marked_empty(live: bigquery.Table) -> dict[int, float]:
        """The years that are written down as empty, each with the time of it, in epoch seconds."""
        marks = {name: at for name, at in live.labels.items() if name.startswith(_EMPTY)}
        return {int(name.removeprefix(_EMPTY)): int(at) / 1000 for name, at in marks.items()}

    @staticmethod
    def columns_added_at(live: bigquery.Table) -> float:
        """When the newest columns were added; years replaced before it have NULLs there. 0 if none ever was."""
        return int(live.labels.get(_CHANGED, 0)) / 1000

    def _label(self, table: Table, name: str, at: float) -> float:
        # Only this label is sent: a patch leaves all others as they are.
        changed = bigquery.Table(self.reference_to(table.name))
        milliseconds = int(at * 1000)
        changed.labels = {name: str(milliseconds)}
        told(lambda: self.client().update_table(changed, ["labels"], **self.jobs.how), f"cannot label {table.name}")
        return milliseconds / 1000
