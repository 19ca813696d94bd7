"""The file `warehouse.duckdb`: views over the tables' Parquet files, for any DuckDB client.

It holds no rows of crimes. It is always replaced and never modified, so that clients that have it open and runs do not
block each other.
"""

from pathlib import Path

import duckdb
from sqlglot import exp

from chicago_crime import reference
from chicago_crime.intake.staging import publish, staging_folder
from chicago_crime.sql.duckdb_scans import parquet_scan, typed_csv_scan
from chicago_crime.storage.local.parquet_reader import VIEWS_FILE
from chicago_crime.tables import TABLES


def tables_present(folder: Path) -> frozenset[str]:
    """Names of the tables with at least one year."""
    return frozenset(name for name in TABLES if any((folder / name).glob("*.parquet")))


def write_views(folder: Path, staging: Path) -> None:
    """Write `warehouse.duckdb` into the warehouse's folder: one view per table, and the reference tables."""
    with staging_folder(staging) as fresh:
        file = fresh / VIEWS_FILE
        with duckdb.connect(str(file)) as connection:
            for name in sorted(tables_present(folder)):
                rows = exp.select("*").from_(parquet_scan(folder / name / "*.parquet"))
                connection.execute(exp.Create(this=exp.to_table(name), kind="VIEW", expression=rows).sql("duckdb"))
                _comment(connection, f"VIEW {name}", TABLES[name].description)
                present = connection.table(name).columns  # files of another version have others
                for column in (one for one in TABLES[name].columns if one.name in present):
                    _comment(connection, f'COLUMN {name}."{column.name}"', column.description)
            for name in reference.TABLES:
                rows = exp.select("*").from_(typed_csv_scan(reference.file(name)))
                connection.execute(exp.Create(this=exp.to_table(name), kind="TABLE", expression=rows).sql("duckdb"))
        publish(file, folder / VIEWS_FILE)


def _comment(connection: duckdb.DuckDBPyConnection, what: str, text: str) -> None:
    connection.execute(f"COMMENT ON {what} IS {exp.convert(text).sql('duckdb')}")
