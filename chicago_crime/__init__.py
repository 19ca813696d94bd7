"""Chicago's reported crimes since 2001, from yearly CSVs to tables and marts.

`open()` is the Python API: it gives a published snapshot as a DuckDB database. `definitions.py` is the place to start
reading how snapshots are made.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # slow to import, and every module of the package imports this one
    from pathlib import Path

    from chicago_crime.published.database import Database


def open(location: str | Path | None = None, *, as_of: date | str | None = None) -> Database:
    """Open a published snapshot for reading.

    Args:
        location: a data directory, a folder or web address with a copy of `published/`, or `gs://BUCKET`; by default
            that of the settings.
        as_of: the snapshot: the newest at the end of a day (a date, or as 2026-05-31), or the one with an id; by
            default the current one.

    Raises:
        NothingPublishedError: there is no snapshot, or none on that day.
        DamagedError: its catalog is damaged.
        UsageError: the location or the day cannot be read.
    """
    from chicago_crime.installation import reader_at
    from chicago_crime.published.database import Database

    return Database(reader_at(location, as_of))
