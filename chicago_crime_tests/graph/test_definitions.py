"""Tests of `chicago_crime/definitions.py`: the graph as Dagster loads it."""

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from dagster import AssetKey, AssetMaterialization, DagsterInstance, Definitions, evaluate_automation_conditions

from chicago_crime import reference, sql
from chicago_crime.definitions import build_definitions
from chicago_crime.graph.partitions import yearly
from chicago_crime.installation import Installation
from chicago_crime.published.catalog import CHICAGO
from chicago_crime.settings import load_settings
from chicago_crime.storage.lineage import code_version
from chicago_crime.tables import REVISIONS, TABLES, Table
from chicago_crime.tables.years import current_year
from chicago_crime_tests.support import PROJECT

LOAD = """
import sys, threading
import chicago_crime.definitions as module
graph = module.defs().resolve_asset_graph()
heavy = sorted({"pyspark", "pysail", "pandas", "matplotlib"} & set(sys.modules))
print(bool(graph.materializable_asset_keys), heavy, threading.active_count())
"""


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Definitions:
    return build_definitions(Installation(load_settings(data_dir=tmp_path_factory.mktemp("data"))))


def test_loading_it_starts_nothing_and_warns_of_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "default", "-c", LOAD]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "arning" not in loaded.stderr
    assert loaded.stdout == "True [] 1\n"
    assert list(tmp_path.iterdir()) == []


def test_every_asset_has_metadata_yearly_partitions_and_a_backfill_policy(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    nodes = {key.to_user_string(): graph.get(key) for key in graph.materializable_asset_keys}
    assert nodes.keys() == {"crime_csv", "crime_object", *TABLES, "published", "boundaries"}
    for name, node in nodes.items():
        assert node.description and node.owners and node.kinds
        assert ("duckdb" in node.kinds) == (name in TABLES)
        if name != "boundaries":
            assert node.partitions_def.get_partition_keys() == [str(year) for year in range(2001, current_year() + 1)]
            assert node.backfill_policy.max_partitions_per_run is None


def test_a_new_year_is_added_without_a_restart() -> None:
    before, after = (datetime(2030, 12, 31, 23, 59), datetime(2031, 1, 1, 0, 1))
    years = [yearly.get_partition_keys(time.replace(tzinfo=CHICAGO)) for time in (before, after)]
    assert [found[-1] for found in years] == ["2030", "2031"]
    assert years[1] == [str(year) for year in range(2001, 2032)]


def test_downstream_assets_follow_changes_of_old_years(definitions: Definitions) -> None:
    with DagsterInstance.ephemeral() as instance:
        for asset in ("crime_csv", "crime_object", *TABLES):
            for year in ("2014", "2015"):
                instance.report_runless_asset_event(AssetMaterialization(asset, partition=year))
        loaded = evaluate_automation_conditions(definitions, instance)
        assert loaded.total_requested == 0
        instance.report_runless_asset_event(AssetMaterialization("crimes", partition="2014"))
        changed = evaluate_automation_conditions(definitions, instance, cursor=loaded.cursor)
        downstream = {*TABLES, "published"} - {"raw_crimes", "crimes", "rejected_crimes", "revisions"}
        requested = {name: changed.get_requested_partitions(AssetKey(name)) for name in downstream}
    assert all(years == {"2014"} for years in requested.values())
    assert changed.total_requested == len(requested)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_table_has_its_columns_and_upstream_assets(definitions: Definitions, table: Table) -> None:
    node = definitions.resolve_asset_graph().get(AssetKey(table.name))
    assert (node.group_name == "spark") == (table.made_by == "spark")
    assert node.code_version == code_version(table)
    upstream = {above.name for above in table.upstream}
    if table.made_by == "sql" and table != REVISIONS:  # which also reads the previous crimes and itself
        assert set(sql.tables_read(f"tables/{table.name}")) - set(reference.TABLES) == upstream
    assert {key.to_user_string() for key in node.parent_keys} == (upstream or {"crime_object"})
    columns = node.metadata["dagster/column_schema"].columns
    shown = [(c.name, c.type, c.description, [*c.constraints.other]) for c in columns]
    assert shown == [(c.name, c.type, c.description, [c.valid_range] if c.between else []) for c in table.columns]


@pytest.mark.slow
def test_dg_checks_and_lists_the_definitions(tmp_path: Path) -> None:
    dg = Path(sys.executable).with_name("dg")
    environment = os.environ | {"CHICAGO_CRIME_DATA_DIR": str(tmp_path), "VIRTUAL_ENV": sys.prefix}
    subprocess.run([dg, "check", "defs"], cwd=PROJECT, env=environment, check=True)
    listed = subprocess.check_output([dg, "list", "defs", "--json"], cwd=PROJECT, env=environment)
    assert {job["name"] for job in json.loads(listed)["jobs"]} == {"load_and_publish", "fetch_boundaries"}
