"""The `chicago-crime` command: the app and its subcommands, one per module.

Exit codes: 0 success, 1 failure or problems found, 2 invalid command or setting, 128 + N run canceled by signal N.
"""

import atexit
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

import typer

from chicago_crime.cli.boundaries import boundaries
from chicago_crime.cli.dashboard import dashboard
from chicago_crime.cli.demo import demo
from chicago_crime.cli.describe import describe
from chicago_crime.cli.dev import dev
from chicago_crime.cli.doctor.command import doctor
from chicago_crime.cli.mcp import mcp
from chicago_crime.cli.options import plain_errors
from chicago_crime.cli.query import query
from chicago_crime.cli.rehearse import rehearse
from chicago_crime.cli.report import report
from chicago_crime.cli.run import run
from chicago_crime.cli.site import site
from chicago_crime.cli.snapshots import snapshots
from chicago_crime.cli.status import status

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,  # rich would take longer to import than the help to print
    pretty_exceptions_enable=False,
)


def print_version(is_requested: bool) -> None:
    """Print the version of the package and exit."""
    if is_requested:
        from importlib.metadata import version  # slow to import

        typer.echo(f"chicago-crime {version('chicago-crime')}")
        raise typer.Exit


@app.callback()
def chicago_crime(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=print_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """Load Chicago's reported crimes into tables, query them and explore them."""


EXAMPLES: dict[Callable[..., None], tuple[str, ...]] = {
    run: (
        "run --years 2014-2016,2021 --source folder --folder ~/Downloads/crimes",
        "run --years 2021 --assets 'key:crimes+'",
        "run --years 2001-2022 --source portal --dry-run",
    ),
    status: ("status --strict",),
    query: (
        'query "select year, count(*) from crimes group by year"',
        'query "from crimes_monthly" --output monthly.csv',
        'query "select count(*) from crimes" --as-of 2026-05-31',
    ),
    boundaries: ("boundaries", "boundaries --folder ~/Downloads/boundaries"),
    snapshots: ("snapshots",),
    describe: ("describe", "describe crimes"),
    dashboard: ("dashboard", "dashboard --port 8051 --data-dir ~/crimes"),
    report: (
        'report --area "Hyde Park" --year 2016 --output report.html',
        "report --ward 24 --year 2016 --output ward.html",
    ),
    site: ("site ~/public/crime",),
    mcp: ("mcp --data-dir ~/crimes",),
    doctor: ("doctor",),
    rehearse: ("rehearse", "rehearse --cluster --yes"),
    demo: ("demo",),
    dev: ("dev --port 3001",),
}

for command, examples in EXAMPLES.items():
    lines = "\n".join(f"  chicago-crime {example}" for example in examples)
    app.command(epilog=f"\b\nExample{'s' if len(examples) > 1 else ''}:\n{lines}")(plain_errors()(command))


def main() -> None:
    """Entry point; exits without deallocating every object, which takes 0.7 s after a run."""
    try:
        app()
    except SystemExit as end:
        atexit._run_exitfuncs()
        with suppress(BrokenPipeError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)
