"""`chicago-crime report`: a year of the city, or of a place in it, on a few pages to print or to send."""

from pathlib import Path
from typing import Annotated

import typer

from chicago_crime.cli.options import AsOfOption, DataOption, chosen_installation, plain_errors


def report(
    year: Annotated[int, typer.Option(help="Which year.")],
    area: Annotated[str | None, typer.Option(help="Name of a community area; with no place, the whole city.")] = None,
    district: Annotated[int | None, typer.Option(help="Number of a police district.")] = None,
    ward: Annotated[int | None, typer.Option(help="Number of a ward.")] = None,
    beat: Annotated[int | None, typer.Option(help="Number of a police beat.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("report.html"),
    as_of: AsOfOption = None,
    data_dir: DataOption = None,
) -> None:
    """Write a report on a year, to print or to send."""
    with plain_errors():
        if output.suffix.lower() not in (".html", ".htm"):
            raise typer.BadParameter(
                f"{output} would be an HTML page: name it .html, and print it to get a PDF", param_hint="-o"
            )
        from chicago_crime.cli.screen import out
        from chicago_crime.dashboard.report import write_report

        installation = chosen_installation(data_dir=data_dir)
        title = write_report(installation, year, output, as_of, area=area, district=district, ward=ward, beat=beat)
        out.print(f"{output}: {title}")
