"""`chicago-crime describe`: the tables and the meaning of their columns."""

from typing import Annotated

import typer


def _names(incomplete: str) -> list[str]:
    from chicago_crime import reference
    from chicago_crime.tables import TABLES

    return [name for name in (*TABLES, *reference.TABLES) if name.startswith(incomplete)]


def describe(
    table: Annotated[
        str | None, typer.Argument(help="Table to describe. Default: list all tables.", autocompletion=_names)
    ] = None,
) -> None:
    """List the tables, or the columns of one table."""
    from rich import box
    from rich.table import Table

    from chicago_crime import reference
    from chicago_crime.cli.screen import out
    from chicago_crime.errors import UsageError
    from chicago_crime.tables import TABLES

    if table is None:
        header: tuple[str, ...] = ("table", "one row per", "contents")
        rows: list[tuple[str, ...]] = [(name, one.grain, one.description) for name, one in TABLES.items()]
        rows += [(name, "(reference)", text) for name, text in reference.TABLES.items()]
    elif table.lower() in TABLES:
        chosen = TABLES[table.lower()]
        out.print(f"{chosen.name}: {chosen.description}\nOne row per {chosen.grain}.")
        header = ("column", "type", "meaning")
        rows = [(c.name, c.type, c.meaning) for c in chosen.columns]
    elif table.lower() in reference.TABLES:
        out.print(f"{table.lower()}: {reference.TABLES[table.lower()]} It ships with the package.")
        header, rows = ("column", "first value"), [*reference.rows(table.lower())[0].items()]
    else:
        names = ", ".join((*TABLES, *reference.TABLES))
        raise UsageError(f"no table is named {table!r}: the tables are {names}")
    drawn = Table(*header, box=box.SIMPLE_HEAD, pad_edge=False)
    drawn.columns[0].no_wrap = True
    for row in rows:
        drawn.add_row(*row)
    out.print(drawn)
