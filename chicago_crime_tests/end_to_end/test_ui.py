"""The Dagster UI in a browser: `chicago-crime dev`, and launching runs in it."""

import json
import os
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from chicago_crime.graph.dagster_internals import years_in_tags
from chicago_crime.graph.instance import open_instance
from chicago_crime.tables.years import FIRST_YEAR, current_year
from chicago_crime_tests.end_to_end.browsing import PROGRAM, free_port
from chicago_crime_tests.end_to_end.pages import new_page
from chicago_crime_tests.support import (
    crimes_of_months,
    folder_settings,
    rows_of,
    run_well,
    write_csv,
)
from chicago_crime_tests.waiting import TIMEOUT_S, wait_until


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four yearly files, one of which was loaded by the command line."""
    folder = tmp_path_factory.mktemp("ui")
    for year in (2012, 2014, 2015, 2016):
        write_csv(folder / "in" / f"{year}.csv", crimes_of_months(year))
    run_well(folder_settings(folder / "data", folder / "in"), 2012)
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """Start the UI, yield its address, and stop it with Ctrl-C, which must end all of its processes.

    It is started with SIGINT ignored, as a script does for `make dev &`; Ctrl-C must work nevertheless.
    """
    port = free_port()
    choice = ["dev", "--port", str(port), "--folder", str(folder / "in"), "--data-dir", str(folder / "data")]
    with (folder / "log").open("w") as log:
        no_portal = f"CHICAGO_CRIME_PORTAL_URL=http://127.0.0.1:{free_port()}"
        command = ["env", "--ignore-signal=INT", no_portal, *PROGRAM, *choice]
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: json.load(urllib.request.urlopen(f"{address}/server_info")), OSError)
        yield address
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 3
        os.killpg(process.pid, signal.SIGINT)
        process.wait(TIMEOUT_S)
        psutil.wait_procs(children, timeout=TIMEOUT_S)
        assert [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = new_page(browser, viewport={"width": 1500, "height": 950})
    yield page
    page.close()


def launch(page: Page, years: list[int]) -> None:
    """Select years in the dialog for partitions and launch the run."""
    dialog = page.locator(".dagster-dialog")
    page.get_by_placeholder("ex: 2001").fill(", ".join(map(str, years)))
    page.keyboard.press("Tab")
    dialog.get_by_role("button", name="Launch").click()
    expect(dialog).to_be_hidden()


STATES = ("Failed", "Materialized", "Materializing", "Missing")


def years_by_state(page: Page, address: str, asset: str, state: str) -> list[str]:
    """The years that the page of an asset lists in a state."""
    page.goto(f"{address}/assets/{asset}?view=partitions")
    label = page.get_by_text(re.compile(rf"^{state} \(\d+\)$"))
    expect(page.get_by_text(f"{current_year() - FIRST_YEAR + 1} Partitions Selected")).to_be_visible()
    for other in set(STATES) - {state}:
        page.get_by_text(re.compile(rf"^{other} \(")).click()
    count = re.sub(r"\D", "", label.inner_text())
    expect(page.get_by_text(f"{count} Partitions Selected")).to_be_visible()
    return sorted(set(page.get_by_text(re.compile(r"^20\d\d$")).all_inner_texts()))


def materialized(page: Page, address: str, asset: str) -> list[str]:
    return years_by_state(page, address, asset, "Materialized")


def test_groups_columns_and_runs_of_the_command_line_are_shown(page: Page, address: str) -> None:
    page.goto(f"{address}/asset-groups?expanded=all")
    for group in ("source", "lake", "warehouse", "spark", "marts"):
        expect(page.get_by_text(group, exact=True).first).to_be_visible()
    page.goto(f"{address}/runs")
    expect(page.get_by_text("Success").first).to_be_visible()
    page.goto(f"{address}/assets/crimes?view=partitions&partition=2012")
    expect(page.get_by_text("partition_row_count").first).to_be_visible()
    page.goto(f"{address}/assets/hot_spots")
    expect(page.get_by_text("Getis-Ord Gi* z-score").first).to_be_visible()


def test_one_asset_of_one_year_then_a_backfill_of_two_years_only(page: Page, address: str, folder: Path) -> None:
    page.goto(f"{address}/assets/crime_csv?view=partitions")
    page.get_by_role("button", name="Materialize").first.click()
    launch(page, [2014])
    wait_until(lambda: materialized(page, address, "crime_csv") == ["2012", "2014"])
    assert materialized(page, address, "crimes") == ["2012"]

    page.goto(f"{address}/asset-groups")
    page.get_by_role("button", name="Materialize all").click()
    launch(page, [2014, 2016])
    wait_until(lambda: materialized(page, address, "area_rates") == ["2012", "2014", "2016"])
    assert materialized(page, address, "hot_spots") == ["2012", "2014", "2016"]
    assert years_by_state(page, address, "hot_spots", "Failed") == []
    assert "2015" in years_by_state(page, address, "hot_spots", "Missing")
    settings = folder_settings(folder / "data", folder / "in")
    with open_instance(settings) as instance:  # one run for each range of years, and one for the outlines
        ranges = [years_in_tags(run.tags) for run in instance.get_runs() if "dagster/backfill" in run.tags]
        assert sorted(ranges) == [[], [2014], [2016]]
        wait_until(lambda: all(run.is_success for run in instance.get_runs()))
    assert [len(rows_of(settings, "crimes", year)) for year in (2014, 2016)] == [36, 36]
    assert not (folder / "data" / "warehouse" / "crimes" / "2015.parquet").exists()
