"""Pages in the tests' browser. Tests without a browser use only `browsing.py`, which does not import Playwright."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from chicago_crime_tests.waiting import TIMEOUT_S


@contextmanager
def silent_page(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page in a new browser context, with options of `new_page`; its console must stay empty."""
    page = browser.new_page(**options)
    page.set_default_timeout(1000 * TIMEOUT_S)
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    yield page
    page.close()
    assert messages == []


def open_page(page: Page, address: str) -> None:
    """Open an address of the dashboard, and wait for its charts."""
    page.goto(address)
    drawn(page)


def drawn(page: Page) -> None:
    """Wait until the charts of the address are drawn."""
    page.wait_for_function("document.documentElement.dataset.drawn === location.pathname + location.search")


def number(page: Page, label: str) -> int:
    card = page.locator(".number").filter(has=page.get_by_text(label, exact=True))
    return int(re.sub(r"[^\d]", "", card.locator(".value").inner_text()))
