"""Fixtures that all tests share."""

import os
from importlib import import_module
from pathlib import Path

import pytest

from chicago_crime.graph.run import RunReport
from chicago_crime.settings import Settings, load_settings
from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime_tests.support import REAL_DATA, REAL_ROWS, folder_settings, real_year, run_well


def pytest_configure() -> None:
    """Have every test choose how wide the screen is: a console keeps the width that COLUMNS says when it is made."""
    os.environ.pop("COLUMNS", None)
    import_module("chicago_crime.cli.screen")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("CHICAGO_CRIME_", "KAGGLE_")) or name == "DAGSTER_HOME":
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")  # the servers of the tests are on this machine


@pytest.fixture
def sample_settings(tmp_path: Path) -> Settings:
    """An installation in a temporary folder, with a small sample."""
    return load_settings(data_dir=tmp_path / "data", sample_rows=600)


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    """An empty warehouse."""
    return DuckDBWarehouse(tmp_path / "warehouse", tmp_path / "staging", threads=2, memory="500MB")


@pytest.fixture(scope="session")
def real_years(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, list[RunReport]]:
    """An installation that has loaded every real year, and what its runs told. Tests leave its tables as they are."""
    for year in REAL_ROWS:
        real_year(year)
    settings = folder_settings(tmp_path_factory.mktemp("real"), REAL_DATA / "real")
    return settings, run_well(settings, *REAL_ROWS)
