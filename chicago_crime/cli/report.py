"""`chicago-crime report`: a printable report on a year in the city or in one of its places."""

from pathlib import Path
from typing import Annotated

import typer

from chicago_crime.cli.options import AsOfOption, DataOption, chosen_installation


def report(
    year: Annotated[int, typer.Option(help="Year of the report.")],
    area: Annotated[str | None, typer.Option(help="Name of a community area. Default: the whole city.")] = None,
    district: Annotated[int | None, typer.Option(help="Number of a police district.")] = None,
    ward: Annotated[int | None, typer.Option(help="Number of a ward.")] = None,
    beat: Annotated[int | None, typer.Option(help="Number of a police beat.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path("report.html"),
    as_of: AsOfOption = None,
    data_dir: DataOption = None,
) -> None:
    """Write a printable report on one year."""
    if output.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(
            f"{output}: the report is an HTML page; name it .html, and print it to get a PDF", param_hint="-o"
        )
    from chicago_crime.cli.screen import out
    from chicago_crime.dashboard.report import write_report

    installation = chosen_installation(data_dir=data_dir)
    title = write_report(installation, year, output, as_of, area=area, district=district, ward=ward, beat=beat)
    out.print(f"{output}: {title}")
