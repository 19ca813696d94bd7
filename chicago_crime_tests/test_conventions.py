"""The conventions of the code base, enforced: what a reader may rely on in every file."""

import ast
import re
from pathlib import Path

import pytest

from chicago_crime import sql
from chicago_crime.tables import TABLES
from chicago_crime_tests.support import PROJECT

OWN = ("chicago_crime", "spark_jobs", "infra_pulumi", "benchmarks", "chicago_crime_tests")
MODULES = sorted(
    file
    for folder in OWN
    for file in (PROJECT / folder).rglob("*.py")
    if ".venv" not in file.parts  # Pulumi's
)
SQL_FILES = [f for f in sorted((PROJECT / "chicago_crime" / "sql").glob("*/*.sql")) if f.parent.name != "demo"]


def name_of(file: Path) -> str:
    return str(file.relative_to(PROJECT))


@pytest.mark.parametrize("file", MODULES, ids=name_of)
def test_every_module_says_what_belongs_in_it(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text())), f"{file} has no docstring"


def test_the_platform_is_on_one_page() -> None:
    assert len((PROJECT / "chicago_crime" / "definitions.py").read_text().splitlines()) <= 80


@pytest.mark.parametrize("file", [f for f in MODULES if f.parts[len(PROJECT.parts)] == "chicago_crime"], ids=name_of)
def test_only_the_settings_read_the_environment(file: Path) -> None:
    """Others may hand the whole of it on to a program that they start, or set what a library reads."""
    text = file.read_text()
    assert "getenv" not in text
    if file.name != "settings.py":
        reads = re.findall(r"os\.environ(?!\[[^]]+\] = | \||\.setdefault\()\S*", text)
        assert reads == []


@pytest.mark.parametrize("file", [f for f in MODULES if f.parts[len(PROJECT.parts)] == "spark_jobs"], ids=name_of)
def test_a_spark_job_imports_nothing_of_the_package(file: Path) -> None:
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(file.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [getattr(node, "module", "") or ""]
        )
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    allowed = {"argparse", "collections", "concurrent", "pyspark", "time"}
    if file.name == "with_pipes.py":  # what starts a job elsewhere; the jobs themselves know nothing of Dagster
        allowed |= {"dagster_pipes", "importlib", "sys", "typing"}
    assert imported <= allowed


@pytest.mark.parametrize("file", SQL_FILES, ids=name_of)
def test_every_sql_file_says_what_grain_and_columns(file: Path) -> None:
    lines = file.read_text().splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["-- What", "-- Grain", "-- Columns"]


@pytest.mark.parametrize("name", [f.stem for f in SQL_FILES if f.parent.name == "tables"])
def test_a_tables_sql_gives_its_columns_in_their_order(name: str) -> None:
    query, columns = sql.statement(f"tables/{name}"), [column.name for column in TABLES[name].columns]
    given = query.named_selects
    if "*" in given:  # rejected_crimes takes the raw row as it is
        given = [*given[: given.index("*")], *[c.name for c in TABLES["raw_crimes"].columns]]
    assert given == columns


def test_every_column_is_described_and_every_key_and_order_is_of_the_table() -> None:
    for table in TABLES.values():
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names), table.name
        assert set(table.key) | set(table.order) <= set(names), table.name
        assert all(column.description.endswith(".") for column in table.columns), table.name


def test_a_column_of_one_name_has_one_type_in_all_typed_tables() -> None:
    types: dict[str, set[str]] = {}
    for table in TABLES.values():
        if table.name not in ("raw_crimes", "rejected_crimes"):
            for column in table.columns:
                types.setdefault(column.name, set()).add(column.type)
    assert {name: found for name, found in types.items() if len(found) > 1} == {}
