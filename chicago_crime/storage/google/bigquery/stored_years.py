"""Which years the tables hold, as BigQuery tells of their partitions, without reading a row.

Here belongs looking. Writing down that a year is stored and empty is in `bigquery_tables.py`.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from google.cloud import bigquery

from chicago_crime.storage.google.bigquery import statements
from chicago_crime.storage.google.bigquery.jobs import Jobs, Purpose
from chicago_crime.storage.google.bigquery.live_tables import LiveTables
from chicago_crime.storage.warehouse import TableYear
from chicago_crime.tables import Table

Years = dict[str, dict[int, TableYear]]

_AT_ONCE = 8
"""The client keeps ten connections."""


@dataclass
class StoredYears:
    """The years of the tables of a dataset.

    Attributes:
        tables: tells which tables there are.
        jobs: asks about partitions.
    """

    tables: LiveTables
    jobs: Jobs
    _seen: dict[str, tuple[object, dict[int, TableYear]]] = field(default_factory=dict, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def of(self, table: Table) -> dict[int, TableYear]:
        """What a table holds, by year."""
        live = self.tables.live(table.name)
        return self._ask([live])[table.name] if live else {}

    def of_all(self, tables: Sequence[Table]) -> Years:
        """What many tables hold. BigQuery bills a question about partitions, and tells for free when a table changed.

        So one question is asked about those that changed since they were last seen, and none if none did.
        """
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            live = [one for one in pool.map(lambda table: self.tables.live(table.name), tables) if one]
        states = {one.table_id: (one.etag, one.modified) for one in live}
        with self._lock:
            changed = [one for one in live if self._seen.get(one.table_id, (None,))[0] != states[one.table_id]]
            self._seen |= {name: (states[name], years) for name, years in self._ask(changed).items()}
            return {table.name: self._seen[table.name][1] if table.name in states else {} for table in tables}

    def _ask(self, live: Sequence[bigquery.Table]) -> Years:
        names = [table.table_id for table in live]
        found: Years = {
            table.table_id: {year: TableYear(0, 0, at) for year, at in self.tables.marked_empty(table).items()}
            for table in live
        }
        if names:
            purpose = Purpose(f"cannot look up the years of {', '.join(names)}", names[0])
            query = statements.partitions(self.tables.dataset.dataset_id)
            for row in self.jobs.read(query, purpose, {"tables": names}).to_pylist():
                year = TableYear(row["row_count"], row["bytes"], row["replaced_at"].timestamp())
                found[row["table_name"]][row["year"]] = year
        return {name: dict(sorted(years.items())) for name, years in found.items()}
