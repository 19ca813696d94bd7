"""`chicago-crime run`: load years, or preview that with `--dry-run`."""

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chicago_crime.cli.options import DataOption, FolderOption, SourceOption, chosen_installation

if TYPE_CHECKING:  # slow to import, and `--help` does not need them
    from rich.progress import Progress

    from chicago_crime.graph.plan import Plan, YearPlan
    from chicago_crime.graph.progress import Step
    from chicago_crime.graph.run import RunReport
    from chicago_crime.installation import Installation


def run(
    years: Annotated[str, typer.Option(help="Years to load, such as 2014-2016,2021.", show_default=False)],
    source: SourceOption = None,
    folder: FolderOption = None,
    data_dir: DataOption = None,
    sample_rows: Annotated[
        int | None, typer.Option(help="Rows per year of the sample; 0 for as many as the City reported.")
    ] = None,
    sample_seed: Annotated[int | None, typer.Option(help="Random seed of the sample.")] = None,
    accept: Annotated[
        str | None, typer.Option(help="Why years that an audit or a check refuses are right; recorded with them.")
    ] = None,
    assets: Annotated[
        str | None,
        typer.Option(
            help="Assets to run: comma-separated names, or a selection as in Dagster's UI, such as 'key:crimes+'."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be read, replaced and charged. Nothing is written.")
    ] = False,
) -> None:
    """Load years into all tables and check them.

    Each contiguous range of years is one Dagster run, also shown in the UI.
    """
    from chicago_crime.tables.years import parse_years

    chosen = parse_years(years)
    installation = chosen_installation(
        source=source, folder=folder, data_dir=data_dir, sample_rows=sample_rows, sample_seed=sample_seed
    )
    succeeded = (print_plan if dry_run else load)(installation, chosen, assets, accept)
    if not succeeded:
        raise typer.Exit(1)


def load(
    installation: "Installation", years: Sequence[int], assets: str | None = None, accept: str | None = None
) -> bool:
    """Run the graph for years, print progress and results, and return whether all runs succeeded."""
    if assets is None:
        installation.prepare_spark()
    gc.set_threshold(100_000)  # imports and statements keep most objects: looking for garbage took 6% of a year's time
    from chicago_crime.cli.screen import errors, out, printable, progress_bar
    from chicago_crime.definitions import build_definitions
    from chicago_crime.graph.instance import open_instance
    from chicago_crime.graph.run import run_years, steps_in
    from chicago_crime.tables.years import format_years

    bar = progress_bar()
    definitions = build_definitions(installation, partial(show_step, bar))
    bar.add_task("starting", total=steps_in(definitions, assets) * len(years))
    reports = []
    with open_instance(installation.settings) as instance, bar:
        for report in run_years(installation, definitions, instance, years, assets, accept):
            reports.append(report)
            print_warnings(report)
    if _metadata(reports):
        _print_tables(reports)
        out.print(_rejects(reports))
        for line in _notes(reports):
            out.print(printable(line), style="yellow")
    if unchanged := [year for report in reports for year in report.unchanged]:
        out.print(f"{format_years(unchanged)}: no changes at the source since they were published")
    for report in reports:
        for snapshot, published in report.published.items():
            out.print(f"published {format_years(published)} as snapshot {snapshot}")
        if report.same:
            out.print(f"{format_years(report.same)}: the tables are the same as in the current snapshot")
        if report.repaired:
            out.print(f"repaired damaged or missing published files of {format_years(report.repaired)}")
        if report.problem:
            errors.print(printable(report.problem), style="yellow")
        if not report.success:
            reasons = "; ".join(printable(reason).removesuffix(".") for reason in report.reasons)
            reasons += "" if reasons.endswith("?") else "."
            errors.print(
                f"Run {report.run_id} for {report.years} failed: {reasons} `chicago-crime dev` shows the details. "
                "To retry, repeat this command: the UI can only retry runs that it started.",
                style="red",
            )
    return all(report.success for report in reports)


def show_step(bar: "Progress", step: "Step") -> None:
    """Show a step in the bar, or as a line if the bar is hidden and the step is finished."""
    if step.waits_for:
        bar.console.print(f"{step.year}: waiting for run {step.waits_for}, which is loading the same year")
    elif not bar.disable:
        share = f" {step.share:.0%}" if step.share is not None else ""
        description = f"{step.asset} {step.year}{share}"
        bar.update(bar.task_ids[0], description=description, advance=1 if step.is_finished else 0)
    elif step.is_finished and step.seconds is not None:
        bar.console.print(f"{step.asset} {step.year}: {step.rows:,} rows in {step.seconds:.1f} s")


def print_warnings(report: "RunReport") -> None:
    """Print the warnings of a run; the reason for a failure comes last, from the caller."""
    from chicago_crime.cli.screen import errors, printable

    warnings: dict[str, list[str]] = {}
    for one in report.checks:
        if not one.is_error:
            warnings.setdefault(f"{one.asset}:{one.check}", []).append(f"{one.year}: {one.description}")
    for check, by_year in warnings.items():
        errors.print(f"check {check} warns: ", style="yellow", end="")
        errors.print(printable("; ".join(by_year), keep="\n"))


def _print_tables(reports: Sequence["RunReport"]) -> None:
    """Print rows, seconds and size of the runs' results, by year and asset."""
    from rich.filesize import decimal as size

    from chicago_crime.cli.screen import out, print_by_year

    out.print("rows, seconds, size")
    cells: dict[str, dict[int, str]] = {}
    for (asset, year), made in _metadata(reports).items():
        cell = f"{made['dagster/partition_row_count']:,}\n{made['seconds']:.1f} s {size(made['bytes'])}"
        cells.setdefault(asset, {})[year] = cell
    print_by_year(cells)


def _metadata(reports: Sequence["RunReport"]) -> dict[tuple[str, int], dict[str, Any]]:
    """Metadata of the results, by asset and year; unchanged years are skipped."""
    return {key: made for one in reports for key, made in one.metadata.items() if "unchanged" not in made}


def _rejects(reports: Sequence["RunReport"]) -> str:
    rejected, quarantined, reasons = 0, 0, Counter[str]()
    for (asset, _), made in (item for report in reports for item in report.metadata.items()):
        if asset == "crime_object":
            quarantined += made.get("quarantined_lines", 0)
        elif asset == "rejected_crimes" and (count := made["dagster/partition_row_count"]):
            rejected += count
            reasons.update(made.get("rejected_rows_by_reason", {"in unchanged years": count}))
    by_reason = "".join(f", {reason} {count:,}" for reason, count in reasons.items())
    return f"rejected rows: {rejected:,}{by_reason}; quarantined lines: {quarantined:,}"


def _notes(reports: Sequence["RunReport"]) -> Iterator[str]:
    """What the runs did not read, one line for all years with the same note."""
    from chicago_crime.tables.years import format_years

    notes: dict[str, list[int]] = {}
    for (asset, year), made in sorted(_metadata(reports).items()):
        for note in _notes_of_files(made) if asset == "crime_csv" else ():
            notes.setdefault(note, []).append(year)
        for kind, problem in (("missing", "missing from the file"), ("ignored", "unknown and ignored")):
            if names := made.get(f"{kind}_columns"):
                notes.setdefault(f"columns {problem}: {', '.join(names)}", []).append(year)
    yield from (f"{format_years(years)}: {note}" for note, years in notes.items())


def _notes_of_files(made: dict[str, Any]) -> Iterator[str]:
    from chicago_crime.sources.base import DIFFERENCE
    from chicago_crime.tables.columns import TYPED

    for column, found in made["unreadable_values"].items():
        first = f"the first is {found['example']!r} in {found['place']}"
        effect = "set to NULL" if TYPED[column].nullable else "rows rejected"
        yield f"unreadable values of {column}, {effect}: {found['count']:,}; {first}"
    details = made["details"]
    if difference := details.get(DIFFERENCE):
        yield f"the full year was downloaded as a check: {difference}"
    if lines := details.get("lines_without_year"):
        yield f"lines without a year, skipped: {lines:,}; the first is {details['first_without_year']}"
    if letters := details.get("windows_1252_letters"):
        yield f"bytes that are not UTF-8, read as Windows-1252: {letters:,}"
    remarks = ("no_times", "dates_after_update", "future_updates", "empty_columns", "sample")
    yield from (details[name] for name in remarks if name in details)
    if "skipped_files" in details:
        yield f"files skipped: {details['skipped_files']}"


def print_plan(
    installation: "Installation", years: Sequence[int], assets: str | None = None, accept: str | None = None
) -> bool:
    """Print the plan of a run, or why it would fail, and return whether it can start."""
    from chicago_crime.cli.screen import errors, out, printable
    from chicago_crime.definitions import build_definitions
    from chicago_crime.graph.plan import make_plan

    plan = make_plan(installation, build_definitions(installation), years, assets, accept)
    if not plan.problems:
        _print_details(plan)
    for warning in plan.warnings:
        out.print(f"WARNING: {printable(warning)}", style="yellow")
    for problem in plan.problems:
        errors.print(f"This run would fail: {printable(problem)}", style="red")
    return not plan.problems


def _print_details(plan: "Plan") -> None:
    from rich import box
    from rich.filesize import decimal as size
    from rich.table import Table

    from chicago_crime.cli.screen import out, print_by_year
    from chicago_crime.tables import TABLES

    out.print("Dry run: nothing is written. A real run also reads the values and may refuse the file.\n")
    ranges = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in plan.runs)
    out.print(f"runs: {len(plan.runs)} ({ranges})")
    out.print(f"assets: {', '.join(plan.assets)}\n")
    sources = Table("year", "rows", "CSV", f"source: {plan.source}", box=box.SIMPLE_HEAD, pad_edge=False)
    for year in plan.years:
        sources.add_row(str(year.year), *_expected(year), year.expected.description or "missing")
    sources.columns[3].overflow = "fold"
    for column in sources.columns[1:3]:
        column.justify = "right"
    out.print(sources)
    tables = [name for name in TABLES if name in plan.assets]
    if tables:
        out.print("rows to be replaced (- where nothing is loaded)")
    cells = {name: {y.year: f"{y.loaded[name]:,}" if name in y.loaded else "-" for y in plan.years} for name in tables}
    print_by_year(cells)
    if plan.disk_needed:
        out.print(f"disk space on this machine: about {size(plan.disk_needed)} needed, {size(plan.disk_free)} free")
    if plan.cost:
        out.print(f"BigQuery: about {size(plan.cost.bytes_read)} read, {plan.cost.read_usd:.2f} USD")
        if plan.cost.spark_usd is None:
            out.print("Spark: the price of these machines is unknown")
        elif plan.cost.spark_usd:
            out.print(f"Spark: at most {plan.cost.spark_usd:.2f} USD, if every machine runs until its time limit")
        out.print("Estimated at us-central1 list prices, without free allowances and storage.")


def _expected(year: "YearPlan") -> tuple[str, str]:
    """Rows and size of a file, - if unknown; ~ marks a size estimated from the rows."""
    from rich.filesize import decimal as size

    rows, mark = year.expected.rows, "~" if year.expected.bytes is None else ""
    return "-" if rows is None else f"{rows:,}", f"{mark}{size(year.likely_bytes)}" if year.likely_bytes else "-"
