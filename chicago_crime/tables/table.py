"""The definition of one table, from which assets, checks, lineage, DDL and documentation are generated."""

from dataclasses import dataclass
from typing import Literal

from chicago_crime.tables.columns import Column

Columns = tuple[str, ...]


@dataclass(frozen=True)
class AddsUp:
    """Two aggregates that must be equal in each year, which a check verifies.

    Attributes:
        total: GoogleSQL aggregate over the table.
        upstream: GoogleSQL aggregate over its first upstream table.
    """

    total: str = "SUM(crimes)"
    upstream: str = "COUNT(*)"


@dataclass(frozen=True)
class Table:
    """One table, partitioned by year.

    Attributes:
        name: table name and asset key.
        description: one or two sentences about its contents.
        grain: completes the sentence "One row per ...".
        columns: columns in table order.
        key: columns that together identify a row; empty if rows may repeat.
        order: sort columns, which let readers skip rows; empty if readers always need the full year.
        year_column: INT64 column with the row's year; None if only the file determines it.
        group: asset group; tables made by Spark are in `spark` instead.
        made_by: `csv` for a CSV loaded unchanged, `sql` for `sql/tables/NAME.sql`, `spark` for the Spark job.
        upstream: tables it is computed from.
        adds_up: totals that must match the upstream table; None if the table has no counts.
        impossible: contradictions between columns of a row, each with its condition in GoogleSQL.
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
    impossible: tuple[tuple[str, str], ...] = ()

    @property
    def total_order(self) -> Columns:
        """Sort columns that determine the order of all rows, so that equal rows produce equal files."""
        return tuple(dict.fromkeys((*self.order, *(self.key or (column.name for column in self.columns)))))
