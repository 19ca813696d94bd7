"""No page reads more than 50 MB on BigQuery over all years: what a row of it costs, times the rows that there are.

Bytes grow with rows, so few rows of every year show what many would cost. Each statement's bytes are counted by table
and multiplied by how many rows the table has over 22 full-size years. `benchmarks/dashboard_bytes.py` needs no such
multiplication, 5 GB, and ten minutes; that both come to the same is a test of this one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import sqlglot
from sqlglot import exp

from benchmarks.dashboard_bytes import PAGES, address_of, full_cloud, jobs_of
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings, load_settings
from chicago_crime.storage.google.bigquery.answers import MB, PAGE
from chicago_crime.storage.google.bigquery.packing import LAYOUTS
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
"""Rows over 22 full-size years of the sample, as `chicago-crime status` tells them."""

IN_DOCS = {
    ("overview", "nothing chosen"): 16.3,
    ("where", "nothing chosen"): 41.4,
    ("where", "8 years"): 37.9,
    ("when", "nothing chosen"): 46.2,
    ("when", "one year"): 11.4,
    ("compare", "nothing chosen"): 13.7,
    ("compare, old", "every filter"): 29.5,
    ("data", "nothing chosen"): 16.3,
}
"""MB that the benchmark measured, in `docs/dashboard-on-bigquery.md`."""


@dataclass
class Small:
    """Few rows of every year in BigQuery."""

    cloud: Cloud
    settings: Settings
    pages: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)

    def bytes_of(self, query: str) -> dict[str, float]:
        """What a statement would read over full-size years, by table; and that nothing is left out of it."""
        catalog, found = self.cloud.bigquery.catalog, dict[str, float]()
        for node in sqlglot.parse_one(query, read="bigquery").find_all(exp.Table):
            if node.name in TABLES and "INFORMATION_SCHEMA" not in query:
                live = catalog.find(DATASET, node.name)
                rows = sum(part.rows for part in catalog.measured(live))
                read = bytes_read(catalog, live, node, {})
                found[node.name] = found.get(node.name, 0) + (read / rows * FULL_ROWS[node.name] if read else 0)
        return found

    def page(self, page: str, choice: str) -> dict[str, float]:
        """The same of all statements of a page."""
        if (page, choice) not in self.pages:
            source_files, found = Installation(self.settings).source_files, dict[str, float]()
            for job in jobs_of(self.cloud, source_files, address_of(page, choice)):
                for name, size in self.bytes_of(job.configuration["query"]["query"]).items():
                    found[name] = found.get(name, 0) + size
            self.pages[page, choice] = found
        return self.pages[page, choice]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    settings = load_settings(data_dir=tmp_path_factory.mktemp("bytes") / "data", sample_rows=400)
    run_well(settings, *range(2001, 2023))
    with pytest.MonkeyPatch.context() as patch, full_cloud(settings.data_dir, settings.data_dir) as cloud:
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        yield Small(cloud, settings)


@pytest.mark.parametrize("choice", ["nothing chosen", "8 years", "every filter", "source labels"])
@pytest.mark.parametrize("page", PAGES)
def test_no_page_reads_more_than_50_mb_of_full_size_years(small: Small, page: str, choice: str) -> None:
    read = small.page(page, choice)
    assert 0 < sum(read.values()) <= PAGE, {name: f"{size / MB:.1f} MB" for name, size in read.items()}
    assert read.keys() <= FULL_ROWS.keys() | {"revisions", "rejected_crimes"}


@pytest.mark.parametrize(("page", "choice"), IN_DOCS, ids=str)
def test_it_comes_to_what_full_size_years_were_measured_at(small: Small, page: str, choice: str) -> None:
    # Here every year has as many rows; of full-size ones the newest, of which Compare reads days, have fewer.
    assert sum(small.page(page, choice).values()) / MB == pytest.approx(IN_DOCS[page, choice], rel=0.2)


READABLE = {
    "crimes_hourly": "year, offense_class, primary_type_comparable, day_of_week, hour, crimes, time_placeholders",
    "crimes_by_cell": "year, primary_type_comparable, cell_x, cell_y, community_area, crimes",
    "enriched_crimes": "date, primary_type",
}


@pytest.mark.parametrize("name", READABLE)
def test_what_the_pages_are_kept_from_would_be_too_much(small: Small, name: str) -> None:
    """A page that read a mart by its columns, or every crime, would not pass above."""
    assert sum(small.bytes_of(f"SELECT {READABLE[name]} FROM {name}").values()) > PAGE


def test_the_packed_tables_are_those_that_need_it(small: Small) -> None:
    assert FULL_ROWS.keys() > LAYOUTS.keys()
    for name in ("crimes_daily", "area_rates"):
        columns = ", ".join(column.name for column in TABLES[name].columns)
        assert small.bytes_of(f"SELECT {columns} FROM {name}")[name] < MB
