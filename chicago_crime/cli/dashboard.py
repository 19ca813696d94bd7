"""The commands `dashboard` and `report`: what a person types, turned into calls of the modules that do the work."""

from pathlib import Path
from typing import Annotated

import typer

from chicago_crime.cli.options import DataOption, chosen_settings, errors_told


def dashboard(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port.")] = 8050,
    host: Annotated[
        str, typer.Option(help="Address; another than this machine's own only in a container.")
    ] = "127.0.0.1",
    data_dir: DataOption = None,
) -> None:
    """Look at the tables in a browser, until Ctrl-C: overview, map, hours, comparisons, and what is loaded."""
    with errors_told():
        from chicago_crime.cli.screen import out
        from chicago_crime.dashboard.serve import MEMORY, serve
        from chicago_crime.installation import Installation

        installation = Installation(chosen_settings(data_dir=data_dir, duckdb_memory=MEMORY))
        serve(installation, port, host, lambda url: out.print(f"Dashboard: {url}  (Ctrl-C stops it)"))


def report(
    year: Annotated[int, typer.Option(help="Which year.")],
    area: Annotated[str | None, typer.Option(help="Name of a community area; without it, the whole city.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("report.html"),
    data_dir: DataOption = None,
) -> None:
    """Write one page with charts and tables of a year, to print or to send: a single HTML file."""
    with errors_told():
        from chicago_crime.cli.screen import out
        from chicago_crime.dashboard.report import write_report
        from chicago_crime.installation import Installation

        title = write_report(Installation(chosen_settings(data_dir=data_dir)), area, year, output)
        out.print(f"{output}: {title}")
