"""`chicago-crime status`: loaded and published rows by year and table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from chicago_crime.cli.options import DataOption, chosen_installation
from chicago_crime.errors import HOW_TO_LOAD

if TYPE_CHECKING:  # slow to import, and `--help` does not need them
    from chicago_crime.graph.status import YearStatus


def status(
    data_dir: DataOption = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Exit with 1 if nothing is published, a file is missing or unreadable, or a table has any of these "
            "marks. `doctor` also verifies checksums.",
        ),
    ] = False,
) -> None:
    """Show what is loaded and published, by year and table.

    Numbers are row counts. Marks: - missing, * its inputs have changed since it was made, ! written by another version,
    + not published. `damaged` means that a file cannot be read.
    """
    from chicago_crime.cli.screen import errors, out, printable
    from chicago_crime.graph.status import read_status

    installation = chosen_installation(data_dir=data_dir)
    found = read_status(installation)
    _print_tables(found.years)
    if found.snapshot:
        out.print(f"Published: {found.snapshot.snapshot}, from {found.snapshot.local_time}")
    elif not found.years:
        out.print(printable(f"Nothing is loaded yet into {installation.settings.data_dir}."))
        out.print(HOW_TO_LOAD)
    if found.damaged:
        errors.print(printable(found.damaged), style="red")
    _print_problems(found.years)
    if strict and not found.is_complete:
        raise typer.Exit(1)


def _print_tables(statuses: Sequence["YearStatus"]) -> None:
    """Print row counts by year and table, with the marks that `--help` explains."""
    from chicago_crime.cli.screen import print_by_year
    from chicago_crime.graph.status import LAKE, SOURCE
    from chicago_crime.tables import TABLES

    cells: dict[str, dict[int, str]] = {name: {} for name in (SOURCE, LAKE, *TABLES, "published")}
    for status in statuses:
        year, manifest, published = status.year, status.manifest, status.published
        synthetic = "\nSYNTHETIC" if (published.is_synthetic if published else manifest and manifest.synthetic) else ""
        cells[SOURCE][year] = f"{manifest.source if manifest else '-'}{synthetic}"
        cells[LAKE][year] = ("yes" if status.in_lake else "-") + ("*" if LAKE in status.stale else "")
        unpublished = status.unpublished
        for name in TABLES:
            held = status.tables.get(name)
            marks = (name in status.stale) * "*" + (name in status.outdated) * "!" + (name in unpublished) * "+"
            cells[name][year] = f"{held.rows:,}{marks}" if held else "-"
        cells |= {name: cells[name] | {year: "damaged"} for name in status.damaged}
        cells["published"][year] = "-" if not published else "differs" if unpublished else "yes"
    print_by_year(cells)


def _print_problems(statuses: Sequence["YearStatus"]) -> None:
    """Print each problem once, and the commands that fix them."""
    from chicago_crime.cli.screen import errors, printable
    from chicago_crime.published.catalog import from_source
    from chicago_crime.tables.years import format_years

    by_problem: dict[str, list[int]] = {}
    by_options: dict[str, list[int]] = {}
    for status in (one for one in statuses if one.problems):
        by_options.setdefault(from_source(status.source), []).append(status.year)
        for problem in status.problems:
            by_problem.setdefault(problem, []).append(status.year)
    for problem, years in by_problem.items():
        errors.print(printable(f"{format_years(years)}: {problem}"), style="yellow")
    for options, years in by_options.items():
        errors.print(f"What to do: chicago-crime run --years {format_years(years)}{options}")
