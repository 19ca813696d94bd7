"""`chicago-crime describe`: the tables, and what each of their columns means."""

from typing import Annotated

import typer

from chicago_crime.cli.options import plain_errors


def _names(incomplete: str) -> list[str]:
    from chicago_crime.tables import TABLES

    return [name for name in TABLES if name.startswith(incomplete)]


def describe(
    table: Annotated[
        str | None, typer.Argument(help="Name of a table; without it, all tables are listed.", autocompletion=_names)
    ] = None,
) -> None:
    """List the tables, or the columns of one with their meanings."""
    with plain_errors():
        from rich import box
        from rich.table import Table

        from chicago_crime.cli.screen import out
        from chicago_crime.errors import UsageError
        from chicago_crime.tables import TABLES

        if table is None:
            header, rows = (
                ("table", "one row is", "what it holds"),
                [(name, one.grain, one.description) for name, one in TABLES.items()],
            )
        elif table.lower() in TABLES:
            chosen = TABLES[table.lower()]
            out.print(f"{chosen.name}: {chosen.description}\nOne row is: {chosen.grain}.")
            header, rows = ("column", "type", "meaning"), [(c.name, c.type, c.description) for c in chosen.columns]
        else:
            raise UsageError(f"there is no table {table!r}: the tables are {', '.join(TABLES)}")
        drawn = Table(*header, box=box.SIMPLE_HEAD, pad_edge=False)
        drawn.columns[0].no_wrap = True
        for row in rows:
            drawn.add_row(*row)
        out.print(drawn)
