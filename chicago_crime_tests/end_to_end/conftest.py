"""Fixtures of the end-to-end tests: one browser and one dashboard shared by all tests of pages."""

import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from chicago_crime.settings import Settings
from chicago_crime_tests.end_to_end.browsing import PROGRAM, free_port
from chicago_crime_tests.end_to_end.pages import silent_page
from chicago_crime_tests.support import program
from chicago_crime_tests.waiting import TIMEOUT_S, wait_until

PATH = "/crime"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = program("chromium")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    expect.set_options(timeout=1000 * TIMEOUT_S)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with silent_page(browser, viewport={"width": 1280, "height": 900}) as page:
        yield page


@pytest.fixture(scope="session")
def address(real_years: Settings) -> Iterator[str]:
    """The address of a dashboard with the real years, started by its command as if behind a proxy; Ctrl-C stops it."""
    port = free_port()
    command = [*PROGRAM, "dashboard", "--port", str(port), "--data-dir", str(real_years.data_dir)]
    log = real_years.data_dir.parent / "dashboard.log"
    with log.open("w") as output:
        settings = os.environ | {"CHICAGO_CRIME_DASHBOARD_PATH": PATH}
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True, env=settings)
    try:
        wait_until(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/static/style.css").status == 200, OSError)
        yield f"http://127.0.0.1:{port}{PATH}"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(TIMEOUT_S) == 0
        assert "Traceback" not in log.read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
