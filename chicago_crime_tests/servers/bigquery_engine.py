"""Jobs and SQL of the BigQuery server: each id is started once and runs in a thread.

Google's analyzer checks statements, and DuckDB runs them by BigQuery's rules. Statements that change rows run one at a
time, and queries as of a given time see the current rows.
"""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery

from chicago_crime.sql.duckdb_dialect import to_duckdb
from chicago_crime_tests.servers.bigquery_catalog import DUCKDB_TYPES, PARTITION, Catalog, JobError, LiveTable
from chicago_crime_tests.servers.google_server import RefusedError
from chicago_crime_tests.servers.googlesql import Analyzer, GoogleSQLError

MIN_BILLED = 10 << 20
PROJECT = "chicago-test"
MAX_WAIT_IN_RESPONSE_S = 0.2
"""Jobs that finish within this time are DONE in the response that started them; clients poll for the others."""

_Tables = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


@lru_cache(maxsize=32)
def _analyzer(tables: _Tables) -> Analyzer:
    return Analyzer(dict(tables))


@lru_cache(maxsize=2048)
def _read_by_google(tables: _Tables, text: str) -> list[tuple[str, str]]:
    """The columns of a statement's result. Cached, because analysis is slow."""
    return _analyzer(tables).check(text)


class Job:
    """A job, with the work that it does.

    Attributes:
        statement: type of its statement, or SCRIPT for several.
        inserted: rows inserted or loaded; None without any such statement.
        columns, rows: result of its last query, with the columns' types.
        error: why it failed; None if it did not.
    """

    def __init__(self, catalog: Catalog, id_: str, location: str, configuration: dict[str, Any]):
        self.catalog, self.id, self.location, self.configuration = catalog, id_, location, configuration
        query = configuration.get("query", {})
        self.dataset = (query.get("defaultDataset") or configuration["load"]["destinationTable"])["datasetId"]
        self.most_billed = int(query.get("maximumBytesBilled") or 1 << 62)
        self.cursor = catalog.database.cursor()
        self.statement, self.bytes_billed = "", 0
        self.inserted: int | None = None
        self.columns: list[tuple[str, str]] = []
        self.rows: list[tuple[Any, ...]] = []
        self.error: dict[str, str] | None = None
        self.done = threading.Event()

    @property
    def kind(self) -> str:
        return "query" if "query" in self.configuration else "load"

    def resource(self) -> dict[str, Any]:
        """The job as the API describes it."""
        rows, statistics = str(self.inserted or 0), dict[str, Any]()
        if self.kind == "query":
            query: dict[str, Any] = {"totalBytesBilled": str(self.bytes_billed)}
            if self.statement:
                query["statementType"] = self.statement
            if self.inserted is not None:
                query["dmlStats"] = {"insertedRowCount": rows}
            statistics["query"] = query
        elif self.inserted is not None:
            statistics["load"] = {"outputRows": rows}
        failure = {"errorResult": self.error, "errors": [self.error]} if self.error else {}
        return {
            "jobReference": {"projectId": PROJECT, "jobId": self.id, "location": self.location},
            "configuration": self.configuration | {"jobType": self.kind.upper()},
            "status": {"state": "DONE" if self.done.is_set() else "RUNNING"} | failure,
            "statistics": statistics,
        }

    def require_success(self) -> None:
        """Raise the job's error, if any, with the status that Google gives it."""
        if self.error:
            status = {"notFound": 404, "bytesBilledLimitExceeded": 500}.get(self.error["reason"], 400)
            raise RefusedError(status, self.error["message"], self.error["reason"])

    def run(self) -> None:
        """Run a load, a statement or a script; a dry run only checks it.

        Raises:
            JobError: a statement is wrong or fails, or a file cannot be read.
        """
        if self.kind == "load":
            self._load()
            return
        statements = split(self.configuration["query"]["query"])
        try:
            for statement in statements:
                self._run_one(statement, bool(self.configuration.get("dryRun")))
        except (duckdb.Error, sqlglot.ParseError) as error:
            raise JobError("invalidQuery", str(error)) from error
        finally:
            if len(statements) > 1:
                self.statement = "SCRIPT"

    def _run_one(self, text: str, is_dry: bool) -> None:
        columns, tree = self._check(text), _by_partition(sqlglot.parse_one(text, read="bigquery"))
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
        try:
            return _read_by_google(self.catalog.for_analyzer(self.dataset), text)
        except GoogleSQLError as error:
            is_missing = "not found" in str(error) and "Table" in str(error)
            raise JobError("notFound" if is_missing else "invalidQuery", str(error)) from error

    def _rows(self, tree: exp.Query, columns: list[tuple[str, str]]) -> list[tuple[Any, ...]]:
        """Answer a query, in the types that the analyzer found."""
        casts = ", ".join(f'CAST(c{n} AS {DUCKDB_TYPES[kind]}) AS "{name}"' for n, (name, kind) in enumerate(columns))
        names = ", ".join(f"c{n}" for n in range(len(columns)))
        query = f"SELECT {casts} FROM ({self._translate(tree)}) AS answer({names})"
        return self.cursor.sql(query).fetchall()

    @contextmanager
    def _changes(self) -> Iterator[None]:
        """Change a table atomically, while other statements wait."""
        with self.catalog.lock:
            self.cursor.begin()
            try:
                yield
                self.cursor.commit()
            except BaseException:
                self.cursor.rollback()
                raise

    def _merge(self, tree: exp.Merge) -> None:
        table, query = self.catalog.find(tree.this.db or self.dataset, tree.this.name), tree.args["using"]
        with self._changes():
            made = self.cursor.execute(
                f"MERGE INTO {table.rows_table} AS {tree.this.alias} USING ({self._translate(query.this)}) "
                f"AS {query.alias} ON {tree.args['on'].sql()} {tree.args['whens'].sql('duckdb')} RETURNING merge_action"
            )
            self.inserted = made.fetchall().count(("INSERT",))

    def _create(self, tree: exp.Create) -> None:
        table = LiveTable.from_ddl(tree, self.dataset)
        with self.catalog.lock:
            if tree.args.get("exists") and (table.dataset, table.name) in self.catalog.tables:
                return
            self.catalog.add(table)
            if query := tree.args.get("expression"):
                names = ", ".join(f'"{name}"' for name, _, _ in table.columns)
                rows = self._translate(query)
                self.cursor.execute(f"INSERT INTO {table.rows_table} ({names}) SELECT * FROM ({rows})")

    def _translate(self, tree: exp.Expr) -> str:
        return to_duckdb(tree, {}, lambda name: exp.to_table(f"{self.dataset}.{name}"))

    def _count(self, tree: exp.Expr) -> None:
        """Count all bytes of the tables in a statement; BigQuery counts only the columns and partitions it reads."""
        processed = billed = 0
        for table in tree.find_all(exp.Table):
            if live := self.catalog.tables.get((table.db or self.dataset, table.name)):
                size = self.catalog.size(live)[1]
                processed += size
                billed += max(MIN_BILLED, -(-size >> 20) << 20)
        if billed and max(processed, 1) > self.most_billed:
            raise JobError(
                "bytesBilledLimitExceeded",
                f"Query exceeded limit for bytes billed: {self.most_billed}. {billed} or higher required.",
            )
        self.bytes_billed += billed

    def _load(self) -> None:
        about = self.configuration["load"]
        target = about["destinationTable"]
        name, _, partition = target["tableId"].partition("$")
        table = self.catalog.find(target["datasetId"], name)
        assert about["writeDisposition"] == "WRITE_TRUNCATE" and bool(partition) == table.is_by_ingestion
        if about["sourceFormat"] == "PARQUET":
            assert "expirationTime" in table.about and "schema" not in about, "Parquet files replace a staging table"
            rows, columns = self.catalog.parquet(self.cursor, about["sourceUris"])
            table.columns = [(name, kind, "") for name, kind in columns]
            self.catalog.add(table)
        else:
            rows = self.catalog.csv(about)
        try:
            self.inserted = self._write(table, partition, rows)
        except duckdb.Error as error:
            raise JobError("invalid", f"Error while reading data, error message: {error}") from error

    def _write(self, table: LiveTable, partition: str, rows: str) -> int:
        """Replace the rows of a table or, if it is partitioned by ingestion time, of a partition."""
        columns, values, where = ", ".join(f'"{name}"' for name, _, _ in table.columns), "*", ""
        if table.is_by_ingestion:
            assert table.about["timePartitioning"]["type"] == "YEAR" and len(partition) == 4, partition
            at = f"TIMESTAMP '{partition}-01-01'"
            columns, values, where = f"{columns}, {PARTITION}", f"*, {at}", f"WHERE {PARTITION} = {at}"
        with self._changes():
            self.cursor.execute(f"DELETE FROM {table.rows_table} {where}")
            insert = f"INSERT INTO {table.rows_table} ({columns}) SELECT {values} FROM ({rows}) AS r"
            return int(self.cursor.execute(insert).fetchall()[0][0])


def split(script: str) -> list[str]:
    """The statements of a script."""
    starts = [0] + [t.end + 1 for t in BigQuery().tokenize(script) if t.token_type == sqlglot.TokenType.SEMICOLON]
    pieces = [script[a:b].strip().rstrip(";") for a, b in zip(starts, [*starts[1:], len(script)], strict=True)]
    return [piece for piece in pieces if piece.strip()]


def _by_partition(tree: exp.Expr) -> exp.Expr:
    """Replace conditions on the partition, _PARTITIONTIME = TIMESTAMP(day), with those on DuckDB's column."""
    for condition in [one for one in tree.find_all(exp.EQ) if one.left.name == PARTITION]:
        # The column comes second, because the platform's dialect drops it otherwise.
        condition.replace(condition.right.this.copy().eq(exp.cast(exp.column(PARTITION), "DATE")))
    return tree


class Jobs:
    """All jobs of a server.

    Attributes:
        will_fail: failures requested by a test: a text in the job's configuration, reason, message.
        before_work: called before each job does anything.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.by_id: dict[str, Job] = {}
        self.will_fail: list[tuple[str, str, str]] = []
        self.before_work: Callable[[Job], object] = lambda job: None
        self._lock = threading.Lock()

    def begin(self, configuration: dict[str, Any], id_: str | None, location: str) -> Job:
        """Start a job; a dry run is not kept.

        Raises:
            RefusedError: there is one of this id, or the dry run failed.
        """
        if "skipLeadingRows" in (load := configuration.get("load", {})):
            load["skipLeadingRows"] = int(load["skipLeadingRows"])  # the client writes it as text, BigQuery does not
        job = Job(self.catalog, id_ or f"job_{uuid.uuid4().hex}", location, configuration)
        if configuration.get("dryRun"):
            self._work(job)
            job.require_success()
            return job
        with self._lock:
            if self.by_id.setdefault(job.id, job) is not job:
                raise RefusedError(409, f"Already Exists: Job {PROJECT}:{location}.{job.id}")
        threading.Thread(target=self._work, args=[job], daemon=True).start()
        job.done.wait(MAX_WAIT_IN_RESPONSE_S)
        return job

    def _work(self, job: Job) -> None:
        try:
            self.before_work(job)
            for failure in self.will_fail:
                if failure[0] in str(job.configuration):
                    self.will_fail.remove(failure)
                    raise JobError(*failure[1:])
            job.run()
        except JobError as error:
            job.error = {"reason": error.reason, "message": str(error)}
        except RefusedError as error:
            job.error = {"reason": "notFound" if error.status == 404 else "invalid", "message": str(error)}
        except Exception as error:  # a bug of this server: the test must not wait forever
            job.error = {"reason": "invalid", "message": f"the test server failed: {error!r}"}
        job.cursor.close()
        job.done.set()
