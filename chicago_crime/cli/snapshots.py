"""`chicago-crime snapshots`: what was published, and when."""

import typer

from chicago_crime.cli.options import DataOption, chosen_installation, plain_errors


def snapshots(data_dir: DataOption = None) -> None:
    """List the published snapshots, newest first.

    `query`, `report` and `dashboard` open an older one with --as-of. Times are Chicago's; records are counted in
    `crimes`, and `to` is the newest month that has any.
    """
    with plain_errors():
        from rich.table import Table

        from chicago_crime.cli.screen import errors, out, printable
        from chicago_crime.published.catalog import Catalog, kept_snapshots
        from chicago_crime.tables.years import format_years

        table = Table(
            "id", "published", "changed", "records", "to", "accepted", box=None, pad_edge=False, padding=(0, 1, 0, 0)
        )
        for column in table.columns:
            column.overflow, column.no_wrap = "fold", column.header in ("id", "published", "records", "to")
        table.columns[3].justify = "right"
        damaged = []
        for name, one in kept_snapshots(chosen_installation(data_dir=data_dir).object_store):
            if not isinstance(one, Catalog):
                damaged.append(one)
                table.add_row(name, "damaged")
                continue
            months = [month for year in one.years.values() for month in year.source.get("months", ())]
            accepted = [f"{year}: {held.accepted}" for year, held in one.years.items() if held.accepted]
            table.add_row(
                name,
                one.told_at,
                format_years(one.changed),
                f"{one.records:,}",
                max(months, default="-"),
                printable("; ".join(accepted)),
            )
        if table.row_count:
            out.print(table)
        else:
            out.print("Nothing is published yet. Start with: chicago-crime run --years 2021")
        for error in damaged:
            errors.print(printable(str(error)), style="red")
        if damaged:
            raise typer.Exit(1)
