"""Dagster's event log in SQLite, quicker: it does not start anew for each event.

Here belongs how events are stored on a laptop, in the very files that Dagster's own class reads and writes. Which
instance uses it is said in `instance.py`.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import lru_cache
from typing import Any

from dagster import EventLogEntry
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, NullPool, create_engine

BATCH_SIZE = "DAGSTER_EVENT_BATCH_SIZE"
"""The environment variable by which Dagster hands over events that belong together in batches of at most so many."""

INDEX = "index"
"""Name of the database that holds the events about assets of all runs; the others are named by their run."""


class BatchingEventLog(SqliteEventLogStorage):
    """A `SqliteEventLogStorage` with one SQLAlchemy engine for each database, and one transaction for each batch.

    An engine remembers how statements are compiled, which takes longer than running them. Connections are closed after
    each event or batch all the same: then SQLite brings the file up to date, by which the UI notices new events.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._one_at_a_time = threading.RLock()
        self._made: set[str] = set()
        self._batch: ExitStack | None = None
        self._connections_of_batch: dict[str, Connection] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "BatchingEventLog":
        """See `ConfigurableClass.from_config_value`."""
        return cls(inst_data=inst_data, **config_value)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """See `EventLogStorage.store_event_batch`. In each database, all of them are stored or none."""
        with self._one_at_a_time, ExitStack() as transactions:
            self._batch = transactions
            try:
                super().store_event_batch(events)
            finally:
                self._batch = None
                self._connections_of_batch = {}

    def run_connection(self, run_id: str | None = None) -> AbstractContextManager[Connection]:
        """See `SqlEventLogStorage.run_connection`."""
        return self._connection(str(run_id))

    def index_connection(self) -> AbstractContextManager[Connection]:
        """See `SqlEventLogStorage.index_connection`."""
        return self._connection(INDEX)

    @contextmanager
    def _connection(self, database: str) -> Iterator[Connection]:
        with self._one_at_a_time:
            if database not in self._made:
                with self._connect(database):  # makes the tables, should they not be there yet
                    self._made.add(database)
            begin = _engine(self.conn_string_for_shard(database)).begin
            if self._batch is None:
                with begin() as connection:
                    yield connection
            else:
                if database not in self._connections_of_batch:
                    self._connections_of_batch[database] = self._batch.enter_context(begin())
                yield self._connections_of_batch[database]


@lru_cache(maxsize=16)
def _engine(address: str) -> Engine:
    return create_engine(address, poolclass=NullPool, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
