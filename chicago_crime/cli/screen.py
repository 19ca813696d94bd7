"""How the command line looks: progress while a run works, tables afterwards. No decisions, no data."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal

import pyarrow as pa
from rich import box
from rich.console import Console, Group
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from chicago_crime.cli.doctor.finding import Finding
from chicago_crime.graph.progress import Listener, Step
from chicago_crime.graph.run import RunReport
from chicago_crime.graph.status import YearStatus
from chicago_crime.tables import TABLES

out = Console(soft_wrap=not sys.stdout.isatty(), highlight=False)
errors = Console(stderr=True, soft_wrap=True, highlight=False)

MOST_ROWS_SHOWN = 50
_NUMBERS_THAT_COUNT_NOTHING = ("id", "beat")
_STATE = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "broken": "[red]broken[/]"}


@contextmanager
def progress_of_runs(total: int) -> Iterator[Listener]:
    """Show steps as they come: a bar on a terminal, plain lines elsewhere. `total` counts assets times years."""
    if not out.is_terminal:
        yield _print_finished
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

        yield show


def _print_finished(step: Step) -> None:
    if step.is_finished:
        out.print(f"{step.asset} {step.year}: {step.rows:,} rows in {step.seconds:.1f} s")
    elif not step.year:
        out.print(f"{step.asset} ...")


def run_table(reports: Sequence[RunReport]) -> Group:
    """Year by asset: rows, seconds and size of what the runs made, rejects and quarantined lines among them."""
    metadata = {key: told for report in reports for key, told in report.metadata.items()}
    cells: dict[str, dict[int, str]] = {}
    for (asset, year), told in metadata.items():
        cell = f"{told['partition_row_count']:,}\n{told['seconds']:.1f} s {size(told['bytes'])}"
        cells.setdefault(asset, {})[year] = cell
    return Group("rows, seconds, size", *year_tables(cells), _reject_line(metadata))


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


def status_table(statuses: Sequence[YearStatus]) -> Group:
    """Year by table: rows; `-` where missing, `*` where stale, `!` where of another version."""
    cells: dict[str, dict[int, str]] = {name: {} for name in ("source", "lake", *TABLES)}
    for status in statuses:
        made_up = "\nSYNTHETIC" if status.manifest and status.manifest.synthetic else ""
        cells["source"][status.year] = status.manifest.source + made_up if status.manifest else "-"
        cells["lake"][status.year] = "yes" if status.in_lake else "-"
        for name in TABLES:
            held = status.tables.get(name)
            marks = ("*" if name in status.stale else "") + ("!" if name in status.outdated else "")
            cells[name][status.year] = f"{held.rows:,}{marks}" if held else "-"
    return Group(*year_tables(cells))


def year_tables(cells: Mapping[str, Mapping[int, str]]) -> Iterator[Table]:
    """A column per year and a row per name, in as many tables below each other as the screen's width asks for."""
    years = sorted({year for row in cells.values() for year in row})
    widest = max((len(line) for row in cells.values() for cell in row.values() for line in cell.split("\n")), default=0)
    fitting = max(1, (out.width - max(map(len, cells), default=0) - 3) // (widest + 2))
    for start in range(0, len(years), fitting):
        shown = years[start : start + fitting]
        table = Table("", box=box.SIMPLE_HEAD, pad_edge=False)
        for year in shown:
            table.add_column(str(year), justify="right", no_wrap=True)
        for name, row in cells.items():
            table.add_row(name, *(row.get(year, "-") for year in shown))
        yield table


def answer_table(rows: pa.Table, title: str | None = None) -> Table:
    """The rows of an answer; at most MOST_ROWS_SHOWN of them, and a line that says how many more there are."""
    table = Table(title=title, title_justify="left")
    columns = []
    for name, type_, values in zip(
        rows.column_names, rows.schema.types, rows.slice(0, MOST_ROWS_SHOWN).columns, strict=True
    ):
        is_number = pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)
        table.add_column(escape(name), justify="right" if is_number else "left", overflow="fold")
        columns.append(_texts(name, values.to_pylist()))
    for row in zip(*columns, strict=True):
        table.add_row(*row)
    if rows.num_rows > MOST_ROWS_SHOWN:
        table.caption = f"{rows.num_rows - MOST_ROWS_SHOWN:,} more rows: --output FILE writes all of them"
    return table


def print_findings(findings: Sequence[Finding]) -> None:
    """What the doctor found; below it what to do, each in one line that can be copied as a whole."""
    table = Table("what", "state", "detail")
    for finding in findings:
        table.add_row(escape(finding.what), _STATE[finding.state], escape(finding.detail))
    out.print(table)
    for finding in findings:
        if finding.fix:
            out.print(f"\n{finding.what} ({finding.state}). What to do:\n  {finding.fix}", markup=False, soft_wrap=True)


def size(count: float) -> str:
    """Bytes in the unit that reads best."""
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:,.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def _texts(column: str, values: Sequence[object]) -> list[str]:
    """A column's values as they read best: whole numbers with separators, unless they count nothing."""
    are_years = all(value is None or (isinstance(value, int) and 1900 <= value <= 2100) for value in values)
    separator = "" if are_years or column in _NUMBERS_THAT_COUNT_NOTHING else ","

    def text(value: object) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, Decimal) and value == value.to_integral_value():
            value = int(value)  # DuckDB's sums of whole numbers
        if isinstance(value, int) and not isinstance(value, bool):
            return f"{value:{separator}}"
        return escape(str(value))

    return [text(value) for value in values]
