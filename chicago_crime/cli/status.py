"""`chicago-crime status`: what is loaded, by year and table."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from chicago_crime.cli.options import DataOption, chosen_installation, plain_errors

if TYPE_CHECKING:  # slow to import, and `--help` does not need them
    from rich.table import Table

    from chicago_crime.graph.status import YearStatus


def status(
    data_dir: DataOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if a table is missing, stale or outdated.")
    ] = False,
) -> None:
    """Show what is loaded, by year and table.

    A number is a count of rows; - stands for missing, * for older than what it is made of, ! for written by another
    version.
    """
    with plain_errors():
        from chicago_crime.cli.screen import out
        from chicago_crime.graph.status import read_status

        statuses = read_status(chosen_installation(data_dir=data_dir))
        if not statuses:
            out.print("Nothing is loaded yet. Start with: chicago-crime run --years 2021")
            return
        for table in status_tables(statuses):
            out.print(table)
        incomplete = [str(one.year) for one in statuses if not one.is_complete]
        if incomplete:
            problem = "Missing (-) or stale (*)"
            if any(one.outdated for one in statuses):
                problem = "Missing (-), stale (*) or written by another version (!)"
            out.print(f"{problem} tables: chicago-crime run --years {','.join(incomplete)}")
        if strict and incomplete:
            raise typer.Exit(1)


def status_tables(statuses: Sequence["YearStatus"]) -> "Iterator[Table]":
    """Rows by year and table; `-` where missing, `*` where stale, `!` where of another version."""
    from chicago_crime.cli.screen import year_tables
    from chicago_crime.tables import TABLES

    cells: dict[str, dict[int, str]] = {name: {} for name in ("source", "lake", *TABLES)}
    for status in statuses:
        synthetic = "\nSYNTHETIC" if status.manifest and status.manifest.synthetic else ""
        cells["source"][status.year] = status.manifest.source + synthetic if status.manifest else "-"
        cells["lake"][status.year] = "yes" if status.in_lake else "-"
        for name in TABLES:
            held = status.tables.get(name)
            marks = ("*" if name in status.stale else "") + ("!" if name in status.outdated else "")
            cells[name][status.year] = f"{held.rows:,}{marks}" if held else "-"
    return year_tables(cells)
