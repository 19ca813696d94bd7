"""What tests of a server that a command starts have in common: the command, a free port, and pages that wait for it."""

import socket
import sys
from typing import Any

from playwright.sync_api import Browser, Page

from chicago_crime_tests.patience import PATIENCE_S

PROGRAM = [sys.executable, "-c", "from chicago_crime.cli import main; main()"]


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def new_page(browser: Browser, **options: Any) -> Page:
    """A page with cookies and a size of its own; options are those of the browser's `new_page`."""
    page = browser.new_page(**options)
    page.set_default_timeout(1000 * PATIENCE_S)
    return page
