"""Fixtures of the dashboard's tests: the dashboard of the sample installation, and rows of its pages."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from chicago_crime.dashboard.app import Dashboard
from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.view import PageTable, View
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings


@pytest.fixture
def copied(sample: Settings, tmp_path: Path) -> Settings:
    """A copy of the sample installation that a test may change."""
    return copy_of(sample, tmp_path)


@pytest.fixture(scope="session")
def client(sample: Settings) -> TestClient:
    return client_of(sample)


@pytest.fixture(scope="session")
def data(sample: Settings) -> Data:
    return data_of(sample)


def copy_of(settings: Settings, folder: Path) -> Settings:
    """Copy an installation to another folder."""
    shutil.copytree(settings.data_dir, folder / "data")
    return settings.model_copy(update={"data_dir": folder / "data"})


def table_of(view: View, name: str) -> PageTable:
    """Return a page's table."""
    found = view.table(name)
    assert found, f"there is no table {name}"
    return found


def rows(view: View, table: str) -> list[dict[str, Any]]:
    """Return the rows of a page's table."""
    return [dict(row) for row in table_of(view, table).rows]


def total(view: View, table: str) -> dict[str, Any]:
    """Return the totals of a page's table."""
    return dict(table_of(view, table).total or {})


def client_of(settings: Settings) -> TestClient:
    """Build a client of an installation's dashboard."""
    return TestClient(Dashboard(Installation(settings)).application(), base_url="http://localhost")


def data_of(settings: Settings) -> Data:
    """Open the data of an installation's dashboard."""
    return Data(Installation(settings).reader())
