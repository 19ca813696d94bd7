"""The interface of the warehouse, which DuckDB and BigQuery implement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from chicago_crime.errors import PlatformError
from chicago_crime.storage.lineage import Lineage, digest
from chicago_crime.tables import TABLES, Table


class WarehouseError(PlatformError):
    """A statement failed or was refused; the message names the table, year or file, and the fix."""


def no_year(table: str, year: int) -> str:
    """The message about a year that is not stored. The upstream tables may lack it too, so the advice loads all."""
    if table not in TABLES:
        return f"there is no table {table}: correct its name in the SQL"
    return f"{table} has no year {year}: load it with `chicago-crime run --years {year}`, or materialize all assets"


@dataclass(frozen=True)
class TableYear:
    """One stored year of one table.

    Attributes:
        rows: number of rows.
        bytes: size; BigQuery's is the year's share of the table.
        replaced_at: when it was last replaced, in epoch seconds.
        lineage: what it was computed from.
        details: facts about this replacement by name, such as its cost.
    """

    rows: int
    bytes: int = field(compare=False)
    replaced_at: float
    lineage: Lineage
    details: Mapping[str, int | float | str] = field(default_factory=dict, compare=False)


def is_computed_from(stored: TableYear, upstream: Sequence[TableYear | None]) -> bool:
    """Whether a year of a table was computed from these years of its upstream tables."""
    return stored.lineage.inputs == digest(*_identities(upstream))


def _identities(upstream: Sequence[TableYear | None]) -> list[str]:
    return [one.lineage.identity if one else "" for one in upstream]


@dataclass(frozen=True)
class FirstRows:
    """The first rows of a query's result: column names, and a tuple of values per row."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True)
class Preview:
    """A preview of a year of a table: NULLs by column, and the first rows."""

    nulls: dict[str, int]
    first: FirstRows


class TableReader(ABC):
    """Read access to a warehouse's tables; all that `status` and `query` need."""

    def stored(self, table: Table) -> dict[int, TableYear]:
        """Return the stored years of a table."""
        return self.stored_of_all([table])[table.name]

    @abstractmethod
    def stored_of_all(self, tables: Sequence[Table]) -> dict[str, dict[int, TableYear]]:
        """Return the stored years of several tables, by table name; cheap enough to call often."""

    def damaged_years(self) -> Mapping[tuple[str, int], str]:
        """Return the years that cannot be read, by table name and year: the file, the problem and the fix."""
        return {}

    def damage(self, table: str, year: int) -> str | None:
        """Read a stored year in full, and return how it is damaged; None if it is intact or has no checksum of ours."""
        return None

    @abstractmethod
    def outdated(self, table: Table) -> list[int]:
        """List stored years with other columns than the table's, written by another version of this package."""

    @abstractmethod
    def first_rows(self, sql: str, count: int | None) -> FirstRows:
        """Return the first rows of a query in the warehouse's own dialect, or all for None. No others are fetched.

        Raises:
            WarehouseError: the query fails; the message is the engine's.
        """

    @abstractmethod
    def write(self, sql: str, file: Path, format: str) -> None:
        """Write the full result of a query to a file, as csv, json or parquet.

        Raises:
            WarehouseError: the query fails; the message is the engine's.
        """


class Warehouse(TableReader):
    """Tables by year. A write replaces a full year of a table atomically: readers see the old year or the new one.

    Attributes:
        estimates: CSV of residents after the last census, if any.
    """

    estimates: Path | None

    def for_run(self, run_id: str) -> Self:
        """Return this warehouse; its jobs are labeled with the id of a Dagster run where that is supported."""
        return self

    @abstractmethod
    def load_csv(self, table: Table, year: int, csv: str, sha256: str) -> TableYear:
        """Replace a year with a CSV at a location in the object store; its checksum becomes the year's lineage.

        The CSV has the table's columns in their order, under any header.
        """

    @abstractmethod
    def load_parquet(self, table: Table, year: int, folder: str, lineage: Lineage | None = None) -> TableYear:
        """Replace a year with the rows of the Parquet files below a folder (a path or a URI), or with none.

        Instead of a folder, it may be one file that ends in .parquet. By default, the lineage is that of rows computed
        from the upstream tables.

        Raises:
            WarehouseError: a file lacks a column, a value does not fit its type, or a row is from another year.
        """

    def load_parquets(self, folders: Mapping[Table, str], year: int) -> dict[str, TableYear]:
        """Replace a year of several tables, each as `load_parquet` does. Returns the new years by table name."""
        return {table.name: self.load_parquet(table, year, folder) for table, folder in folders.items()}

    @abstractmethod
    def clear_year(self, table: Table, year: int) -> TableYear:
        """Replace a year with no rows: it is stored, and empty."""

    @abstractmethod
    def replace_year(self, table: Table, year: int) -> TableYear:
        """Replace a year with the result of the table's statement in `sql/`, over the same year of other tables."""

    @abstractmethod
    def export_parquet(self, table: Table, years: Sequence[int], folder: str) -> None:
        """Export years as Parquet files to a folder (a path or a URI), for the Spark job to read.

        Raises:
            WarehouseError: a year is not stored.
        """

    @abstractmethod
    def fetch_parquet(self, tables: Sequence[Table], years: Sequence[int], folder: Path) -> dict[tuple[str, int], Path]:
        """Return local Parquet files with years of tables, all as of one instant, by table name and year.

        Their columns and row order are the table's. Each year must be stored.
        """

    @abstractmethod
    def measure(self, table: Table, years: Sequence[int], measures: Mapping[str, str]) -> dict[int, dict[str, Any]]:
        """Compute GoogleSQL aggregates over years of a table, which must be stored, by year and name.

        An example is {"arrests": "COUNTIF(arrest)"}.
        """

    def preview(self, table: Table, year: int) -> Preview | None:
        """Return a preview of a stored year; None if it would take a billed query."""
        return None

    @abstractmethod
    def count_by(self, table: Table, years: Sequence[int], column: str) -> dict[int, dict[str, int]]:
        """Count rows by year and value of a string column ("" for NULL), most frequent first, ties by value.

        Each year must be stored.
        """

    def _lineage(self, table: Table, year: int) -> Lineage:
        """Return the lineage of a year computed now."""
        upstream = [stored.get(year) for stored in self.stored_of_all(table.upstream).values()]
        return Lineage.of(table, _identities(upstream), self.estimates)
