"""Pages in the tests' browser; apart from `browsing.py` so that tests without a browser do not import Playwright."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from chicago_crime_tests.waiting import TIMEOUT_S


def new_page(browser: Browser, **options: Any) -> Page:
    """A page in a context of its own; options are those of the browser's `new_page`."""
    page = browser.new_page(**options)
    page.set_default_timeout(1000 * TIMEOUT_S)
    return page


@contextmanager
def silent_page(browser: Browser, **options: Any) -> Iterator[Page]:
    """Such a page, closed at the end; its console must stay silent."""
    page = new_page(browser, **options)
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    yield page
    page.close()
    assert messages == []
