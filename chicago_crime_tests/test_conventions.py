"""Conventions of the code base."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from chicago_crime.storage import lineage
from chicago_crime.tables import TABLES
from chicago_crime_tests.support import PROJECT

PACKAGE = "chicago_crime"
OWN = (PACKAGE, "spark_jobs", "infra_pulumi", "benchmarks", "chicago_crime_tests")
MODULES = sorted(file for one in OWN for file in (PROJECT / one).rglob("*.py") if ".venv" not in file.parts)
OF_PACKAGE = [file for file in MODULES if file.is_relative_to(PROJECT / PACKAGE)]
SQL_FILES = [f for f in sorted((PROJECT / PACKAGE / "sql").glob("*/*.sql")) if f.parent.name != "demo"]

LAYERS = (
    *("errors", "settings", "reference", "tables", "sql", "sources", "intake", "storage", "published", "installation"),
    *("graph", "analysis", "dashboard", "serve", "definitions", "cli"),
)
"""Layers in order: each may import itself and those before it."""

MAX_LINES = 400


def name_of(file: Path) -> str:
    return str(file.relative_to(PROJECT))


def module_of(file: Path) -> str:
    parts = file.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module_of(file): file for file in OF_PACKAGE}


def imports_of(file: Path) -> Iterator[str]:
    """Yield the package's modules that a file imports, including those imported in functions or for types."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import in line {node.lineno}"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            while name and name not in NAMES:  # a class or function: its module
                name = name.rpartition(".")[0]
            if name and name != PACKAGE:
                yield name


LAYER_OF = {module: LAYERS.index(module.split(".")[1]) for module in NAMES if module != PACKAGE}
"""The layer of each module. A module outside of the layers is an error here."""


def test_no_module_is_too_long() -> None:
    assert [name_of(file) for file in MODULES if len(file.read_text().splitlines()) > MAX_LINES] == []


def test_imports_follow_the_order_of_layers() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, file in NAMES.items()
        for name in imports_of(file)
        if module != PACKAGE and LAYER_OF[name] > LAYER_OF[module]
    ]
    assert wrong == []


def test_there_are_no_circular_imports() -> None:
    graph = {name: set(imports_of(file)) - {name} for name, file in NAMES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_only_the_settings_read_the_environment() -> None:
    """Other modules may pass the environment to subprocesses, or set variables for libraries."""
    read = r"getenv|os\.environ(?!\[[^]]+\] = | \||\.setdefault\()\S*"
    others = [file for file in OF_PACKAGE if file.name != "settings.py"]
    assert [name_of(file) for file in others if re.search(read, file.read_text())] == []


def test_spark_jobs_import_only_pyspark_and_the_standard_library() -> None:
    text = "\n".join(file.read_text() for file in (PROJECT / "spark_jobs").glob("*.py"))
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", text, re.MULTILINE))
    assert imported <= {"argparse", "collections", "concurrent", "pyspark"}


def test_every_sql_file_documents_its_grain_and_columns() -> None:
    heads = {name_of(file): file.read_text().splitlines()[:3] for file in SQL_FILES}
    wanted = ["-- What", "-- Grain", "-- Columns"]
    assert [name for name, head in heads.items() if [line.split(":")[0] for line in head] != wanted] == []


def test_code_versions_depend_only_on_files_that_make_tables() -> None:
    def folders(made_by: str) -> set[str]:
        found = [folder.glob(pattern.format("crimes")) for folder, pattern in lineage._CODE[made_by]]
        return {file.parent.name for files in found for file in files}

    assert folders("sql") == {"tables", "fragments", "reference"}
    assert folders("spark") == {"spark_jobs", "reference"}


def test_tables_are_consistent_and_columns_are_described() -> None:
    defined: list[str] = []
    types: dict[str, str] = {}
    for table in TABLES.values():
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names), table.name
        assert set(table.key) | set(table.order) <= set(names), table.name
        assert all(column.description.endswith(".") for column in table.columns), table.name
        assert {above.name for above in table.upstream} <= set(defined), f"{table.name} precedes its upstream tables"
        if table.name not in ("raw_crimes", "rejected_crimes"):  # of texts
            assert all(types.setdefault(one.name, one.type) == one.type for one in table.columns), table.name
        defined.append(table.name)
