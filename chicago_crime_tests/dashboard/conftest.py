"""Fixtures of the dashboard's tests: an installation with three years of the sample, and its dashboard."""

import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.serve import build_dashboard
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings, load_settings
from chicago_crime_tests.support import run_well


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation with three years of the sample. Tests leave it as it is."""
    settings = load_settings(data_dir=tmp_path_factory.mktemp("dashboard") / "data", sample_rows=4000)
    run_well(settings, 2014, 2015, 2016)
    return settings


@pytest.fixture
def copied(sample: Settings, tmp_path: Path) -> Settings:
    """A copy of the sample installation that a test may change."""
    shutil.copytree(sample.data_dir, tmp_path / "data")
    settings = sample.model_copy(update={"data_dir": tmp_path / "data"})
    shutil.copytree(sample.home, settings.home, dirs_exist_ok=True)
    return settings


@pytest.fixture
def client(sample: Settings) -> TestClient:
    return client_of(sample)


@pytest.fixture
def data(sample: Settings) -> Data:
    return data_of(sample)


def client_of(settings: Settings) -> TestClient:
    """A client of an installation's dashboard."""
    return TestClient(build_dashboard(Installation(settings)).application())


def data_of(settings: Settings) -> Data:
    """What the dashboard of an installation reads."""
    return Data.of(Installation(settings))
