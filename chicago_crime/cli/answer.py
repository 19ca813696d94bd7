"""Writing the answer of a query: as a table on the screen, as CSV, JSON or Parquet, to a file or to standard output."""

import json
import sys
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet


def write_answer(rows: pa.Table, format: str, output: Path | None) -> None:
    """Write rows in a format (table, csv, json or parquet) to a file; None stands for standard output."""
    if format == "table":
        from rich.console import Console

        from chicago_crime.cli.screen import answer_table, out

        if output is None:
            out.print(answer_table(rows))
        else:
            with output.open("w", encoding="utf-8") as text:
                Console(file=text, width=200).print(answer_table(rows))
        return
    if output is None:
        _write(rows, format, sys.stdout.buffer)
        sys.stdout.flush()
    else:
        with output.open("wb") as file:
            _write(rows, format, file)


def _write(rows: pa.Table, format: str, file: BinaryIO) -> None:
    if format == "csv":
        pyarrow.csv.write_csv(rows, file)
    elif format == "json":
        file.write(json.dumps(rows.to_pylist(), default=_as_json, indent=1).encode() + b"\n")
    else:
        pyarrow.parquet.write_table(rows, file)


def _as_json(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
