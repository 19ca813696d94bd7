"""The `chicago-crime` command: what a person types, turned into calls of the modules that do the work.

Exit codes: 0 done, 1 something failed or is not as it should be, 2 the command or a setting is wrong.
"""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chicago_crime.cli import dashboard as commands
from chicago_crime.cli.options import DataOption, chosen_settings, errors_told
from chicago_crime.settings import Settings

if TYPE_CHECKING:
    from chicago_crime.installation import Installation

app = typer.Typer(
    help="Chicago's reported crimes as tables: load years, look at them, ask them.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)

DEMO_YEARS = "2019-2022"
DEMO_ROWS = 20_000

YearsOption = Annotated[str, typer.Option(help="Which years, e.g. 2014-2016,2021.", show_default=False)]
SourceOption = Annotated[str | None, typer.Option(help="Who hands over the CSVs: sample, folder, kaggle or portal.")]
FolderOption = Annotated[Path | None, typer.Option(help="Folder with yearly .csv, .csv.gz or .zip files.")]


class Format(StrEnum):
    """How `query` writes its answer."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def main() -> None:
    """Entry point of the command."""
    app()


@app.command(
    epilog="**Examples**\n\n`chicago-crime run --years 2014-2016,2021 --source folder --folder ~/Downloads/crimes`\n\n"
    "`chicago-crime run --years 2021 --assets 'key:crimes+'`\n\n"
    "`chicago-crime run --years 2001-2022 --source portal --dry-run`"
)
def run(
    years: YearsOption,
    source: SourceOption = None,
    folder: FolderOption = None,
    data_dir: DataOption = None,
    sample_rows: Annotated[int | None, typer.Option(help="Rows a sample year; 0 for the real number.")] = None,
    sample_seed: Annotated[int | None, typer.Option(help="Seed of the sample.")] = None,
    sample_dirt: Annotated[bool | None, typer.Option(help="Whether the sample has every known kind of dirt.")] = None,
    allow_shrink: Annotated[bool | None, typer.Option(help="Replace a year also by one with far fewer rows.")] = None,
    assets: Annotated[
        str | None,
        typer.Option(help="Only these: names with commas, or a selection as in Dagster's UI, e.g. `key:crimes+`."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only show what would be read, replaced and billed; begin and write nothing."),
    ] = False,
) -> None:
    """Load years: materialize the graph, with its checks, as real Dagster runs that the UI shows too."""
    with errors_told():
        settings = chosen_settings(
            source=source or ("folder" if folder else None),
            folder=folder,
            data_dir=data_dir,
            sample_rows=sample_rows,
            sample_seed=sample_seed,
            sample_dirt=sample_dirt,
            allow_shrink=allow_shrink,
        )
        from chicago_crime.installation import Installation

        if dry_run:
            _show_plan(settings, years, assets)
        elif not _run(Installation(settings), years, assets):
            raise typer.Exit(1)


@app.command(epilog="**Example**\n\n`chicago-crime status --strict`")
def status(
    data_dir: DataOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if a table is missing, stale or outdated.")
    ] = False,
) -> None:
    """Show year by table what is loaded, and what is missing (-), older than what it is made of (*) or outdated (!)."""
    with errors_told():
        from chicago_crime.cli.screen import out, status_table
        from chicago_crime.graph.status import read_status
        from chicago_crime.installation import Installation

        statuses = read_status(Installation(chosen_settings(data_dir=data_dir)))
        if not statuses:
            out.print("Nothing is loaded yet. Start with: chicago-crime run --years 2021")
            return
        out.print(status_table(statuses))
        incomplete = [str(one.year) for one in statuses if not one.is_complete]
        if incomplete:
            wrong = "Missing (-) or stale (*)"
            if any(one.outdated for one in statuses):
                wrong = "Missing (-), stale (*) or written by another version (!)"
            out.print(f"{wrong} tables: chicago-crime run --years {','.join(incomplete)}")
        if strict and incomplete:
            raise typer.Exit(1)


@app.command(
    epilog='**Examples**\n\n`chicago-crime query "select year, count(*) from crimes group by year"`\n\n'
    '`chicago-crime query "from crimes_monthly" --format csv --output monthly.csv`'
)
def query(
    sql: Annotated[str, typer.Argument(help="A query in DuckDB's SQL; the tables are those that `status` names.")],
    format: Annotated[Format, typer.Option(help="How to write the answer.")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option(help="Write into this file and not on the screen.")] = None,
    data_dir: DataOption = None,
) -> None:
    """Ask the tables a question."""
    with errors_told():
        from chicago_crime.cli.answer import write_answer
        from chicago_crime.cli.screen import errors
        from chicago_crime.graph.status import synthetic_years
        from chicago_crime.installation import Installation
        from chicago_crime.tables.years import format_years

        if format is Format.PARQUET and output is None:
            raise typer.BadParameter("Parquet is no text: name a file with --output", param_hint="--output")
        installation = Installation(chosen_settings(data_dir=data_dir))
        rows = installation.warehouse.query(sql)
        write_answer(rows, format.value, output)
        if made_up := synthetic_years(installation):
            errors.print(f"[yellow]SYNTHETIC rows[/] in {format_years(made_up)}: the sample source made them up.")


@app.command(epilog="**Example**\n\n`chicago-crime doctor`")
def doctor(source: SourceOption = None, folder: FolderOption = None, data_dir: DataOption = None) -> None:
    """Show what is configured, what works, and what mends what does not."""
    with errors_told():
        from chicago_crime.cli.doctor.examine import examine
        from chicago_crime.cli.screen import out, print_findings
        from chicago_crime.installation import Installation

        settings = chosen_settings(source=source or ("folder" if folder else None), folder=folder, data_dir=data_dir)
        for name, value in settings.model_dump().items():
            out.print(f"CHICAGO_CRIME_{name.upper()}={'' if value is None else value}", markup=False)
        findings = list(examine(Installation(settings)))
        print_findings(findings)
        if any(finding.state == "broken" for finding in findings):
            raise typer.Exit(1)


@app.command(epilog="**Example**\n\n`chicago-crime demo`")
def demo(data_dir: DataOption = None) -> None:
    """Load four years of the synthetic sample, and answer three questions from the tables."""
    with errors_told():
        from chicago_crime.cli.screen import answer_table, out
        from chicago_crime.installation import Installation
        from chicago_crime.sql import answers

        settings = chosen_settings(source="sample", sample_rows=DEMO_ROWS, data_dir=data_dir)
        out.print(f"Loading {DEMO_YEARS} of the sample: {DEMO_ROWS:,} rows a year, [yellow]SYNTHETIC[/].")
        installation = Installation(settings)
        if not _run(installation, DEMO_YEARS, None):
            raise typer.Exit(1)
        warehouse = installation.warehouse
        out.print("\nThree answers from the tables. The rows are SYNTHETIC: do not quote them.\n")
        for question, sql in answers():
            out.print(answer_table(warehouse.query(sql), title=question), "")
        out.print(
            "An arrest flag says that an arrest was made, not that a case was cleared.\n\n"
            "Next:\n"
            "  make dev                                        the graph in your browser, with this run in it\n"
            "  make dashboard                                  the tables in your browser: how much, where, when\n"
            "  .venv/bin/chicago-crime query 'from hot_spots'  ask anything else\n"
            "  .venv/bin/chicago-crime run --help              real data, other years: see the README too",
            markup=False,
        )


@app.command(epilog="**Example**\n\n`chicago-crime dev --port 3001`")
def dev(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 3000,
    source: SourceOption = None,
    folder: FolderOption = None,
    data_dir: DataOption = None,
) -> None:
    """Open the Dagster UI, with its daemon, until Ctrl-C. It shows the runs of this command line too."""
    with errors_told():
        from chicago_crime.graph.instance import become_dagster_dev

        chosen = {"source": source or ("folder" if folder else None), "folder": folder, "data_dir": data_dir}
        become_dagster_dev(chosen_settings(**chosen), port)


app.command(
    epilog="**Examples**\n\n`chicago-crime dashboard`\n\n`chicago-crime dashboard --port 8051 --data-dir ~/crimes`"
)(commands.dashboard)
app.command(
    epilog='**Examples**\n\n`chicago-crime report --area "Hyde Park" --year 2016 --output report.html`\n\n'
    "`chicago-crime report --year 2016 --output city.html`"
)(commands.report)


def _show_plan(settings: Settings, years: str, assets: str | None) -> None:
    from chicago_crime.tables.years import parse_years

    chosen = parse_years(years)
    from chicago_crime.cli.screen_plan import print_plan
    from chicago_crime.definitions import build_definitions
    from chicago_crime.graph.plan import make_plan
    from chicago_crime.installation import Installation

    installation = Installation(settings)
    print_plan(make_plan(installation, build_definitions(installation), chosen, assets))


def _run(installation: "Installation", years: str, assets: str | None) -> bool:
    from chicago_crime.tables.years import parse_years

    chosen = parse_years(years)  # before the slow imports: a typo is answered at once
    from chicago_crime.cli.screen import errors, out, print_problems, progress_of_runs, run_table
    from chicago_crime.definitions import build_definitions
    from chicago_crime.graph.instance import open_instance
    from chicago_crime.graph.run import run_years, steps_in

    reports = []
    steps = steps_in(build_definitions(installation), assets) * len(chosen)
    with open_instance(installation.settings) as instance, progress_of_runs(steps) as listener:
        definitions = build_definitions(installation, listener)
        for report in run_years(installation, definitions, instance, chosen, assets):
            reports.append(report)
            print_problems(report)
    if any(report.metadata for report in reports):
        out.print(run_table(reports))
    for report in reports:
        if not report.success:
            errors.print(f"Run {report.run_id} for {report.first}-{report.last} failed; `make dev` shows it whole.")
    return all(report.success for report in reports)
