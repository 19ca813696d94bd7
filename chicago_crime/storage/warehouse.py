"""The interface of the warehouse, which DuckDB and BigQuery implement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from chicago_crime.errors import PlatformError
from chicago_crime.storage.lineage import Lineage, digest
from chicago_crime.tables import Table


class WarehouseError(PlatformError):
    """A statement failed or was refused; the message names the table, year or file and says what to do."""


def no_year(table: str, year: int) -> str:
    """The message about a year that a table does not hold."""
    return f"{table} has no year {year}; to make it: chicago-crime run --years {year} --assets {table}"


@dataclass(frozen=True)
class TableYear:
    """One stored year of one table.

    Attributes:
        rows: number of rows.
        bytes: size; BigQuery's is the year's share of the table.
        replaced_at: when it was last replaced, in epoch seconds.
        lineage: what it was made of.
        details: facts about the replacement just made, by name, such as its cost.
    """

    rows: int
    bytes: int = field(compare=False)
    replaced_at: float
    lineage: Lineage
    details: Mapping[str, int | float | str] = field(default_factory=dict, compare=False)


def is_made_of(made: TableYear, upstream: Sequence[TableYear | None]) -> bool:
    """Whether a year of a table was made from these years of the tables upstream."""
    return made.lineage.inputs == digest(*_identities(upstream))


def _identities(upstream: Sequence[TableYear | None]) -> list[str]:
    return [one.lineage.identity if one else "" for one in upstream]


@dataclass(frozen=True)
class FirstRows:
    """The first rows of an answer: names of its columns, and a tuple of values for each row."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True)
class Glance:
    """What a year of a table looks like: NULLs by column, and its first rows."""

    nulls: dict[str, int]
    first: FirstRows


class TableReader(ABC):
    """Reads tables that a warehouse has written: all that `status` and `query` need."""

    def stored(self, table: Table) -> dict[int, TableYear]:
        """What the table holds, by year."""
        return self.stored_of_all([table])[table.name]

    @abstractmethod
    def stored_of_all(self, tables: Sequence[Table]) -> dict[str, dict[int, TableYear]]:
        """What several tables hold, by table name and year; cheap enough to call often."""

    def damaged_years(self) -> Mapping[tuple[str, int], str]:
        """What cannot be read, by table and year: the file, what is wrong and what to do."""
        return {}

    @abstractmethod
    def outdated(self, table: Table) -> list[int]:
        """Stored years with other columns than the table: another version of this package wrote them."""

    @abstractmethod
    def first_rows(self, sql: str, count: int | None) -> FirstRows:
        """The first rows of the answer to a query in the warehouse's own dialect; None for all. No other is fetched.

        Raises:
            WarehouseError: the query cannot be run; the message is the engine's.
        """

    @abstractmethod
    def write(self, sql: str, file: Path, format: str) -> None:
        """Write the whole answer to a query into a file, as csv, json or parquet.

        Raises:
            WarehouseError: the query cannot be run; the message is the engine's.
        """


class Warehouse(TableReader):
    """Tables by year. A write replaces a whole year of a table atomically: readers see the old year or the new one.

    Attributes:
        estimates: a CSV of residents after the last census, if there is one.
    """

    estimates: Path | None

    def for_run(self, run_id: str) -> Self:
        """This warehouse, labelling its jobs with the id of a Dagster run where it can."""
        return self

    @abstractmethod
    def load_csv(self, table: Table, year: int, csv: str, sha256: str) -> TableYear:
        """Replace a year by a CSV at a location from the object store, with that checksum.

        The CSV has the table's columns in their order, under any header.
        """

    @abstractmethod
    def load_parquet(self, table: Table, year: int, folder: str, lineage: Lineage | None = None) -> TableYear:
        """Replace a year by the rows of the Parquet files below a folder (a path or a URI), with the table's columns.

        No file means no rows.

        Args:
            table: the table.
            year: the year.
            folder: the folder, or one file that ends in .parquet.
            lineage: of the rows, where they are a published year; else they were made from the tables upstream.

        Raises:
            WarehouseError: a file lacks a column, a value does not fit its type, or a row is of another year.
        """

    def load_parquets(self, folders: Mapping[Table, str], year: int) -> dict[str, TableYear]:
        """Replace a year of several tables, each as `load_parquet` does; by table name."""
        return {table.name: self.load_parquet(table, year, folder) for table, folder in folders.items()}

    @abstractmethod
    def clear_year(self, table: Table, year: int) -> TableYear:
        """Replace a year by no rows: it is stored, and empty."""

    @abstractmethod
    def replace_year(self, table: Table, year: int) -> TableYear:
        """Replace a year by the result of the table's statement in `sql/` over the same year of other tables."""

    @abstractmethod
    def export_parquet(self, table: Table, years: Sequence[int], folder: str) -> None:
        """Write some years as Parquet files into a folder (a path or a URI), for the Spark job to read.

        Raises:
            WarehouseError: a year is not stored.
        """

    @abstractmethod
    def fetch_parquet(self, tables: Sequence[Table], years: Sequence[int], folder: Path) -> dict[tuple[str, int], Path]:
        """Parquet files on this machine with years of tables, all as of one instant, by table name and year.

        Their columns and the order of their rows are the table's.

        Args:
            tables: the tables.
            years: the years; each must be stored.
            folder: where files may be put.
        """

    @abstractmethod
    def measure(self, table: Table, years: Sequence[int], measures: Mapping[str, str]) -> dict[int, dict[str, Any]]:
        """Aggregates over years of a table, by year and name.

        Args:
            table: the table.
            years: the years; each must be stored.
            measures: GoogleSQL aggregates over the table's columns, by name, e.g. {"arrests": "COUNTIF(arrest)"}.
        """

    def glance(self, table: Table, year: int) -> Glance | None:
        """What a stored year looks like; None where telling would take a query that is billed."""
        return None

    @abstractmethod
    def count_by(self, table: Table, years: Sequence[int], column: str) -> dict[int, dict[str, int]]:
        """Rows by year and value of a string column ("" stands for NULL), most frequent first, ties by value.

        Each year must be stored.
        """

    def _lineage(self, table: Table, year: int) -> Lineage:
        """The lineage of a year made now."""
        above = [stored.get(year) for stored in self.stored_of_all(table.upstream).values()]
        return Lineage.of(table, _identities(above), self.estimates)
