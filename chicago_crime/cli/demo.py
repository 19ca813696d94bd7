"""`chicago-crime demo`: four years of synthetic data and three example questions."""

import os
from pathlib import Path

import typer

from chicago_crime.cli.options import DataOption, chosen_installation

YEARS = range(2019, 2023)
ROWS = 20_000


def demo(data_dir: DataOption = None) -> None:
    """Load four synthetic years and answer three questions.

    By default, they go into the folder `demo` of the data folder, so that they never mix with real rows.
    """
    from chicago_crime.cli.run import load
    from chicago_crime.cli.screen import lay_out, out
    from chicago_crime.settings import load_settings

    out.print(f"Loading {YEARS[0]}-{YEARS[-1]} of the sample: {ROWS:,} SYNTHETIC rows per year.")
    folder = data_dir or Path(os.path.relpath(load_settings().data_dir / "demo"))
    installation = chosen_installation(source="sample", sample_rows=ROWS, data_dir=folder)
    if not load(installation, YEARS):
        raise typer.Exit(1)
    from chicago_crime.sql import example_queries  # after the run, whose extra includes what this needs

    out.print("\nThree answers from the tables. The rows are SYNTHETIC: do not quote them.\n")
    reader = installation.reader()
    for question, sql in example_queries():
        found = reader.first_rows(sql, None)
        out.print(question, style="italic")
        out.print(*lay_out(found.columns, found.rows, out.width), "", sep="\n")
    out.print(
        "The arrest flag means that an arrest was made, not that the case was cleared.\n\n"
        "Next:\n"
        "  chicago-crime dev  # the asset graph in your browser, including this run\n"
        "  chicago-crime dashboard  # charts, maps and tables in your browser\n"
        "  chicago-crime query 'from hot_spots'\n"
        "  chicago-crime describe  # the tables and what their columns mean\n"
        "  chicago-crime run --help  # how to load real data (see also the README)"
    )
