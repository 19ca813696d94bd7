"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest

from chicago_crime.resources.duckdb import DuckDBWarehouse
from chicago_crime.settings import Settings, load_settings


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
