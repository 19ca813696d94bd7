"""Tests of `chicago_crime/definitions.py`: the graph as Dagster loads it, derived from the tables."""

import subprocess
import sys
from pathlib import Path

import pytest
from dagster import AssetKey, Definitions

from chicago_crime import reference, sql
from chicago_crime.definitions import build_definitions
from chicago_crime.graph.instance import open_instance
from chicago_crime.graph.progress import Step
from chicago_crime.graph.run import run_years
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings, load_settings
from chicago_crime.tables import REVISIONS, TABLES, Table
from chicago_crime.tables.years import CURRENT_YEAR
from chicago_crime_tests.support import PROJECT

LOAD = """
import sys, threading, time
from dagster._core.definitions.definitions_load_context import DefinitionsLoadContext
import chicago_crime.definitions as module
graph = module.defs().resolve_asset_graph()
heavy = sorted({"pyspark", "pysail", "pandas", "matplotlib"} & set(sys.modules))
print(len(graph.materializable_asset_keys), heavy, threading.active_count())
"""


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Definitions:
    return build_definitions(Installation(load_settings(data_dir=tmp_path_factory.mktemp("data"))))


def test_it_loads_without_a_warning_a_server_or_spark(tmp_path: Path) -> None:
    loaded = subprocess.run(
        [sys.executable, "-W", "default", "-c", LOAD], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "arning" not in loaded.stderr
    assert loaded.stdout == "17 [] 1\n"
    assert list(tmp_path.iterdir()) == []


def test_the_workspace_names_the_one_code_location() -> None:
    assert "python_module: chicago_crime.definitions" in (PROJECT / "workspace.yaml").read_text()


def test_every_asset_is_described_and_runs_a_range_of_years_at_once(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    assert {key.to_user_string() for key in graph.materializable_asset_keys} == {
        "crime_csv",
        "crime_object",
        *TABLES,
        "published",
        "boundaries",
    }
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.description
        assert node.owners
        assert node.kinds
        assert node.group_name in {"source", "lake", "warehouse", "spark", "marts", "published", "reference"}
        if node.group_name == "reference":
            continue
        assert node.partitions_def
        assert node.partitions_def.get_partition_keys() == [str(year) for year in range(2001, CURRENT_YEAR + 1)]
        assert node.backfill_policy
        assert node.backfill_policy.max_partitions_per_run is None


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_table_shows_its_columns_and_what_they_are_made_of(definitions: Definitions, table: Table) -> None:
    node = definitions.resolve_asset_graph().get(AssetKey(table.name))
    upstream = {above.name for above in table.upstream}
    assert {key.to_user_string() for key in node.parent_keys} == (upstream or {"crime_object"})
    columns = node.metadata["dagster/column_schema"].columns
    assert [(c.name, c.type, c.description) for c in columns] == [
        (c.name, c.type, c.description) for c in table.columns
    ]
    lineage = node.metadata["dagster/column_lineage"].deps_by_column
    assert set(lineage) == {column.name for column in table.columns}
    assert {dep.asset_key.to_user_string() for deps in lineage.values() for dep in deps} == upstream


@pytest.mark.parametrize(
    "table", [t for t in TABLES.values() if t.made_by == "sql" and t != REVISIONS], ids=lambda table: table.name
)
def test_the_sql_reads_the_tables_upstream(table: Table) -> None:
    """`revisions` also reads the former `crimes` and itself: it compares with them, before they are replaced."""
    read = set(sql.tables_read(f"tables/{table.name}")) - set(reference.TABLES)
    assert read == {above.name for above in table.upstream}


def test_nothing_lost_is_checked_in_every_layer(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    checks = {(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys}
    assert {(name, "nothing_lost") for name in ("raw_crimes", "crimes", "enriched_crimes")} <= checks
    assert {("crime_csv", "has_not_shrunk"), ("crime_csv", "has_no_gap")} <= checks
    assert {(name, "holds_to_schema") for name in TABLES if name != "raw_crimes"} <= checks
    assert {(table.name, "adds_up") for table in TABLES.values() if table.adds_up} <= checks


def test_a_listener_hears_of_every_asset_and_year(sample_settings: Settings) -> None:
    steps: list[Step] = []
    installation = Installation(sample_settings)
    definitions = build_definitions(installation, steps.append)
    with open_instance(sample_settings) as instance:
        [report] = run_years(installation, definitions, instance, [2014, 2015], "crime_csv,crime_object,raw_crimes")
    assert report.success
    finished = {(step.asset, step.year): step.rows for step in steps if step.is_finished}
    assert finished == {
        (asset, year): 600 for asset in ("crime_csv", "crime_object", "raw_crimes") for year in (2014, 2015)
    }
    assert {step.share for step in steps} > {None}, "the source reports how much is done"
