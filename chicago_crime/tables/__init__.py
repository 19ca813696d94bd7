"""Definitions of all tables, independent of the storage. `sql/tables/` and `spark_jobs/` compute their rows."""

from chicago_crime.tables import layers, marts
from chicago_crime.tables.columns import CELL_FT
from chicago_crime.tables.layers import CRIMES, ENRICHED_CRIMES, RAW_CRIMES, REJECTED_CRIMES, REVISIONS
from chicago_crime.tables.marts import AREA_RATES, CODE_COVERAGE, CRIME_TYPE_COUNT
from chicago_crime.tables.table import Table

TABLES: dict[str, Table] = {
    table.name: table for module in (layers, marts) for table in vars(module).values() if isinstance(table, Table)
}
"""All tables by name. Each is defined after its upstream tables."""

__all__ = [
    "AREA_RATES",
    "CELL_FT",
    "CODE_COVERAGE",
    "CRIMES",
    "CRIME_TYPE_COUNT",
    "ENRICHED_CRIMES",
    "RAW_CRIMES",
    "REJECTED_CRIMES",
    "REVISIONS",
    "TABLES",
    "Table",
]
