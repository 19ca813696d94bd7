"""The dashboard over BigQuery, after a real run in the cloud: every page says what it says on a laptop of the same rows.

What pages read is counted in `chicago_crime_tests/dashboard/test_bytes.py`.
"""

import io
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow.csv
import pytest
from starlette.testclient import TestClient

from chicago_crime.dashboard.data_page import data_page
from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.pages import Asked
from chicago_crime.settings import Settings, load_settings
from chicago_crime.sources.sample import SampleSource
from chicago_crime_tests.dashboard.conftest import client_of, data_of
from chicago_crime_tests.end_to_end.cloud import Cloud, cloud_in
from chicago_crime_tests.support import crime, folder_settings, run_well

YEARS = (2013, 2014, 2015)
ODD = {"primary_type": "TIME TRAVEL", "fbi_code": "26", "iucr": "9999"}


@dataclass
class Both:
    """The same rows on Google Cloud and on a laptop, each with its dashboard."""

    cloud: Cloud
    settings: dict[str, Settings]
    clients: dict[str, TestClient]

    def pages(self, address: str) -> list[str]:
        """A page from each."""
        answers = [client.get(address) for client in self.clients.values()]
        assert [answer.status_code for answer in answers] == [200, 200], [answer.text[-2000:] for answer in answers]
        return [answer.text for answer in answers]


def write_years(folder: Path) -> None:
    """Years of the sample, and in each some crimes that no packed number has a place for."""
    for year in YEARS:
        (folder / str(year)).mkdir(parents=True)
        file = SampleSource(rows=1500).fetch(year, folder / str(year)).path
        odd = [
            crime(id=year * 10 + n, date=f"06/0{n + 1}/{year} 10:15:00 PM", year=year, **ODD, **more)
            for n, more in enumerate([{}, {"district": "99"}, {"community_area": "", "x_coordinate": "2000000"}])
        ]
        text = file.read_text() + "".join(",".join(f'"{value}"' for value in row.values()) + "\n" for row in odd)
        (folder / f"{year}.csv").write_text(text)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("dashboards")
    write_years(folder / "in")
    with pytest.MonkeyPatch.context() as patch, cloud_in(folder) as cloud:
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        laptop = folder_settings(folder / "laptop", folder / "in")
        run_well(laptop, *YEARS)
        ended = cloud.command("run", "--years", "2013-2015", "--folder", str(folder / "in"))
        assert ended.code == 0, ended.output
        with patch.context() as inner:
            for name, value in cloud.environment.items():
                inner.setenv(name, value)
            on_google = load_settings(source="folder", folder=folder / "in")
        settings = {"cloud": on_google, "laptop": laptop}
        yield Both(cloud, settings, {where: client_of(one) for where, one in settings.items()})


PAGES = ("overview", "where", "where?map=cells", "where?map=hot_spots", "when", "compare")


def choices() -> Iterator[Filters]:
    """Filters by themselves and together: the same ones every time."""
    yield Filters()
    yield Filters(type=("TIME TRAVEL",))
    yield Filters(type=("TIME TRAVEL",), arrest=False, year=(2014,))
    dice = random.Random(5)
    for number in range(20):
        yield Filters(
            year=tuple(sorted(dice.sample(YEARS, dice.randrange(1, 4)))) if number % 2 else (),
            offense_class=tuple(dice.sample(["violent", "property", "non_index"], 2)) if number % 3 == 0 else (),
            type=tuple(dice.sample(["THEFT", "BATTERY", "NARCOTICS", "CRIM SEXUAL ASSAULT"], 2)) if number % 4 == 1 else (),
            area=tuple(sorted(dice.sample(range(1, 78), 40))) if number % 5 == 2 else (),
            district=tuple(sorted(dice.sample(range(1, 26), 15))) if number % 5 == 3 else (),
            arrest=dice.choice([None, True, False]),
            domestic=dice.choice([None, None, True, False]),
            source_labels=number % 6 == 1,
            measure=dice.choice(["count", "rate"]),
            rows=dice.choice(["area", "district", "type"]),
            end=dice.choice([None, date(2015, 3, 1), date(2014, 12, 31), date(2015, 10, 17)]),
        )


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_the_same_whatever_is_chosen(both: Both, page: str) -> None:
    shown = set()
    for filters in choices():
        address = f"/{page}{'&' if '?' in page else '?'}{filters.query()}"
        on_google, on_laptop = both.pages(address)
        assert on_google == on_laptop, address
        shown.add(on_google)
    assert len(shown) >= 20
