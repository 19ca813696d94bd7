"""No page reads more than 50 MB on BigQuery over all years.

A small sample is loaded, and the bytes of each statement are scaled by table to the rows of 22 full-size years.
`benchmarks/dashboard_bytes.py` measures the same on full-size years.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlglot
from sqlglot import exp

from benchmarks.dashboard_bytes import PAGES, address_of, full_cloud, jobs_of
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings, load_settings
from chicago_crime.storage.google.bigquery.answers import MB, PAGE
from chicago_crime.tables import TABLES
from chicago_crime_tests.servers.bigquery_bytes import bytes_read
from chicago_crime_tests.storage.google.cloud import DATASET, Cloud
from chicago_crime_tests.support import run_well

FULL_ROWS = {
    "crimes": 7_712_404,
    "enriched_crimes": 7_712_404,
    "crimes_hourly": 3_920_420,
    "crimes_by_cell": 3_163_618,
    "crimes_monthly": 1_031_424,
    "hot_spots": 887_100,
    "crimes_daily": 8_035,
    "area_rates": 6_776,
    "crime_type_count": 704,
}
"""Rows of 22 full-size years of the sample."""


@dataclass
class Small:
    """A small sample of every year in BigQuery."""

    cloud: Cloud
    settings: Settings

    def bytes_of(self, query: str) -> dict[str, float]:
        """What a statement would read of full-size years, by table."""
        catalog, found = self.cloud.bigquery.catalog, dict[str, float]()
        for node in sqlglot.parse_one(query, read="bigquery").find_all(exp.Table):
            if node.name in TABLES and "INFORMATION_SCHEMA" not in query:
                live = catalog.find(DATASET, node.name)
                rows = sum(part.rows for part in catalog.measured(live))
                read = bytes_read(catalog, live, node, {})
                found[node.name] = found.get(node.name, 0) + (read / rows * FULL_ROWS[node.name] if read else 0)
        return found

    def page(self, page: str, choice: str) -> dict[str, float]:
        """What all statements of a page would read of full-size years, by table."""
        source_files, found = Installation(self.settings).source_files, dict[str, float]()
        for job in jobs_of(self.cloud, source_files, address_of(page, choice)):
            for name, size in self.bytes_of(job.configuration["query"]["query"]).items():
                found[name] = found.get(name, 0) + size
        return found


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    settings = load_settings(data_dir=tmp_path_factory.mktemp("bytes") / "data", sample_rows=400)
    run_well(settings, *range(2001, 2023))
    with pytest.MonkeyPatch.context() as patch, full_cloud(settings.data_dir, settings.data_dir) as cloud:
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        yield Small(cloud, settings)


@pytest.mark.parametrize("choice", ["nothing chosen", "every filter"])
@pytest.mark.parametrize("page", PAGES)
def test_no_page_reads_more_than_50_mb_of_full_size_years(small: Small, page: str, choice: str) -> None:
    read = small.page(page, choice)
    assert 0 < sum(read.values()) <= PAGE, {name: f"{size / MB:.1f} MB" for name, size in read.items()}
    assert read.keys() <= FULL_ROWS.keys() | {"revisions", "rejected_crimes"}
