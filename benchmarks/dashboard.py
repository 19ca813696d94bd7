"""How fast the dashboard answers in a browser, and how much memory its server takes.

    python -m benchmarks.dashboard [--data-dir DATA] [--changes 50]

Without DATA it first loads 22 full-size years of the synthetic sample (5 GB of disk). Then it measures in Chromium the
first page of a warm server, successive filter changes, and the memory of the server under five concurrent users. Use an
idle machine.
"""

import argparse
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console

from chicago_crime.dashboard.filters import Filters

out = Console(highlight=False)

PORT = 8059
USERS = 5
BOXES = ", ".join(f"#filters [name={name}]" for name in ("year", "offense_class", "type", "area"))
PAGES_EACH = 30
PROGRAM = "from chicago_crime.cli.app import main; main()"
GOALS = {"first page": 2.0, "filter change, median": 0.3, "95th percentile": 0.8, "memory, MB": 500}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the dashboard in a browser.")
    parser.add_argument("--data-dir", type=Path, help="an installation with many years; by default one is created")
    parser.add_argument("--changes", type=int, default=50, help="number of filter changes")
    chosen = parser.parse_args(arguments)
    if chosen.data_dir:
        _measure(chosen.data_dir, chosen.changes)
    else:
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            load = ["run", "--years", "2001-2022", "--source", "sample", "--sample-rows", "0", "--data-dir", folder]
            subprocess.run([sys.executable, "-c", PROGRAM, *load], check=True, stdout=subprocess.DEVNULL)
            _measure(Path(folder), chosen.changes)


def _measure(data_dir: Path, changes: int) -> None:
    with sync_playwright() as playwright, _serving(data_dir) as (server, started):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        first, seconds = _changes(browser, changes)
        browser.close()
        memory, waits = _users(server)
    out.print(f"start: {started:.2f} s; a page for one of {USERS} users, median: {statistics.median(waits):.2f} s")
    measured = (first, statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1], memory / 1e6)
    for (what, goal), value in zip(GOALS.items(), measured, strict=True):
        out.print(f"{what}: {value:.2f} (goal: at most {goal}) {'reached' if value <= goal else 'MISSED'}")


@contextmanager
def _serving(data_dir: Path) -> Iterator[tuple[psutil.Process, float]]:
    start = time.perf_counter()
    command = ["-c", PROGRAM, "dashboard", "--port", str(PORT), "--data-dir", str(data_dir)]
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/overview").close()
                break
            except OSError:
                time.sleep(0.02)
        yield psutil.Process(process.pid), time.perf_counter() - start
    finally:
        process.terminate()
        process.wait()


def _changes(browser: Browser, changes: int) -> tuple[float, list[float]]:
    """Seconds until the first page is drawn, and from each filter change to the last chart."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    start = time.perf_counter()
    page.goto(f"http://127.0.0.1:{PORT}/overview")
    _drawn(page)
    first, seconds = time.perf_counter() - start, []
    dice = random.Random(1)
    for number in range(changes):
        if number % 10 == 0 and number:
            view = ["overview", "where", "when", "where?map=cells", "where?map=hot_spots"][number // 10 % 5]
            page.goto(f"http://127.0.0.1:{PORT}/{view}")
            _drawn(page)
        boxes = page.locator(BOXES)
        page.evaluate("delete document.documentElement.dataset.drawn")
        box = boxes.nth(dice.randrange(boxes.count()))
        start = time.perf_counter()
        box.evaluate("box => box.click()")
        _drawn(page)
        seconds.append(time.perf_counter() - start)
    page.close()
    return first, seconds


def _drawn(page: Page) -> None:
    page.wait_for_function("document.documentElement.dataset.drawn === location.pathname + location.search")


def _users(server: psutil.Process) -> tuple[int, list[float]]:
    """The server's peak memory under concurrent users, and the seconds that each page took."""
    waits: list[float] = []
    peak = 0

    def use(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(PAGES_EACH):
            filters = Filters(
                year=tuple(sorted(dice.sample(range(2001, 2023), dice.randrange(4)))),
                area=tuple(sorted(dice.sample(range(1, 78), dice.randrange(5)))),
                arrest=dice.choice([None, True, False]),
                map=dice.choice(["areas", "cells", "hot_spots"]),
            )
            start = time.perf_counter()
            page = dice.choice(["overview", "where", "when", "compare", "data"])
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/{page}?{filters.query()}").read()
            waits.append(time.perf_counter() - start)

    users = [threading.Thread(target=use, args=(seed,)) for seed in range(USERS)]
    for user in users:
        user.start()
    while any(user.is_alive() for user in users):
        peak = max(peak, server.memory_full_info().pss)
        time.sleep(0.05)
    return peak, waits


if __name__ == "__main__":
    main()
