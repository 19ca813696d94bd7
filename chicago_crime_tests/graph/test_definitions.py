"""Tests of `chicago_crime/definitions.py`: the graph as Dagster loads it."""

import subprocess
import sys
from pathlib import Path

import pytest
from dagster import AssetKey, Definitions

from chicago_crime import reference, sql
from chicago_crime.definitions import build_definitions
from chicago_crime.installation import Installation
from chicago_crime.settings import load_settings
from chicago_crime.tables import TABLES
from chicago_crime.tables.lineage import UPSTREAM
from chicago_crime.tables.years import CURRENT_YEAR
from chicago_crime_tests.support import PROJECT

LOAD = """
import sys, threading, time
start = time.perf_counter()
from dagster._core.definitions.definitions_load_context import DefinitionsLoadContext
import chicago_crime.definitions as module
graph = module.defs().resolve_asset_graph()
seconds = time.perf_counter() - start
heavy = sorted({"pyspark", "pysail", "pandas", "matplotlib"} & set(sys.modules))
print(len(graph.materializable_asset_keys), heavy, threading.active_count(), seconds)
"""


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Definitions:
    return build_definitions(Installation(load_settings(data_dir=tmp_path_factory.mktemp("data"))))


def test_it_loads_without_a_warning_a_server_or_spark(tmp_path: Path) -> None:
    loaded = subprocess.run(
        [sys.executable, "-W", "default", "-c", LOAD], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "arning" not in loaded.stderr
    count, rest = loaded.stdout.split(" ", 1)
    assert int(count) == 14
    assert rest.startswith("[] 1 ")
    assert list(tmp_path.iterdir()) == []


def test_the_workspace_names_the_one_code_location() -> None:
    assert "python_module: chicago_crime.definitions" in (PROJECT / "workspace.yaml").read_text()


def test_every_asset_is_partitioned_by_year_and_runs_a_range_at_once(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.partitions_def
        assert node.partitions_def.get_partition_keys() == [str(year) for year in range(2001, CURRENT_YEAR + 1)]
        assert node.backfill_policy
        assert node.backfill_policy.max_partitions_per_run is None


def test_every_asset_tells_who_what_and_where(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    assert {key.to_user_string() for key in graph.materializable_asset_keys} == {"crime_csv", "crime_object", *TABLES}
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.description
        assert node.owners
        assert node.kinds
        assert node.group_name in {"source", "lake", "warehouse", "spark", "marts"}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_shows_its_columns_with_their_meaning(definitions: Definitions, name: str) -> None:
    metadata = definitions.resolve_asset_graph().get(AssetKey(name)).metadata
    columns = metadata["dagster/column_schema"].columns
    assert [(c.name, c.type, c.description) for c in columns] == [
        (c.name, c.type, c.description) for c in TABLES[name].columns
    ]


@pytest.mark.parametrize("name", UPSTREAM)
def test_a_table_depends_on_what_its_lineage_names(definitions: Definitions, name: str) -> None:
    node = definitions.resolve_asset_graph().get(AssetKey(name))
    assert {key.to_user_string() for key in node.parent_keys} == {UPSTREAM[name].name}
    lineage = node.metadata["dagster/column_lineage"].deps_by_column
    assert set(lineage) == {column.name for column in TABLES[name].columns}
    known = {column.name for column in UPSTREAM[name].columns}
    assert all(dep.column_name in known for deps in lineage.values() for dep in deps)
    assert {dep.asset_key.to_user_string() for deps in lineage.values() for dep in deps} == {UPSTREAM[name].name}


@pytest.mark.parametrize(
    "name", ["crimes", "rejected_crimes", "crimes_monthly", "crimes_hourly", "crimes_by_cell", "area_rates"]
)
def test_the_sql_reads_what_the_lineage_names(name: str) -> None:
    assert set(sql.tables_read(f"tables/{name}")) - set(reference.TABLES) == {UPSTREAM[name].name}


def test_nothing_lost_is_checked_in_every_layer_and_blocks(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    blocking = {
        (key.asset_key.to_user_string(), key.name)
        for key in graph.asset_check_keys
        if graph.get_check_spec(key).blocking
    }
    assert {("raw_crimes", "nothing_lost"), ("crimes", "nothing_lost"), ("enriched_crimes", "nothing_lost")} <= blocking
    assert {("crime_csv", "has_not_shrunk"), ("crime_csv", "has_no_gap"), ("crimes", "holds_to_schema")} <= blocking
