"""Files that the BigQuery server reads from and writes to Cloud Storage: CSV and Parquet, by gs:// address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import filter as matching
from typing import Any
from urllib.parse import urlsplit

import duckdb

from chicago_crime.storage.local.parquet_files import DUCKDB_TYPES
from chicago_crime_tests.servers.storage_objects import Buckets

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
        writes_no_rows: whether an export without rows writes a file, which Google does not document.
    """

    buckets: Buckets
    writes_no_rows: bool = True

    def at(self, uris: Sequence[str]) -> list[str]:
        """The files at some addresses, each of which may have one `*`."""
        found: list[str] = []
        for uri in uris:
            address = urlsplit(uri)
            names = matching(self.buckets.names(address.netloc), address.path.lstrip("/"))
            if not names or address.scheme != "gs":
                raise JobError("notFound", f"Not found: URI {uri}")
            found += [str(self.buckets.path(address.netloc, name)) for name in names]
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
        columns = [(n, _FROM_DUCKDB[str(kind)]) for n, kind in zip(rows.columns, rows.types, strict=True)]
        zoned = [f'"{n}" AT TIME ZONE \'UTC\' AS "{n}"' if k == "TIMESTAMP" else f'"{n}"' for n, k in columns]
        return f"SELECT {', '.join(zoned)} FROM READ_PARQUET({files}, hive_partitioning = FALSE)", columns

    def write(self, rows: duckdb.DuckDBPyRelation, uri: str) -> None:
        """Write rows as Parquet to an address with one `*`, which becomes a number."""
        address = urlsplit(uri)
        assert address.path.count("*") == 1, uri
        if self.writes_no_rows or rows.limit(1).fetchall():
            file = self.buckets.path(address.netloc, address.path.lstrip("/").replace("*", "000000000000"))
            file.parent.mkdir(parents=True, exist_ok=True)
            rows.write_parquet(str(file))
