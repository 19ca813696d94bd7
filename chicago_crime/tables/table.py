"""`Table`: all that is known about one table. Assets, checks, lineage, DDL and documentation derive from it."""

from dataclasses import dataclass
from typing import Literal

from chicago_crime.tables.columns import Column

Columns = tuple[str, ...]


@dataclass(frozen=True)
class AddsUp:
    """What a table's counts must add up to, in each year; a blocking check proves it.

    Attributes:
        total: GoogleSQL aggregate over the table.
        upstream: GoogleSQL aggregate over the first table upstream, which must give the same number.
    """

    total: str = "SUM(crimes)"
    upstream: str = "COUNT(*)"


@dataclass(frozen=True)
class Table:
    """One table, partitioned by year.

    Attributes:
        name: table name and asset key.
        description: what it holds.
        grain: what one row is.
        columns: in the table's order.
        key: columns that together identify a row; empty if rows may repeat.
        order: columns that rows are sorted by, so that readers can skip what they do not need; empty where they read
            the whole year anyway.
        year_column: the INT64 column with the year that a row belongs to; None if only its file says so.
        group: the asset group; that of what the Spark job makes is `spark`.
        made_by: `csv` if a CSV is loaded as it is, `sql` for `sql/tables/NAME.sql`, `spark` for the Spark job.
        upstream: the tables that it is computed from.
        adds_up: what its counts must add up to; None if it counts nothing.
    """

    name: str
    description: str
    grain: str
    columns: tuple[Column, ...]
    key: Columns = ()
    order: Columns = ()
    year_column: str | None = "year"
    group: str = "marts"
    made_by: Literal["csv", "sql", "spark"] = "sql"
    upstream: "tuple[Table, ...]" = ()
    adds_up: AddsUp | None = None

    @property
    def total_order(self) -> Columns:
        """Columns that decide the place of every row, so that equal rows make equal files."""
        return tuple(dict.fromkeys((*self.order, *(self.key or (column.name for column in self.columns)))))
