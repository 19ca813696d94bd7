"""Markdown generated from the table definitions: the data dictionary and the README's table of assets."""

from chicago_crime import reference
from chicago_crime.tables import TABLES, Table

_MADE_BY = {"csv": "loaded unchanged", "sql": "computed with SQL", "spark": "computed by the Spark job"}


def asset_table() -> str:
    """The name and grain of each table."""
    rows = [f"| `{table.name}` | {table.grain} |" for table in TABLES.values()]
    return "\n".join(["| asset | one row per |", "|---|---|", *rows]) + "\n"


def data_dictionary() -> str:
    """The grain, key and columns of each table, and a list of the reference tables."""
    references = [
        f"- `{name}` ({', '.join(reference.rows(name)[0])}): {text}" for name, text in reference.TABLES.items()
    ]
    return "\n".join([*map(_section, TABLES.values()), "## Reference tables\n", *references, ""])


def _section(table: Table) -> str:
    upstream = ", ".join(f"[`{above.name}`](#{above.name})" for above in table.upstream)
    facts = {
        "One row per": table.grain,
        "Key": _names(table.key) or "none; rows may repeat",
        "Source": f"{upstream or '`crime_object`'}, {_MADE_BY[table.made_by]}",
    }
    if table.order:
        facts["Sorted by"] = _names(table.order)
    if table.adds_up:
        facts["Check"] = f"`{table.adds_up.total}` = `{table.adds_up.upstream}` of `{table.upstream[0].name}`"
    columns = [(column.name, column.type, column.meaning.replace("|", "\\|")) for column in table.columns]
    return "\n".join(
        [
            f"## {table.name}\n",
            f"{table.description}\n",
            *(f"- **{name}**: {text}" for name, text in facts.items()),
            "\n| column | type | meaning |",
            "|---|---|---|",
            *(f"| `{name}` | {type_} | {meaning} |" for name, type_, meaning in columns),
            "",
        ]
    )


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in columns)
