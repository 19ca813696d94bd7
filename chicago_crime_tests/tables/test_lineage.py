"""Tests of `chicago_crime/lineage.py`: compared with what the SQL really reads."""

import pytest
from sqlglot import exp

from chicago_crime import sql
from chicago_crime.tables import TABLES
from chicago_crime.tables.lineage import UPSTREAM, upstream_columns


@pytest.mark.parametrize("name", ["crimes_monthly", "crimes_hourly", "crimes_by_cell", "area_rates"])
def test_no_column_is_read_that_the_lineage_does_not_name(name: str) -> None:
    upstream = {column.name for column in UPSTREAM[name].columns}
    named = {column for deps in upstream_columns(TABLES[name]).values() for _, column in deps}
    selects = [
        select
        for select in sql.statement(f"tables/{name}").find_all(exp.Select)
        if (source := select.find(exp.From)) and source.this.name == UPSTREAM[name].name
    ]
    assert selects
    read = {column.name for select in selects for column in select.find_all(exp.Column)} & upstream
    assert read <= named | {"year"}


def test_the_raw_table_comes_from_no_table() -> None:
    assert upstream_columns(TABLES["raw_crimes"]) == {}
