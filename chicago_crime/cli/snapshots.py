"""`chicago-crime snapshots`: the published snapshots."""

import typer

from chicago_crime.cli.options import DataOption, chosen_installation
from chicago_crime.errors import HOW_TO_LOAD


def snapshots(data_dir: DataOption = None) -> None:
    """List the published snapshots, newest first.

    `query`, `report` and `dashboard` open an older one with --as-of. Times are Chicago time; records are rows of
    `crimes`, and `to` is the newest month with any.
    """
    from rich.table import Table

    from chicago_crime.cli.screen import errors, out, printable
    from chicago_crime.published.catalog import Catalog, kept_snapshots
    from chicago_crime.tables.years import format_years

    table = Table("id", "published", "changed", "records", "to", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for column in table.columns:  # unfolded, these five fit into 60 columns
        column.overflow, column.no_wrap = "fold", column.header not in ("published", "changed")
        column.min_width = len(str(column.header)) + 1
    table.columns[3].justify = "right"
    accepted, damaged = [], []
    for name, one in kept_snapshots(chosen_installation(data_dir=data_dir).object_store):
        if not isinstance(one, Catalog):
            damaged.append(one)
            table.add_row(name, "damaged")
            continue
        months = [month for year in one.years.values() for month in year.source.get("months", ())]
        reasons = {year: reason for year in one.changed if (reason := one.years[year].accepted)}
        accepted += [f"{name}: {year} was accepted: {reason}" for year, reason in reasons.items()]
        newest = max(months, default="-")
        table.add_row(name, one.local_time, format_years(one.changed), f"{one.records:,}", newest)
    if table.row_count:
        out.print(table, *map(printable, accepted), sep="\n")
    else:
        out.print(f"Nothing is published yet. {HOW_TO_LOAD}")
    for error in damaged:
        errors.print(printable(str(error)), style="red")
    if damaged:
        raise typer.Exit(1)
