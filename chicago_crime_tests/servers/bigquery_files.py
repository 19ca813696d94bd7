"""Files that the BigQuery server reads from and writes to Cloud Storage: CSV and Parquet, by gs:// address."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb

from chicago_crime.storage.local.parquet_files import DUCKDB_TYPES
from chicago_crime_tests.servers.storage_server import StorageServer

_FROM_DUCKDB = {
    **{kind: name for name, kind in DUCKDB_TYPES.items()},
    "INTEGER": "INT64",
    "FLOAT": "FLOAT64",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
}


class JobError(Exception):
    """A job fails; the reason is BigQuery's name for the kind of failure."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


@dataclass
class Files:
    """Reads and writes objects.

    Attributes:
        storage: server with the buckets.
        writes_no_rows: whether an export without rows writes a file, which Google does not document.
    """

    storage: StorageServer
    writes_no_rows: bool = True

    def at(self, uris: Sequence[str]) -> list[str]:
        """The files at some addresses, each of which may have one `*`.

        Raises:
            JobError: an address matches nothing.
        """
        found: list[str] = []
        for uri in uris:
            address = urlsplit(uri)
            before, star, after = address.path.lstrip("/").partition("*")
            names = [
                name
                for name in self.storage.names(address.netloc, before)
                if (name.endswith(after) and len(name) >= len(before) + len(after) if star else name == before)
            ]
            if not names or address.scheme != "gs":
                raise JobError("notFound", f"Not found: URI {uri}")
            found += [str(self.storage.path(address.netloc, name)) for name in names]
        return found

    def csv(self, about: Mapping[str, Any]) -> str:
        """The DuckDB query for a CSV's rows as text: empty fields are NULL, and empty quotes an empty text."""
        fields = about["schema"]["fields"]
        assert {field["type"] for field in fields} == {"STRING"}, "other types are not implemented here"
        assert (about["skipLeadingRows"], about["allowQuotedNewlines"]) == (1, True)
        assert about["preserveAsciiControlCharacters"], "BigQuery would drop them"
        columns = ", ".join(f"'{field['name']}': 'VARCHAR'" for field in fields)
        return (
            f"FROM READ_CSV({self.at(about['sourceUris'])}, auto_detect = FALSE, header = FALSE, skip = 1, "
            f"columns = {{{columns}}}, delim = ',', quote = '\"', escape = '\"', strict_mode = TRUE, "
            "allow_quoted_nulls = FALSE, max_line_size = 10000000)"
        )

    def parquet(self, cursor: duckdb.DuckDBPyConnection, uris: Sequence[str]) -> tuple[str, list[tuple[str, str]]]:
        """The DuckDB query for the rows of Parquet files, and their columns with BigQuery's types."""
        files = self.at(uris)
        rows = cursor.read_parquet(files, hive_partitioning=False)
        if unknown := [kind for kind in map(str, rows.types) if kind not in _FROM_DUCKDB]:
            raise JobError("invalid", f"Parquet type {unknown[0]} is not supported here")
        columns = [(n, _FROM_DUCKDB[str(kind)]) for n, kind in zip(rows.columns, rows.types, strict=True)]
        zoned = [f'"{n}" AT TIME ZONE \'UTC\' AS "{n}"' if k == "TIMESTAMP" else f'"{n}"' for n, k in columns]
        return f"SELECT {', '.join(zoned)} FROM READ_PARQUET({files}, hive_partitioning = FALSE)", columns

    def write(self, rows: duckdb.DuckDBPyRelation, uri: str, form: str) -> None:
        """Write rows to an address with one `*`, which becomes a number."""
        address = urlsplit(uri)
        if address.path.count("*") != 1 or form.upper() != "PARQUET":
            raise JobError("invalid", f"an export here is PARQUET, to an address with one *: {uri}")
        if not self.writes_no_rows and not rows.limit(1).fetchall():
            return
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rows.parquet"
            rows.write_parquet(str(file))
            name = address.path.lstrip("/").replace("*", "000000000000")
            self.storage.write(address.netloc, name, file.read_bytes())
