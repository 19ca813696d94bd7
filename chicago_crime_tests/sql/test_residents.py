"""Population, interpolated between censuses and the installation's estimates."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.pages.overview import overview
from chicago_crime.installation import Installation
from chicago_crime.published.catalog import newest_readable
from chicago_crime.settings import Settings
from chicago_crime_tests.dashboard.conftest import data_of
from chicago_crime_tests.end_to_end.browsing import free_port
from chicago_crime_tests.support import command, crimes_of_months, rows_of, run_well, write_csv

HEADER = "year,community_area,population\n"


def residents(settings: Settings, year: int) -> dict[int, tuple[float, int]]:
    rows = [row for row in rows_of(settings, "area_rates", year) if row["offense_class"] == "all"]
    return {row["community_area"]: (row["population"], row["population_known_to"]) for row in rows}


def caveat_of(settings: Settings) -> str:
    [rate] = [one for one in overview(PageRequest(data_of(settings), Filters())).numbers if "residents" in one.label]
    return rate.caveat


def kept_of(settings: Settings) -> set[int]:
    """Return the years that a run would not rebuild."""
    made = Installation(settings)
    [catalog, *_] = newest_readable(made.object_store)
    held = made.source_files.previous_files(made.source, [2022])
    files = {year: one.sha256 for year, one in held.items()}
    return set(made.publisher(made.warehouse).unchanged_years(files, catalog.years))


def test_estimates_extend_the_censuses(settings: Settings, tmp_path: Path) -> None:
    """The Loop (32) had 29,283 residents in 2010 and 42,298 in 2020; the estimate for 2024 is fictitious."""
    for year in (2005, 2022, 2025):
        write_csv(settings.folder / f"{year}.csv", crimes_of_months(year))
    run_well(settings, 2005, 2022, 2025)
    loop = [residents(settings, year)[32] for year in (2005, 2022, 2025)]
    assert loop == [(29283, 2020), (42298, 2020), (42298, 2020)]
    assert "between the 2010 and 2020 censuses and held constant after 2020" in caveat_of(settings)

    estimates = tmp_path / "estimates.csv"
    estimates.write_text(f"\ufeff{HEADER}2024,32,50000\n", encoding="utf-8")
    loaded = settings.model_copy(update={"population": estimates})
    assert (kept_of(settings), kept_of(loaded)) == ({2022}, set())
    run_well(loaded, 2022, 2025, assets="key:area_rates+")
    assert (kept_of(settings), kept_of(loaded)) == (set(), {2022})
    loop = [residents(loaded, year)[32] for year in (2022, 2025)]
    assert loop == [(42298 + (50000 - 42298) / 2, 2024), (50000, 2024)]
    assert residents(loaded, 2025)[1] == (55628, 2020)
    rates = {(row["community_area"], row["offense_class"]): row for row in rows_of(loaded, "area_rates", 2025)}
    assert rates[32, "all"]["rate_per_1000"] == pytest.approx(36 / 50 * 365 / rates[32, "all"]["days_covered"])
    assert "the 2010 and 2020 censuses and estimates through 2024 and held constant after 2024" in caveat_of(loaded)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("area,year,population\n", r"line 1: column community_area is missing"),
        (f"{HEADER}2024,32,50000\n2024,33,12k\n", r"line 3, column population: '12k' is not a whole number"),
        (f"{HEADER}2019,32,50000\n", r"line 2, column year: '2019' is not a whole number from 2021"),
        (f"{HEADER}2024,78,1\n", r"line 2, column community_area: '78'"),
        (f"{HEADER}2024,32\n", r"line 2, column population: ''"),
        (f"{HEADER}2024,32,1\n2024,32,2\n", r"line 3: community area 32 already has a population for 2024"),
        (None, "cannot be read"),
    ],
)
def test_no_run_has_invalid_estimates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: Any, problem: str) -> None:
    monkeypatch.delattr(os, "execve")
    file = tmp_path / "estimates.csv"
    if text is not None:
        file.write_text(text)
    run = ["run", "--years", "2014"]
    for arguments in (run, [*run, "--dry-run"], ["dev", "--port", free_port()]):
        result = command(*arguments, "--data-dir", tmp_path / "data", CHICAGO_CRIME_POPULATION=str(file))
        assert result.exit_code == 2
        assert re.match(rf"CHICAGO_CRIME_POPULATION=.*estimates.csv.*{problem}", result.output)
    assert not (tmp_path / "data").exists()
