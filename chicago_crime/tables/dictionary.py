"""The documentation that derives from the tables: the data dictionary and the table of assets, in Markdown."""

from chicago_crime import reference
from chicago_crime.tables import TABLES, Table
from chicago_crime.tables.columns import Column

_MADE_BY = {"csv": "loaded as it is", "sql": "computed by SQL", "spark": "computed by the Spark job"}


def asset_table() -> str:
    """A row for each table: its name and its grain."""
    rows = [f"| `{table.name}` | {table.grain} |" for table in TABLES.values()]
    return "\n".join(["| asset | one row is |", "|---|---|", *rows]) + "\n"


def data_dictionary() -> str:
    """Every table with its facts and its columns, and what the reference tables hold."""
    of_package = [
        f"- `{name}` ({', '.join(reference.rows(name)[0])}): {text}" for name, text in reference.TABLES.items()
    ]
    return "\n".join([*map(_section, TABLES.values()), "## Reference tables\n", *of_package, ""])


def _section(table: Table) -> str:
    upstream = ", ".join(f"[`{above.name}`](#{above.name})" for above in table.upstream)
    facts = {
        "One row": table.grain,
        "Key": _names(table.key) or "none: rows may repeat",
        "Order": _names(table.order) or "none",
        "Made of": f"{upstream or '`crime_object`'}, {_MADE_BY[table.made_by]}",
    }
    if table.adds_up:
        facts["Adds up"] = f"`{table.adds_up.total}` = `{table.adds_up.upstream}` of `{table.upstream[0].name}`"
    return "\n".join(
        [
            f"## {table.name}\n",
            f"{table.description}\n",
            *(f"- **{name}**: {text}" for name, text in facts.items()),
            "\n| column | type | meaning |",
            "|---|---|---|",
            *(f"| `{column.name}` | {column.type} | {_meaning(column)} |" for column in table.columns),
            "",
        ]
    )


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in columns)


def _meaning(column: Column) -> str:
    parts = [column.description]
    if not column.nullable:
        parts.append("Never NULL.")
    if column.plausible:
        parts.append(f"Plausible: {column.plausible}.")
    return " ".join(parts).replace("|", "\\|")
