"""Fixtures of the BigQuery tests."""

from collections.abc import Iterator

import pytest

from chicago_crime.storage.google.bigquery.warehouse import BigQueryWarehouse
from chicago_crime_tests.storage.google.cloud import Cloud
from chicago_crime_tests.whole_cloud import whole_cloud


@pytest.fixture
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud without tables."""
    with whole_cloud(tmp_path_factory.mktemp("cloud"), False, Cloud) as made:
        yield made


@pytest.fixture
def warehouse(cloud: Cloud) -> BigQueryWarehouse:
    return cloud.warehouse()
