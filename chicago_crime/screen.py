"""How the command line looks: progress while a run works, tables afterwards. No decisions, no data."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from chicago_crime.doctor import Finding
from chicago_crime.progress import Step, listening
from chicago_crime.run import RunReport
from chicago_crime.status import YearStatus
from chicago_crime.tables import TABLES

out = Console(soft_wrap=not sys.stdout.isatty(), highlight=False)
errors = Console(stderr=True, soft_wrap=True, highlight=False)

MOST_ROWS_SHOWN = 50
_STATE = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "broken": "[red]broken[/]"}


@contextmanager
def progress_of_runs(total: int) -> Iterator[None]:
    """Show steps as they come: a bar on a terminal, plain lines elsewhere. `total` counts assets times years."""
    if not out.is_terminal:
        with listening(_print_finished):
            yield
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out) as bar:
        task = bar.add_task("starting", total=total)

        def show(step: Step) -> None:
            share = f" {step.share:.0%}" if step.share is not None else ""
            bar.update(task, description=f"{step.asset} {step.year or ''}{share}", advance=1 if step.is_finished else 0)

        with listening(show):
            yield


def _print_finished(step: Step) -> None:
    if step.is_finished:
        out.print(f"{step.asset} {step.year}: {step.rows:,} rows in {step.seconds:.1f} s")
    elif not step.year:
        out.print(f"{step.asset} ...")


def run_table(reports: Sequence[RunReport]) -> Table:
    """Year by asset: rows, seconds and size of what the runs made, rejects and quarantined lines among them."""
    metadata = {key: told for report in reports for key, told in report.metadata.items()}
    years = sorted({year for _, year in metadata})
    table = Table("table", *(str(year) for year in years), title="rows, seconds, size", caption=_reject_line(metadata))
    for asset in dict.fromkeys(asset for asset, _ in metadata):
        cells = []
        for year in years:
            told = metadata.get((asset, year))
            cells.append(
                f"{told['partition_row_count']:,}\n{told['seconds']:.1f} s, {size(told['bytes'])}" if told else "-"
            )
        table.add_row(asset, *cells)
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _reject_line(metadata: dict[tuple[str, int], dict]) -> str:
    rejected = sum(told["partition_row_count"] for (asset, _), told in metadata.items() if asset == "rejected_crimes")
    quarantined = sum(told["quarantined_lines"] for (asset, _), told in metadata.items() if asset == "crime_object")
    reasons: dict[str, int] = {}
    for (asset, _), told in metadata.items():
        if asset == "rejected_crimes":
            for reason, count in told["rejected_rows_by_reason"].items():
                reasons[reason] = reasons.get(reason, 0) + count
    by_reason = "".join(f", {reason} {count:,}" for reason, count in reasons.items())
    return f"rejected rows: {rejected:,}{by_reason}; quarantined lines: {quarantined:,}"


def print_problems(report: RunReport) -> None:
    """Say what failed and which checks did not pass."""
    for step, reason in report.failures.items():
        errors.print(f"[red]{step} failed[/]: {reason}", markup=True)
    for check in report.checks:
        colour, word = ("red", "failed") if check.is_error else ("yellow", "wants a look")
        errors.print(f"[{colour}]check {check.asset}:{check.check} {word}[/]: {check.description}")


def status_table(statuses: Sequence[YearStatus]) -> Table:
    """Year by table: rows; `-` where missing, `*` where stale."""
    table = Table("year", "source", "lake", *TABLES, title="rows by year and table")
    for status in statuses:
        source = status.manifest.source if status.manifest else "-"
        if status.manifest and status.manifest.synthetic:
            source += " (SYNTHETIC)"
        cells = []
        for name in TABLES:
            held = status.tables.get(name)
            mark = "*" if name in status.stale else ""
            cells.append(f"{held.rows:,}{mark}" if held else "-")
        table.add_row(str(status.year), source, "yes" if status.in_lake else "-", *cells)
    for column in table.columns[3:]:
        column.justify = "right"
    return table


def answer_table(rows: pa.Table, title: str | None = None) -> Table:
    """The rows of an answer; at most MOST_ROWS_SHOWN of them, and a line that says how many more there are."""
    table = Table(*rows.column_names, title=title, title_justify="left")
    for row in rows.slice(0, MOST_ROWS_SHOWN).to_pylist():
        table.add_row(*("NULL" if value is None else _text(value) for value in row.values()))
    for column, type_ in zip(table.columns, rows.schema.types, strict=True):
        if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
            column.justify = "right"
    if rows.num_rows > MOST_ROWS_SHOWN:
        table.caption = f"{rows.num_rows - MOST_ROWS_SHOWN:,} more rows: --output FILE writes all of them"
    return table


def findings_table(findings: Sequence[Finding]) -> Table:
    """What the doctor found."""
    table = Table("what", "state", "detail", "what to do")
    for finding in findings:
        table.add_row(finding.what, _STATE[finding.state], finding.detail, finding.fix)
    return table


def size(count: float) -> str:
    """Bytes in the unit that reads best."""
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:,.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def _text(value: object) -> str:
    # A year is a number without a thousands separator; everything else reads better with one.
    if isinstance(value, bool) or not isinstance(value, int) or 1900 <= value <= 2100:
        return str(value)
    return f"{value:,}"
