"""Tests of the link to Looker Studio."""

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from dagster import AssetKey, materialize

from chicago_crime.definitions import build_definitions
from chicago_crime.graph.assets.dashboard import REPORTED, looker_studio_report
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings, load_settings
from chicago_crime.storage.warehouse import WarehouseError
from chicago_crime.tables import TABLES
from chicago_crime_tests.servers.credentials import PROJECT_ID

KEY = AssetKey("looker_studio_report")


def metadata_of(settings: Settings) -> dict:
    """Materialize the asset over the tables of an installation, and return its metadata."""
    installation = Installation(settings)
    given = {name: getattr(installation, name) for name in ("settings", "warehouse", "source_files")}
    result = materialize([looker_studio_report], resources=given)
    [event] = result.asset_materializations_for_node(KEY.to_python_identifier())
    return {name: value.value for name, value in event.metadata.items()}


def test_it_is_only_in_the_graph_on_google_cloud(tmp_path: Path) -> None:
    on_google = load_settings(deployment="gcp", gcp_project=PROJECT_ID, gcs_bucket="bucket", data_dir=tmp_path)
    node = build_definitions(Installation(on_google)).resolve_asset_graph().get(KEY)
    assert (node.group_name, node.partitions_def) == ("dashboard", None)
    assert {key.to_user_string() for key in node.parent_keys} == {table.name for table in REPORTED}
    assert {table.name for table in TABLES.values() if table.adds_up} == {table.name for table in REPORTED}
    on_laptop = build_definitions(Installation(load_settings(data_dir=tmp_path))).resolve_asset_graph()
    assert KEY not in on_laptop.materializable_asset_keys


def test_the_link_names_tables_years_and_synthetic_rows(loaded_copy: Settings) -> None:
    loaded_copy = loaded_copy.model_copy(update={"gcp_project": PROJECT_ID})
    assert metadata_of(loaded_copy)["report_name"] == "Chicago crime"
    for file in (loaded_copy.data_dir / "csv").glob("2014*.json"):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"synthetic": True}))
    metadata = metadata_of(loaded_copy)
    assert metadata["report_name"] == "Chicago crime, SYNTHETIC rows in 2014"
    assert metadata["years"] == "2014-2015"
    assert metadata["tables"] == [table.name for table in REPORTED]
    parameters = dict(parse_qsl(urlsplit(metadata["report"]).query, strict_parsing=True))
    assert parameters["r.reportName"] == metadata["report_name"]
    assert parameters["ds.ds0.datasourceName"] == f"{metadata['report_name']}: crimes_monthly"
    for number, table in enumerate(REPORTED):
        source = {"connector": "bigQuery", "tableId": table.name, "datasetId": "chicago_crime"}
        source |= dict.fromkeys(("projectId", "billingProjectId"), PROJECT_ID)
        assert parameters.items() >= {(f"ds.ds{number}.{name}", value) for name, value in source.items()}


def test_the_error_without_tables_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match=r"crimes_monthly, .*nothing is loaded.*chicago-crime run"):
        metadata_of(settings)
