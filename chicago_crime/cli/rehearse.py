"""The command `rehearse`: every kind of call that a run makes on Google Cloud, once, with what each needs and costs."""

from pathlib import Path
from typing import Annotated

import typer

from chicago_crime.cli.options import DataOption, chosen_settings, plain_errors

STYLES = {"passed": "green", "failed": "red", "left out": "yellow"}


def rehearse(
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Also create a cluster and run the Spark job there: some minutes.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it costs a few cents.")] = False,
    report: Annotated[Path, typer.Option(help="The report to write; it names neither project nor buckets.")] = Path(
        "rehearsal.md"
    ),
    data_dir: DataOption = None,
) -> None:
    """Try on Google Cloud what a run does, with 500 synthetic rows.

    Everything that it made is removed again.
    """
    with plain_errors():
        from chicago_crime.cli.screen import out, printable
        from chicago_crime.errors import UsageError
        from chicago_crime.installation import google_extra

        settings = chosen_settings(data_dir=data_dir)
        if settings.deployment != "gcp":
            raise UsageError("a rehearsal is for Google Cloud: set CHICAGO_CRIME_DEPLOYMENT=gcp")
        with google_extra():
            from chicago_crime.cli.rehearsal import FOLDER, Rehearsal, as_report

        rehearsal = Rehearsal.of(settings, cluster)
        out.print(
            f"This writes 500 synthetic rows into the dataset {rehearsal.settings.bigquery_dataset} and below "
            f"{FOLDER} in the buckets, and removes both. It costs a few cents: BigQuery's least amounts, one "
            f"batch of some minutes{', and one cluster of some minutes' if cluster else ''}."
        )
        if not yes:
            typer.confirm("Go on?", abort=True)
        results = []
        for one in rehearsal.results():
            results.append(one)
            out.print(printable(f"{one.outcome:8} {one.step.name}, {one.seconds:.1f} s"), style=STYLES[one.outcome])
            if one.outcome == "failed":
                out.print(printable(f"  {one.words}\n  {one.step.advice}", keep="\n"))
        report.write_text(as_report(results, rehearsal))
        out.print(f"The report is in {report}.")
        if any(one.outcome == "failed" for one in results):
            raise typer.Exit(1)
