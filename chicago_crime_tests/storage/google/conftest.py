"""One cloud on loopback for all BigQuery tests of a process; it is emptied for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chicago_crime.storage.google.bigquery.warehouse import BigQueryWarehouse
from chicago_crime_tests.storage.google.cloud import Cloud
from chicago_crime_tests.whole_cloud import whole_cloud


@pytest.fixture(scope="session")
def shared_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud with whatever the previous test left."""
    with pytest.MonkeyPatch.context() as patch, whole_cloud(tmp_path_factory.mktemp("cloud"), False, Cloud) as made:
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        yield made


@pytest.fixture
def cloud(shared_cloud: Cloud) -> Cloud:
    """A cloud whose tables, if any, are empty. Tests must not change their columns."""
    shared_cloud.empty()
    return shared_cloud


@pytest.fixture
def fresh_cloud(tmp_path: Path) -> Iterator[Cloud]:
    """A cloud without tables, for tests that change columns."""
    with whole_cloud(tmp_path, False, Cloud) as made:
        yield made


@pytest.fixture
def warehouse(cloud: Cloud) -> BigQueryWarehouse:
    return cloud.warehouse()
