"""Pages of the tests' browser.

Whatever needs Playwright is here or in the tests themselves: many that start a server have no use for a browser.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from chicago_crime_tests.patience import PATIENCE_S


def new_page(browser: Browser, **options: Any) -> Page:
    """A page with cookies and a size of its own; options are those of the browser's `new_page`."""
    page = browser.new_page(**options)
    page.set_default_timeout(1000 * PATIENCE_S)
    return page


@contextmanager
def silent_page(browser: Browser, **options: Any) -> Iterator[Page]:
    """Such a page, closed at the end, whose console must have stayed silent."""
    page = new_page(browser, **options)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    page.close()
    assert said == []
