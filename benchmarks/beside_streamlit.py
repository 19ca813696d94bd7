"""The dashboard's page Overview beside the same page in Streamlit, in a browser.

    python3 -m venv /tmp/streamlit && /tmp/streamlit/bin/pip install streamlit==1.67.0
    .venv/bin/python -m benchmarks.beside_streamlit --python /tmp/streamlit/bin/python --data-dir DATA

DATA is an installation with many years. Both servers compute the page with the same code over the same tables and draw
the same charts; what differs is what is around them. Measured are the first page of a server that has answered once,
changes of filters, and the server's memory while five people change filters. For the dashboard a page counts as drawn
once its last chart is; for Streamlit once its script is done, before its charts are, which is in its favour.
"""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.table import Table

out = Console(highlight=False)

PORT = 8058
PEOPLE = 5
PROGRAM = "from chicago_crime.cli.app import main; main()"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@dataclass(frozen=True)
class Shell:
    """What a page is served with.

    Attributes:
        command: starts the server.
        environment: variables that it needs besides.
        boxes: selects what filters are changed with.
        drawn: a JavaScript expression for the query that the page shows, once it is drawn.
    """

    command: Sequence[str]
    environment: dict[str, str]
    boxes: str
    drawn: str


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the dashboard beside Streamlit.")
    parser.add_argument("--python", type=Path, required=True, help="a Python that has Streamlit")
    parser.add_argument("--data-dir", type=Path, required=True, help="an installation with many years")
    parser.add_argument("--changes", type=int, default=50, help="how many changes of filters")
    chosen = parser.parse_args(arguments)
    data_dir = str(chosen.data_dir.absolute())
    own = os.pathsep.join([str(Path.cwd()), sysconfig.get_paths()["purelib"]])
    app = str(Path(__file__).with_name("streamlit_app.py"))
    options = ["--server.headless=true", "--browser.gatherUsageStats=false", f"--server.port={PORT}"]
    shells = {
        "dashboard": Shell(
            [sys.executable, "-c", PROGRAM, "dashboard", "--port", str(PORT), "--data-dir", data_dir],
            {},
            ", ".join(f"#filters [name={name}]" for name in ("year", "offense_class", "area")),
            "document.documentElement.dataset.drawn",
        ),
        "Streamlit": Shell(
            [str(chosen.python), "-m", "streamlit", "run", app, *options, "--", data_dir],
            {"PYTHONPATH": own},
            "[data-testid=stButtonGroup] button",
            "document.querySelector('#drawn')?.dataset.query",
        ),
    }
    table = Table("", "first page", "median", "p95", "MB", f"MB, {PEOPLE} people")
    measured = {}
    with sync_playwright() as playwright:
        for name, shell in shells.items():
            with _serving(shell) as server:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
                measured[name] = _measure(browser, shell, server, chosen.changes)
                browser.close()
            table.add_row(
                name, *(f"{value:.2f}" for value in measured[name][:3]), *(f"{v:,.0f}" for v in measured[name][3:])
            )
    ratios = [b / a for a, b in zip(measured["dashboard"], measured["Streamlit"], strict=True)]
    table.add_row("Streamlit / dashboard", *(f"{ratio:.1f} x" for ratio in ratios))
    out.print(f"seconds until drawn: the first page, then {chosen.changes} changes of filters; memory of the server")
    out.print(table)


@contextmanager
def _serving(shell: Shell) -> Iterator[psutil.Process]:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(shell.command, env=os.environ | shell.environment, stdout=log, stderr=log)
        try:
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{PORT}/").close()
                    break
                except OSError:
                    if process.poll() is not None:
                        log.seek(0)
                        sys.exit(f"the server did not start: {log.read().decode()}")
                    time.sleep(0.05)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait()


def _measure(browser: Browser, shell: Shell, server: psutil.Process, changes: int) -> list[float]:
    """First page, median and 95th percentile of changes, in seconds; memory with one person and with several, in MB."""
    _open(browser, shell)[0].close()
    page, first = _open(browser, shell)
    dice = random.Random(1)
    seconds = [_change(page, shell, dice) for _ in range(changes)]
    alone = server.memory_full_info().pss / 1e6
    pages = [page, *(_open(browser, shell)[0] for _ in range(PEOPLE - 1))]
    peak = 0.0
    for _ in range(changes // PEOPLE):
        for one in pages:
            _change(one, shell, dice)
            peak = max(peak, server.memory_full_info().pss / 1e6)
    return [first, statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1], alone, peak]


def _open(browser: Browser, shell: Shell) -> tuple[Page, float]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    start = time.perf_counter()
    page.goto(f"http://127.0.0.1:{PORT}/")
    page.wait_for_function(f"({shell.drawn}) !== undefined")
    return page, time.perf_counter() - start


def _change(page: Page, shell: Shell, dice: random.Random) -> float:
    """Change one filter; returns the seconds until the page shows it."""
    boxes = page.locator(shell.boxes)
    box = boxes.nth(dice.randrange(boxes.count()))
    before = page.evaluate(shell.drawn)
    start = time.perf_counter()
    box.evaluate("box => box.click()")
    page.wait_for_function(
        f"before => {{ const now = {shell.drawn}; return now !== undefined && now !== before }}", arg=before
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
