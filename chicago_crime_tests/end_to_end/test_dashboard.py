"""The dashboard in a real browser, over real years: what a person sees, clicks, sends on and downloads."""

import csv
import io
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from chicago_crime.dashboard.app import PAGES
from chicago_crime.run import RunReport
from chicago_crime.settings import Settings
from chicago_crime_tests.support import REAL_ROWS, warehouse_of

PATIENCE = 30_000  # milliseconds
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def address(real_years: tuple[Settings, list[RunReport]]) -> Iterator[str]:
    """Where the dashboard is, started and stopped as a person would."""
    settings, _ = real_years
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = [sys.executable, "-c", "from chicago_crime.cli import main; main()", "dashboard"]
    process = subprocess.Popen([*program, "--port", str(port), "--data-dir", str(settings.data_dir)])
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + PATIENCE / 1000
        while True:
            try:
                urllib.request.urlopen(address)
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < end
                time.sleep(0.2)
        yield address
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0
    finally:
        if process.poll() is None:
            process.kill()


def opened(browser: Browser, viewport: dict, scheme: str = "light") -> tuple[Page, list[str]]:
    """A page, and what its console complains of."""
    page = browser.new_page(viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]
    page.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else 0)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


def drawn(page: Page) -> None:
    """Wait until the charts are those of the address."""
    page.wait_for_function("document.documentElement.dataset.drawn === location.pathname + location.search")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_draws_its_charts_fits_the_screen_and_can_be_used_by_all(
    browser: Browser, address: str, name: str, viewport: dict, scheme: str
) -> None:
    page, complaints = opened(browser, viewport, scheme)
    page.goto(f"{address}/{name}?year=2015&year=2016" if name != "compare" else f"{address}/compare?end=2016-06-30")
    drawn(page)
    expect(page.locator("h1")).to_have_text(PAGES[name][0])
    charts = page.locator("[data-chart] canvas")
    assert charts.count() == page.locator("[data-chart]").count() > 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    found = Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in serious] == []
    assert complaints == []
    page.close()


def test_a_filter_changes_the_numbers_and_the_address_brings_the_view_back(browser: Browser, address: str) -> None:
    page, complaints = opened(browser, WIDE)
    page.goto(address)
    drawn(page)
    number = page.locator("#main .value").first
    expect(number).to_have_text(f"{sum(REAL_ROWS.values()):,}")
    page.get_by_label("2016", exact=True).check()
    expect(number).to_have_text(f"{REAL_ROWS[2016]:,}")
    page.get_by_label("Violent").check()
    expect(number).not_to_have_text(f"{REAL_ROWS[2016]:,}")
    drawn(page)
    told = number.inner_text()

    other, _ = opened(browser, WIDE)
    other.goto(page.url)
    expect(other.locator("#main .value").first).to_have_text(told)
    expect(other.get_by_label("Violent")).to_be_checked()
    expect(other.get_by_label("2016", exact=True)).to_be_checked()
    other.close()

    page.get_by_role("link", name="When").click()
    expect(page.locator("h1")).to_have_text("When")
    expect(page.locator("#main .value").first).to_have_text(told)
    page.go_back()
    page.go_back()
    expect(page.locator("#main .value").first).to_have_text(f"{REAL_ROWS[2016]:,}")
    assert complaints == []
    page.close()


def test_a_click_on_an_area_filters_by_it(browser: Browser, address: str) -> None:
    page, _ = opened(browser, WIDE)
    page.goto(f"{address}/where?year=2016")
    drawn(page)
    before = page.locator("#main .value").first.inner_text()
    box = page.locator("[data-chart] canvas").first.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.62, box["y"] + box["height"] * 0.52)
    expect(page.locator("#main .value").first).not_to_have_text(before)
    drawn(page)
    assert "area=" in page.url
    page.close()


def test_a_download_holds_the_rows_shown(
    browser: Browser, address: str, real_years: tuple[Settings, list[RunReport]]
) -> None:
    page, _ = opened(browser, WIDE)
    page.goto(f"{address}/where?year=2016&offense_class=violent")
    drawn(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").first.click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    shown = page.locator("[data-table] tbody tr").first.locator("th, td").all_inner_texts()
    assert [rows[0]["name"], f"{int(rows[0]['crimes']):,}"] == shown[:2]
    settings, _ = real_years
    areas = warehouse_of(settings).query(
        "SELECT community_area_name AS name, crimes FROM area_rates WHERE year = 2016 AND offense_class = 'violent'"
    )
    assert {row["name"]: int(row["crimes"]) for row in rows} == {
        row["name"]: row["crimes"] for row in areas.to_pylist()
    }
    page.close()


def test_it_works_without_scripts_by_submitting_the_form(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=WIDE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    page.get_by_label("2014", exact=True).check()
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#main .value").first).to_have_text(f"{REAL_ROWS[2014]:,}")
    context.close()
