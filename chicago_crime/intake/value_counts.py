"""Counts of the values of a file, with the SQL of the typed table, and the rows behind each count."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Self

import duckdb
import numpy as np
from sqlglot import exp

from chicago_crime import sql
from chicago_crime.sources.base import Place
from chicago_crime.sql.duckdb_dialect import to_duckdb
from chicago_crime.sql.duckdb_scans import csv_scan
from chicago_crime.tables.columns import LATITUDE, LONGITUDE, SOURCE_NAMES, X_FT, Y_FT

MAX_UNREADABLE_SHARE = 0.001
"""Maximum share of unreadable values in a column."""

_BOUNDS = {
    **dict(zip(("west_ft", "east_ft", "south_ft", "north_ft"), (*X_FT, *Y_FT), strict=True)),
    **dict(zip(("south", "north", "west", "east"), (*LATITUDE, *LONGITUDE), strict=True)),
}


@dataclass(frozen=True)
class CountedRows:
    """The rows of a canonical CSV, or of one of the user's files in it, with counts of their values.

    Attributes:
        place_of: returns the place in the user's file of a row of the CSV, numbered from 1.
        total: counts of what can be read in them.
        above: number of rows above the first one; None for all rows.
    """

    connection: duckdb.DuckDBPyConnection
    file: Path
    place_of: Callable[[int], Place]
    total: Mapping[str, Any]
    above: int | None = None

    @classmethod
    def of_file(cls, connection: duckdb.DuckDBPyConnection, file: Path, place_of: Callable[[int], Place]) -> Self:
        """Count the values of all rows of a file."""
        uncounted = cls(connection, file, place_of, {})
        [total] = uncounted.query(_counts())
        return replace(uncounted, total=total)

    def by_file(self, ends: Sequence[int]) -> "list[Self]":
        """Return the rows of each of the user's files, counted in one pass; `ends` has their last numbers."""
        import pyarrow as pa  # slow to import, and most years have one file

        counts = np.diff([0, *ends])
        above = np.repeat(np.cumsum(counts) - counts, counts)
        self.connection.register("files", pa.table({"row": np.arange(1, len(above) + 1), "above": above}))
        return [replace(self, total=total, above=total["above"]) for total in self.query(_counts_by_file())]

    @property
    def days(self) -> dict[date, int]:
        """Number of rows by day, of any year."""
        return self.total["days"] or {}

    @property
    def crimes_by_day(self) -> dict[date, int]:
        """The same, but rows that share an id count once."""
        if self.total["distinct_ids"] == self.total["id"]:
            return self.days
        return {one["day"]: one["crimes"] for one in self.query(_crimes_by_day())}

    @property
    def shared_ids(self) -> dict[str, Any] | None:
        """The row of `fragments/shared_ids.sql`, with the first row that shares its id; None if there is none."""
        return next(iter(self.query(_shared_ids())), None)

    @cached_property
    def day_order(self) -> dict[str, Any]:
        """Whether days or months come first in dates in numbers: the row of `fragments/day_order.sql`."""
        [found] = self.query(_day_order(self.above is not None))
        return found

    def query(self, query: str) -> list[dict[str, Any]]:
        """Return the result of a query."""
        answer = self.connection.execute(query, self._parameters)
        names = [column[0] for column in answer.description]
        return [dict(zip(names, values, strict=True)) for values in answer.fetchall()]

    def first(self, name: str, where: str = "WHERE value IS NOT NULL") -> tuple[Any, Place]:
        """Return the first value that a count includes, and its place, optionally under a condition."""
        found = self.numbered(name, f"{where} ORDER BY row LIMIT 1")
        row, value = found[0] if found else (1, "")
        return value, self.place_of((self.above or 0) + row)

    def numbered(self, name: str, where: str) -> list[tuple[int, Any]]:
        """Return the numbers and original texts of the values that a count includes."""
        query = _numbered_values(name, where, self.above is not None)
        return self.connection.execute(query, self._parameters).fetchall()

    @property
    def _parameters(self) -> dict[str, Any]:
        part = {} if self.above is None else {"above": self.above, "count": self.total["crimes"]}
        return {"file": str(self.file)} | part


@cache
def _counts() -> str:
    # GoogleSQL has no histogram, and counting distinct ids in a query grouped by day is slower.
    days = "HISTOGRAM(CAST(date AS DATE)) AS days"
    query = sql.statement("fragments/values_read").select(days, dialect="duckdb")
    return to_duckdb(query, _BOUNDS, lambda _: _raw_rows(is_part=False))


@cache
def _counts_by_file() -> str:
    by_file = exp.select("*").from_(_numbered_rows(is_part=False)).join("files", using="row").subquery()
    query = sql.statement("fragments/values_read").select("raw.above AS above")
    query.set("group", exp.Group(expressions=[exp.column("above", "raw")]))
    return to_duckdb(query, _BOUNDS, lambda _: by_file)


@cache
def _crimes_by_day() -> str:
    return to_duckdb(sql.statement("fragments/crimes_by_day"), {}, lambda _: _raw_rows(is_part=False))


@cache
def _shared_ids() -> str:
    query = sql.statement("fragments/shared_ids").select("MIN(raw.row) AS row")
    return to_duckdb(query, _BOUNDS, lambda _: _numbered_rows(is_part=False))


@cache
def _day_order(is_part: bool) -> str:
    return to_duckdb(sql.statement("fragments/day_order"), {}, lambda _: _raw_rows(is_part))


@cache
def _numbered_values(counted: str, where: str, is_part: bool = False) -> str:
    """Return a query for the row number and original text of the values that a column of `values_read` counts."""
    query = sql.statement("fragments/values_read")
    [value] = [column.this.this for column in query.selects if column.alias == counted]
    raw = {column.name: column for column in value.find_all(exp.Column) if column.table == "raw"}
    written = raw.popitem()[1] if len(raw) == 1 else value
    values = query.select(value.as_("value"), written.as_("written"), exp.column("row", "raw"), append=False)
    return f"SELECT row, written FROM ({to_duckdb(values, _BOUNDS, lambda _: _numbered_rows(is_part))}) {where}"


def _numbered_rows(is_part: bool) -> exp.Expr:
    """The raw rows, with their number as `row`."""
    return exp.select("*", "ROW_NUMBER() OVER () AS row").from_(_raw_rows(is_part)).subquery()


def _raw_rows(is_part: bool) -> exp.Expr:
    """The rows of `$file`: all, or `$count` of them below the first `$above`."""
    scan = csv_scan("$file", SOURCE_NAMES)
    count, above = (exp.Parameter(this=exp.var(name)) for name in ("count", "above"))
    return exp.select("*").from_(scan).limit(count).offset(above).subquery() if is_part else scan
