"""Chicago's reported crimes since 2001, from the City's records to tables and marts.

`open()` is the Python API: it opens a published snapshot as a DuckDB database. To see how they are made, start with
`definitions.py`.
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
        location: a data folder, a folder or URL with a copy of `published/`, or `gs://BUCKET`. By default, the
            location in the settings.
        as_of: a day (a date, or text like 2026-05-31) to open the newest snapshot at its end, or the id of a snapshot.
            By default, the current snapshot.

    Raises:
        NothingPublishedError: there is no snapshot, or none for that day or id.
        DamagedError: its catalog is damaged.
        ObjectStoreError: the location cannot be reached, or it is a URL and `as_of` is a day.
        UsageError: the location or `as_of` is invalid.
    """
    from chicago_crime.installation import reader_at
    from chicago_crime.published.database import Database

    return Database(reader_at(location, as_of))
