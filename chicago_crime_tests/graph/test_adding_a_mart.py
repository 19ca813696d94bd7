"""A new mart needs only an SQL file and a `Table`."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from chicago_crime_tests.support import PROJECT

TABLE = """

CRIMES_BY_WARD = Table(
    "crimes_by_ward",
    "Counts by ward.",
    "year and ward",
    (YEAR, TYPED["ward"], CRIMES_COUNT),
    key=("year", "ward"),
    order=("ward",),
    upstream=(ENRICHED_CRIMES,),
    adds_up=AddsUp(),
)
"""
SQL = """-- What:    counts by ward.
-- Grain:   year and ward.
-- Columns: the grain, and the number of crimes.
SELECT
  year,
  ward,
  COUNT(*) AS crimes
FROM enriched_crimes
WHERE year = @year
GROUP BY year, ward
"""
USE = """
import json
from pathlib import Path
from chicago_crime.definitions import build_definitions
from chicago_crime.graph.instance import open_instance
from chicago_crime.graph.run import run_years
from chicago_crime.graph.status import read_status
from chicago_crime.installation import Installation
from chicago_crime.settings import load_settings
from chicago_crime.tables.dictionary import data_dictionary
from dagster import AssetKey

installation = Installation(load_settings(data_dir=Path("data"), sample_rows=600))
definitions = build_definitions(installation)
with open_instance(installation.settings) as instance:
    [report] = run_years(installation, definitions, instance, [2014])
    node = definitions.resolve_asset_graph().get(AssetKey("crimes_by_ward"))
    checks = instance.event_log_storage.get_latest_asset_check_execution_by_key(node.check_keys)
[status] = read_status(installation).years
print(json.dumps({
    "success": report.success,
    "group": node.group_name,
    "made of": [key.to_user_string() for key in node.parent_keys],
    "checks": {key.name: record.evaluation.passed for key, record in checks.items()},
    "rows": report.metadata["crimes_by_ward", 2014]["dagster/partition_row_count"],
    "crimes": installation.warehouse.first_rows("SELECT SUM(crimes) FROM crimes_by_ward", 1).rows[0][0],
    "problems": status.problems,
    "documented": "## crimes_by_ward" in data_dictionary(),
}, default=int))
"""


def test_a_mart_needs_only_an_sql_file_and_a_table(tmp_path: Path) -> None:
    for package in ("chicago_crime", "spark_jobs"):
        shutil.copytree(PROJECT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "dagster.yaml", tmp_path)
    with (tmp_path / "chicago_crime" / "tables" / "marts.py").open("a") as file:
        file.write(TABLE)
    (tmp_path / "chicago_crime" / "sql" / "tables" / "crimes_by_ward.sql").write_text(SQL)

    used = subprocess.run([sys.executable, "-c", USE], cwd=tmp_path, capture_output=True, text=True)

    assert used.returncode == 0, used.stderr
    found = json.loads(used.stdout.splitlines()[-1])
    assert found.pop("rows") > 1
    assert found == {
        "success": True,
        "group": "marts",
        "made of": ["enriched_crimes"],
        "checks": {"holds_to_schema": True, "adds_up": True},
        "crimes": 600,
        "problems": [],
        "documented": True,
    }
