"""Tests of `chicago_crime/tables/dictionary.py`."""

from chicago_crime.tables import TABLES
from chicago_crime.tables.dictionary import asset_table, data_dictionary


def test_every_table_is_documented_with_its_facts_and_columns() -> None:
    sections = data_dictionary().split("## ")[1:]
    assert [section.split("\n")[0] for section in sections] == list(TABLES)
    for section, table in zip(sections, TABLES.values(), strict=True):
        assert table.description in section
        assert f"- **One row**: {table.grain}\n" in section
        assert section.count("\n| `") == len(table.columns)
    [rates] = [section for section in sections if section.startswith("area_rates")]
    assert "- **Key**: `year`, `community_area`, `offense_class`\n" in rates
    assert "- **Made of**: [`enriched_crimes`](#enriched_crimes), computed by SQL\n" in rates
    assert "| `crimes` | INT64 | Number of crimes. Never NULL. At least 0. |" in rates
    [crimes] = [section for section in sections if section.startswith("crimes\n")]
    assert "| `ward` | INT64 | City Council ward. Plausible from 1 to 50. |" in crimes


def test_the_table_of_assets_has_a_row_per_table() -> None:
    header, _, *rows = asset_table().splitlines()
    assert header == "| asset | one row is |"
    assert rows == [f"| `{table.name}` | {table.grain} |" for table in TABLES.values()]
