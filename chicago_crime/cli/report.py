"""`chicago-crime report`: a year on one page, to print or to send."""

from pathlib import Path
from typing import Annotated

import typer

from chicago_crime.cli.options import AsOfOption, DataOption, chosen_installation, chosen_snapshot, plain_errors


def report(
    year: Annotated[int, typer.Option(help="Which year.")],
    area: Annotated[str | None, typer.Option(help="Name of a community area; without it, the whole city.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("report.html"),
    as_of: AsOfOption = None,
    data_dir: DataOption = None,
) -> None:
    """Write a page about a year as one HTML file, to print or send."""
    with plain_errors():
        from chicago_crime.cli.screen import out
        from chicago_crime.dashboard.report import write_report

        title = write_report(chosen_installation(data_dir=data_dir), area, year, output, chosen_snapshot(as_of))
        out.print(f"{output}: {title}")
