"""Response times of the dashboard over 22 full years, in a browser and for five concurrent users.

    python -m benchmarks.dashboard DATA [--real FOLDER] [--changes 100]

If DATA has no published year yet, it is generated (3 GB, 15 minutes) from the real years 2014 to 2016 in FOLDER: each
year from 2001 to 2022 gets as many of their crimes, chosen by a hash, as it really had, on the same days of its own
calendar. The benchmark then measures the first page of a running server, successive filter changes and pages of
incidents in Chromium, and the pages of five concurrent users, each of whom reads every page for two seconds. It prints
wall-clock seconds, which need an idle machine, and processor seconds of the server.
"""

import argparse
import random
import shutil
import statistics
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psutil
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console

from benchmarks.layouts import REAL, WHOLE_YEARS
from chicago_crime.dashboard.filters import Filters
from chicago_crime.sources.sample.profile import profile
from chicago_crime_tests.end_to_end.browsing import PROGRAM
from chicago_crime_tests.end_to_end.pages import drawn

out = Console(highlight=False)

PORT = 8059
USERS = 5
READING_SECONDS = 2.0
PAGES_EACH = 30
BOXES = ", ".join(f"#filters [name={name}]" for name in ("year", "offense_class", "type", "area"))
VIEWS = ("overview", "where", "when", "compare", "where?map=cells", "where?map=hot_spots")
GOALS = {"first page": 1.0, "filter change": 0.4, "incidents": 0.3}

_YEAR = """
COPY (
    SELECT * REPLACE (
        (ID::BIGINT + $year::BIGINT * 100000000)::VARCHAR AS ID,
        "Date"[:6] || $year || "Date"[11:] AS "Date",
        $year::VARCHAR AS "Year")
    FROM pool
    WHERE hash(ID || $year) % 1000000 < $share::BIGINT AND ("Date"[:5] != '02/29' OR $year % 4 = 0)
) TO '{file}' (HEADER, COMPRESSION gzip)
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Generate the data if there is none, measure and print."""
    parser = argparse.ArgumentParser(description="Measure the dashboard over 22 years.")
    parser.add_argument("data", type=Path, help="an installation with 22 years, or a folder to generate one in")
    parser.add_argument("--real", type=Path, default=REAL, help="folder with the real years")
    parser.add_argument("--changes", type=int, default=100, help="number of filter changes")
    chosen = parser.parse_args(arguments)
    if not (chosen.data / "objects" / "published").exists():
        _generate(chosen.real, chosen.data)
    with sync_playwright() as playwright, _serving(chosen.data) as (server, started):
        out.print(f"start, until the first page responds: {started:.2f} s")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        for what, seconds, processor in _changes(browser, server, chosen.changes):
            _report(what, seconds, processor)
        browser.close()
        _users(server)


def _generate(real: Path, data: Path) -> None:
    """Load 22 years generated from the real ones."""
    (data / "in").mkdir(parents=True)
    with duckdb.connect(config={"memory_limit": "1500MB"}) as connection:
        files = [str(real / f"Chicago_Crimes_{year}.csv.gz") for year in WHOLE_YEARS]
        connection.read_csv(files, all_varchar=True, quotechar='"', escapechar='"').create("pool")
        [(pool,)] = connection.sql("SELECT COUNT(*) FROM pool").fetchall()
        for year in range(2001, 2023):
            file = data / "in" / f"Chicago_Crimes_{year}.csv.gz"
            share = 1_000_000 * profile().rows_of(year) // pool
            connection.execute(_YEAR.format(file=file), {"year": year, "share": share})
    load = ["run", "--years", "2001-2022", "--source", "folder", "--folder", str(data / "in"), "--data-dir", str(data)]
    subprocess.run([*PROGRAM, *load], check=True, stdout=subprocess.DEVNULL)


def _report(what: str, seconds: Sequence[float], processor: float) -> None:
    p95 = statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
    goal = GOALS[what.partition(",")[0]]
    out.print(
        f"{what}: median {statistics.median(seconds):.2f} s, 95th percentile {p95:.2f} s (goal: at most {goal}) "
        f"{'reached' if p95 <= goal else 'MISSED'}; processor {processor / len(seconds):.2f} s each, n={len(seconds)}"
    )


@contextmanager
def _serving(data_dir: Path) -> Iterator[tuple[psutil.Process, float]]:
    start = time.perf_counter()
    command = [*PROGRAM, "dashboard", "--port", str(PORT), "--data-dir", str(data_dir)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/").close()
                break
            except OSError:
                time.sleep(0.02)
        yield psutil.Process(process.pid), time.perf_counter() - start
    finally:
        process.terminate()
        process.wait()


def _changes(browser: Browser, server: psutil.Process, changes: int) -> Iterator[tuple[str, list[float], float]]:
    """Measure each kind of page: its name, the seconds until all charts were drawn, and the server's processor time."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    dice = random.Random(1)

    def measured(act: Callable[[], object]) -> float:
        page.evaluate("delete document.documentElement.dataset.drawn")
        start = time.perf_counter()
        act()
        drawn(page)
        return time.perf_counter() - start

    def open_page(address: str) -> float:
        return measured(lambda: page.goto(f"http://127.0.0.1:{PORT}/{address}"))

    def change() -> float:
        boxes = page.locator(BOXES)
        box = boxes.nth(dice.randrange(boxes.count()))
        return measured(lambda: box.evaluate("box => box.click()"))

    before = _processor(server)
    yield "first page", [open_page("")], _processor(server) - before
    for what, views in (("filter change", VIEWS), ("incidents", ("incidents",))):
        seconds, spent = [], 0.0
        for number in range(changes):
            if number % 10 == 0:
                open_page(views[number // 10 % len(views)])
            before = _processor(server)
            seconds.append(change())
            spent += _processor(server) - before
        yield what, seconds, spent
    page.close()


def _processor(server: psutil.Process) -> float:
    spent = server.cpu_times()
    return spent.user + spent.system


def _users(server: psutil.Process) -> None:
    """Measure response times of concurrent users, and the server's peak memory."""
    waits: dict[str, list[float]] = {"filter change": [], "incidents": []}
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
            page = dice.choice(["overview", "where", "when", "compare", "incidents", "incidents"])
            start = time.perf_counter()
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/{page}?{filters.query()}").read()
            waits["incidents" if page == "incidents" else "filter change"].append(time.perf_counter() - start)
            time.sleep(READING_SECONDS)

    before = _processor(server)
    users = [threading.Thread(target=use, args=(seed,)) for seed in range(USERS)]
    for user in users:
        user.start()
    while any(user.is_alive() for user in users):
        peak = max(peak, server.memory_full_info().pss)
        time.sleep(0.2)
    each = (_processor(server) - before) / (USERS * PAGES_EACH)
    for what, seconds in waits.items():
        _report(f"{what}, with {USERS} concurrent users", seconds, each * len(seconds))
    out.print(f"memory of the server: at most {peak / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
