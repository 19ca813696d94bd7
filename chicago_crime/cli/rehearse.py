"""The command `rehearse`: try each kind of call that a run makes on Google Cloud once."""

from pathlib import Path
from typing import Annotated

import typer

from chicago_crime.cli.options import DataOption, chosen_settings

STYLES = {"passed": "green", "failed": "red", "skipped": "yellow"}


def rehearse(
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Also run the Spark job on a new cluster, which takes minutes.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation; it costs a few cents.")] = False,
    report: Annotated[Path, typer.Option(help="Report to write, without the names of project and buckets.")] = Path(
        "rehearsal.md"
    ),
    data_dir: DataOption = None,
) -> None:
    """Rehearse a run on Google Cloud with 500 synthetic rows.

    Everything is removed afterwards.
    """
    from chicago_crime.cli.screen import out, printable
    from chicago_crime.errors import UsageError
    from chicago_crime.installation import google_extra

    settings = chosen_settings(data_dir=data_dir)
    if settings.deployment != "gcp":
        raise UsageError("rehearse needs Google Cloud: set CHICAGO_CRIME_DEPLOYMENT=gcp")
    with google_extra():
        from chicago_crime.cli.rehearsal import FOLDER, Rehearsal, as_report

    rehearsal = Rehearsal(settings, cluster)
    out.print(
        f"This writes 500 synthetic rows to the dataset {rehearsal.settings.bigquery_dataset} and to {FOLDER} in "
        "the buckets, then removes both. It costs a few cents: BigQuery's minimum charges and a few minutes of "
        f"one batch{' and one cluster' if cluster else ''}."
    )
    if not yes:
        typer.confirm("Continue?", abort=True)
    results = []
    for one in rehearsal.results():
        results.append(one)
        out.print(printable(f"{one.outcome:8} {one.step.name}, {one.seconds:.1f} s"), style=STYLES[one.outcome])
        if one.outcome == "failed":
            out.print(printable(f"  {one.message}\n  {one.step.advice}", keep="\n"))
    report.write_text(as_report(results, rehearsal), encoding="utf-8")
    out.print(f"Report: {report}")
    if any(one.outcome == "failed" for one in results):
        raise typer.Exit(1)
