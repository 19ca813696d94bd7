"""Dagster's event log in SQLite, quicker: it does not start anew for each event.

Here belongs how events are stored on a laptop, in the very files that Dagster's own class reads and writes. Which
instance uses it is said in `instance.py`.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import Any

from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, NullPool, create_engine

INDEX = "index"
"""Name of the database that holds the events about assets of all runs; the others are named by their run."""


class ReusedEngineEventLog(SqliteEventLogStorage):
    """A `SqliteEventLogStorage` that makes one SQLAlchemy engine for each database, and not one for each statement.

    An engine remembers how statements are compiled, which takes longer than running them. Connections are still made
    anew and closed: when the last is closed, SQLite brings the file up to date, by which the UI notices new events.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._one_at_a_time = threading.Lock()
        self._made: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "ReusedEngineEventLog":
        """See `ConfigurableClass.from_config_value`."""
        return cls(inst_data=inst_data, **config_value)

    def run_connection(self, run_id: str | None = None) -> AbstractContextManager[Connection]:
        """See `SqlEventLogStorage.run_connection`."""
        return self._reconnect(str(run_id))

    def index_connection(self) -> AbstractContextManager[Connection]:
        """See `SqlEventLogStorage.index_connection`."""
        return self._reconnect(INDEX)

    @contextmanager
    def _reconnect(self, database: str) -> Iterator[Connection]:
        if database not in self._made:
            with self._connect(database):  # makes the tables, should they not be there yet
                self._made.add(database)
        with self._one_at_a_time, _engine(self.conn_string_for_shard(database)).begin() as connection:
            yield connection


@lru_cache(maxsize=16)
def _engine(address: str) -> Engine:
    return create_engine(address, poolclass=NullPool, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
