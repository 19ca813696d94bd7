"""SQL on the BigQuery server: Google's analyzer checks statements, and DuckDB runs them by BigQuery's rules.

Statements that change rows run one at a time, and queries as of a given time see the current rows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery

from chicago_crime.sql.duckdb_dialect import to_duckdb
from chicago_crime_tests.servers.bigquery_catalog import (
    DUCKDB_TYPES,
    PARTITION,
    Catalog,
    JobError,
    LiveTable,
    table_from_ddl,
)
from chicago_crime_tests.servers.googlesql import Analyzer, GoogleSQLError

LEAST_BILLED = 10 << 20

_Tables = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


@lru_cache(maxsize=32)
def _analyzer(tables: _Tables) -> Analyzer:
    return Analyzer(dict(tables))


@lru_cache(maxsize=2048)
def _read_by_google(tables: _Tables, text: str) -> list[tuple[str, str]] | str:
    """The columns of a statement's result, or its error. Cached, because analysis is slow."""
    try:
        return _analyzer(tables).check(text)
    except GoogleSQLError as error:
        return str(error)


@lru_cache(maxsize=512)
def _parsed(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, read="bigquery")


class Session:
    """Runs one job's statements.

    Attributes:
        statement: type of its statement, or SCRIPT for several.
        inserted: rows inserted or loaded; None without any such statement.
        columns, rows: result of its last query, with the columns' types.
    """

    def __init__(self, catalog: Catalog, dataset: str, most_billed: int | None):
        self.catalog, self.dataset, self.most_billed = catalog, dataset, most_billed
        self.cursor = catalog.database.cursor()
        self.statement, self.bytes_billed = "", 0
        self.inserted: int | None = None
        self.columns: list[tuple[str, str]] = []
        self.rows: list[tuple[Any, ...]] = []

    def run(self, text: str, is_dry: bool = False) -> None:
        """Run a statement or a script; a dry run only checks it.

        Raises:
            JobError: a statement is wrong or fails.
        """
        statements = split(text)
        try:
            for statement in statements:
                self._run_one(statement, is_dry)
        except (duckdb.Error, sqlglot.ParseError) as error:
            raise JobError("invalidQuery", str(error)) from error
        finally:
            if len(statements) > 1:
                self.statement = "SCRIPT"

    def _run_one(self, text: str, is_dry: bool) -> None:
        columns, tree = self._check(text), _parsed(text)
        self.statement = "SELECT" if isinstance(tree, exp.Query) else tree.key.upper()
        self._count(tree)
        if is_dry:
            return
        match tree:
            case exp.Query():
                self.columns, self.rows = columns, self._rows(tree, columns)
            case exp.Merge():
                self._merge(tree)
            case exp.Create():
                self._create(tree)
            case exp.Export():
                [uri] = [one.args["value"].name for one in tree.args["options"].expressions if one.name == "uri"]
                self.catalog.export(self.cursor.sql(self._translate(tree.this)), uri)
            case _:
                raise AssertionError(f"{self.statement} is not implemented here")

    def _check(self, text: str) -> list[tuple[str, str]]:
        """Check a statement with Google's analyzer; returns the columns of its result."""
        found = _read_by_google(self.catalog.for_analyzer(self.dataset), text)
        if isinstance(found, str):
            reason = "notFound" if "not found" in found and "Table" in found else "invalidQuery"
            raise JobError(reason, found)
        return found

    def _rows(self, tree: exp.Query, columns: list[tuple[str, str]]) -> list[tuple[Any, ...]]:
        """Answer a query, in the types that the analyzer found."""
        casts = ", ".join(f'CAST(c{n} AS {DUCKDB_TYPES[kind]}) AS "{name}"' for n, (name, kind) in enumerate(columns))
        names = ", ".join(f"c{n}" for n in range(len(columns)))
        query = f"SELECT {casts} FROM ({self._translate(tree)}) AS answer({names})"
        return self.cursor.sql(query).fetchall()

    @contextmanager
    def changes(self, table: LiveTable) -> Iterator[None]:
        """Change a table atomically, while other statements wait."""
        with self.catalog.lock:
            self.cursor.begin()
            try:
                yield
                self.cursor.commit()
                table.measured = None
            except BaseException:
                self.cursor.rollback()
                raise

    def _merge(self, tree: exp.Merge) -> None:
        table, query, actions = self._table(tree.this), tree.args["using"], tree.args["whens"].copy()
        for condition in _on_partition(actions):
            condition.replace(_of_partition(condition))
        with self.changes(table):
            made = self.cursor.execute(
                f"MERGE INTO {table.rows_table} AS {tree.this.alias} USING ({self._translate(query.this)}) "
                f"AS {query.alias} ON {tree.args['on'].sql()} {actions.sql('duckdb')} RETURNING merge_action"
            )
            self.inserted = made.fetchall().count(("INSERT",))

    def _create(self, tree: exp.Create) -> None:
        table = table_from_ddl(tree, self.dataset)
        with self.catalog.lock:
            if tree.args.get("exists") and (table.dataset, table.name) in self.catalog.tables:
                return
            self.catalog.add(table)
            if query := tree.args.get("expression"):
                names = ", ".join(f'"{name}"' for name, _, _ in table.columns)
                rows = self._translate(query)
                self.cursor.execute(f"INSERT INTO {table.rows_table} ({names}) SELECT * FROM ({rows})")
                table.measured = None

    def _table(self, node: exp.Expr) -> LiveTable:
        return self.catalog.find(node.db or self.dataset, node.name)

    def _translate(self, tree: exp.Expr) -> str:
        """Translate a query for DuckDB, in which the partition of a row is a column."""
        tree = tree.copy()
        for condition in _on_partition(tree):
            condition.replace(_of_partition(condition))
        return to_duckdb(tree, {}, lambda name: exp.to_table(f"{self.dataset}.{name}"))

    def _count(self, tree: exp.Expr) -> None:
        """Count all bytes of the tables in a statement; BigQuery counts only the columns and partitions it reads."""
        processed = billed = 0
        for table in tree.find_all(exp.Table):
            if live := self.catalog.tables.get((table.db or self.dataset, table.name)):
                size = self.catalog.size(live)[1]
                processed += size
                billed += max(LEAST_BILLED, -(-size >> 20) << 20)
        if self.most_billed is not None and billed and max(processed, 1) > self.most_billed:
            raise JobError(
                "bytesBilledLimitExceeded",
                f"Query exceeded limit for bytes billed: {self.most_billed}. {billed} or higher required.",
            )
        self.bytes_billed += billed


def split(script: str) -> list[str]:
    """The statements of a script."""
    starts = [0] + [t.end + 1 for t in BigQuery().tokenize(script) if t.token_type == sqlglot.TokenType.SEMICOLON]
    pieces = [script[a:b].strip().rstrip(";") for a, b in zip(starts, [*starts[1:], len(script)], strict=True)]
    return [piece for piece in pieces if piece.strip()]


def _on_partition(tree: exp.Expr) -> list[exp.EQ]:
    """The conditions on the partition, _PARTITIONTIME = TIMESTAMP(day)."""
    return [condition for condition in tree.find_all(exp.EQ) if condition.left.name == PARTITION]


def _of_partition(condition: exp.EQ) -> exp.Expr:
    """The condition in DuckDB. The column comes second, because the platform's dialect drops it otherwise."""
    return condition.right.this.copy().eq(exp.cast(exp.column(PARTITION), "DATE"))
