"""The tables: what each holds, its grain, its columns and its order.

Here belongs what is true of a table wherever it is stored: rows of crimes in `layers.py`, counts of them in `marts.py`,
what both share in `base.py`. How rows are computed is in `sql/` (one file per table) and `spark_jobs/`; where they are
stored, in `resources/`.
"""

from chicago_crime.tables.base import CELL_FT, Table
from chicago_crime.tables.layers import CRIMES, ENRICHED_CRIMES, RAW_CRIMES, REJECTED_CRIMES, REVISIONS
from chicago_crime.tables.marts import (
    AREA_RATES,
    CRIME_TYPE_COUNT,
    CRIMES_BY_CELL,
    CRIMES_DAILY,
    CRIMES_HOURLY,
    CRIMES_MONTHLY,
    HOT_SPOTS,
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        RAW_CRIMES,
        CRIMES,
        REJECTED_CRIMES,
        REVISIONS,
        ENRICHED_CRIMES,
        CRIME_TYPE_COUNT,
        CRIMES_DAILY,
        HOT_SPOTS,
        CRIMES_MONTHLY,
        CRIMES_HOURLY,
        CRIMES_BY_CELL,
        AREA_RATES,
    )
}

__all__ = [
    "AREA_RATES",
    "CELL_FT",
    "CRIMES",
    "CRIMES_BY_CELL",
    "CRIMES_DAILY",
    "CRIMES_HOURLY",
    "CRIMES_MONTHLY",
    "CRIME_TYPE_COUNT",
    "ENRICHED_CRIMES",
    "HOT_SPOTS",
    "RAW_CRIMES",
    "REJECTED_CRIMES",
    "REVISIONS",
    "TABLES",
    "Table",
]
