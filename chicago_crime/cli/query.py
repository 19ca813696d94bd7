"""`chicago-crime query`: the result of a query, on screen or as CSV, JSON or Parquet."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from chicago_crime.cli.options import AsOfOption, DataOption, chosen_installation
from chicago_crime.errors import PlatformError
from chicago_crime.intake.staging import complete_file

if TYPE_CHECKING:  # slow to import, and not needed to print a result
    from chicago_crime.storage.warehouse import TableReader


def query(
    sql: Annotated[str, typer.Argument(help="A query in DuckDB's SQL; `chicago-crime describe` lists the tables.")],
    format: Annotated[
        str | None,
        typer.Option(
            metavar="<table|csv|json|parquet>",
            help="Output format; table only on screen. Default: the format of the --output file, else table.",
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the full result to this file.")] = None,
    as_of: AsOfOption = None,
    working: Annotated[
        bool,
        typer.Option("--working", help="Query the runs' working tables, raw rows included; on gcp, in BigQuery's SQL."),
    ] = False,
    data_dir: DataOption = None,
) -> None:
    """Query the published tables with SQL."""
    from chicago_crime.cli.screen import errors
    from chicago_crime.tables.years import format_years

    chosen_by = "--format" if format or not output else "--output"
    format = format or (output.suffix.lower().removeprefix(".") if output else "table")
    if format == "parquet" and output is None:
        raise typer.BadParameter("Parquet is binary: name a file with --output", param_hint="--output")
    if format not in ("csv", "json", "parquet") and (output or format != "table"):
        what = repr(format) if chosen_by == "--format" else f"the extension of {str(output)!r}"
        problem = f"{what} is not a supported file format: choose csv, json or parquet"
        raise typer.BadParameter(problem, param_hint=chosen_by)
    if working and as_of:
        raise typer.BadParameter("working tables have no snapshots", param_hint="--as-of")
    installation = chosen_installation(data_dir=data_dir)
    published = None if working else installation.reader(as_of)
    reader = published or installation.working_reader
    try:
        _write_result(reader, sql, format, output)
    except PlatformError as error:
        if published and _may_be_damage(error):  # DuckDB does not always name the file
            published.verify()
        raise
    if published:
        synthetic = [year for year, held in published.catalog.years.items() if held.is_synthetic]
    else:
        synthetic = installation.source_files.synthetic_years()
        errors.print("These are the working tables, whether published or not.")
    if synthetic:
        errors.print("SYNTHETIC rows", style="yellow", end="")
        errors.print(f" in {format_years(synthetic)}, from the sample source.")


def _write_result(reader: "TableReader", sql: str, format: str, output: Path | None) -> None:
    from chicago_crime.cli.screen import MAX_ROWS, lay_out, out

    if format == "table":
        found = reader.first_rows(sql, MAX_ROWS + 1)
        out.print(*lay_out(found.columns, found.rows, out.width), sep="\n")
    elif output:
        with complete_file(output) as file:
            reader.write(sql, Path(file.name), format)
    else:
        with TemporaryDirectory() as folder:
            reader.write(sql, written := Path(folder, "answer"), format)
            with written.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.flush()


def _may_be_damage(error: PlatformError) -> bool:
    import duckdb

    query_errors = (duckdb.BinderException, duckdb.CatalogException, duckdb.ConversionException, duckdb.ParserException)
    return isinstance(error.__cause__, duckdb.Error) and not isinstance(error.__cause__, query_errors)
