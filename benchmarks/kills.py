"""Replacements of real years under a reader: killed at random moments, or whole. Does anybody ever see a mixture?

    python -m benchmarks.kills REAL_YEARS NEW_FOLDER [--years 2014-2016] [--runs 50] [--repair-every 25] [--whole]

Each run replaces the years by a version in which other crimes have their arrest flag turned. A reader asks for the
arrests of every year in three tables all the while: each answer must be that of one version, and never of an older one
than before. Every few kills, the next run must repair everything and leave nothing behind.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import duckdb
from rich.console import Console

from chicago_crime.cli.doctor.stored import examine_stored
from chicago_crime.graph.command_line_runs import LEASES
from chicago_crime.graph.status import read_status
from chicago_crime.installation import Installation
from chicago_crime.published.damage import unreferenced_files
from chicago_crime.settings import Settings, load_settings
from chicago_crime.tables.years import parse_years

out = Console(highlight=False, soft_wrap=True)
duckdb.execute("SET enable_progress_bar = false")

ARRESTS = """
SELECT year, crimes.n, enriched.n, counted.n
FROM (SELECT year, COUNT_IF(arrest) AS n FROM crimes GROUP BY year) AS crimes
FULL JOIN (SELECT year, COUNT_IF(arrest) AS n FROM enriched_crimes GROUP BY year) AS enriched USING (year)
FULL JOIN (SELECT year, SUM(arrests) AS n FROM crime_type_count GROUP BY year) AS counted USING (year)
ORDER BY year
"""


class Versions:
    """The versions of the years, made one after the other: only the next one is on the disk.

    Attributes:
        arrests: of each version so far, by year.
    """

    def __init__(self, real: Path, folder: Path, years: Sequence[int]):
        self.real, self.folder, self.years = real, folder, years
        self.arrests: list[dict[int, int]] = []
        folder.mkdir(parents=True)
        self.make_next()

    @property
    def newest(self) -> int:
        """The number of the version on the disk."""
        return len(self.arrests) - 1

    def make_next(self) -> None:
        """Write the next version."""
        turned, found = len(self.arrests) + 2, {}
        for year in self.years:
            file = self.folder / f"{year}.csv"
            duckdb.execute(
                f"""
                COPY (
                    SELECT * REPLACE (IF((ID::BIGINT % {turned} = 0) = (Arrest = 'true'), 'false', 'true') AS Arrest)
                    FROM READ_CSV('{self.real}/Chicago_Crimes_{year}.csv.gz', all_varchar = true)
                ) TO '{file}'"""
            )
            count = f"SELECT COUNT_IF(Arrest = 'true') FROM READ_CSV('{file}', all_varchar = true)"
            [(found[year],)] = duckdb.execute(count).fetchall()
        self.arrests.append(found)

    def number_of(self, rows: Sequence[Sequence[int]]) -> int:
        """The version that an answer shows in all years and tables.

        Raises:
            AssertionError: it is a mixture.
        """
        assert all(row[1] == row[2] == row[3] for row in rows), f"the tables differ: {rows}"
        return self.arrests.index({row[0]: row[1] for row in rows})


class Readers:
    """Asks for what is published again and again, as `query` does.

    Attributes:
        seen: how often each version was seen.
        wrong: what should not have been seen.
    """

    def __init__(self, settings: Settings, versions: Versions):
        self.settings, self.versions = settings, versions
        self.seen: Counter[int] = Counter()
        self.wrong: list[str] = []

    def read(self) -> int:
        """The version that is published."""
        answer = Installation(self.settings).reader().first_rows(ARRESTS, None)
        return self.versions.number_of(answer.rows)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read while the body lasts."""
        over = threading.Event()
        thread = threading.Thread(target=self._loop, args=(over,))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _loop(self, over: threading.Event) -> None:
        last = -1
        while not over.wait(0.1):
            try:
                now = self.read()
                assert now >= last, f"version {now} after {last}"
                self.seen[now], last = self.seen[now] + 1, now
            except Exception as error:  # whatever a reader meets is a result
                self.wrong.append(repr(error))


def left_behind(settings: Settings) -> list[str]:
    """What is not as it should be after a run that succeeded."""
    installation = Installation(settings)
    found = [str(file) for file in (settings.data_dir / "staging").rglob("*")]
    found += [str(file) for file in (settings.data_dir / LEASES).iterdir()]
    found += [problem for year in read_status(installation).years for problem in year.problems]
    found += [item.key for item in unreferenced_files(installation.object_store)]
    return found + [one.detail for one in examine_stored(installation) if one.state != "ok"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Replace the years again and again and print what was seen; returns the number of things that went wrong."""
    parser = argparse.ArgumentParser(description="Replace real years under a reader, and kill the runs.")
    parser.add_argument("real", type=Path, help="folder with Chicago_Crimes_YEAR.csv.gz")
    parser.add_argument("data", type=Path, help="a folder that does not exist yet")
    parser.add_argument("--years", default="2014-2016")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--repair-every", type=int, default=25)
    parser.add_argument("--whole", action="store_true", help="kill no run")
    chosen = parser.parse_args(arguments)
    versions = Versions(chosen.real.resolve(), chosen.data / "in", parse_years(chosen.years))
    settings = load_settings(source="folder", folder=versions.folder, data_dir=chosen.data / "data")
    readers, moments = Readers(settings, versions), random.Random(7)
    log = (chosen.data / "runs.log").open("w")

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", "from chicago_crime.cli.app import main; main()", "run", "--years"]
        environment = os.environ | settings.as_environment()
        return subprocess.Popen([*command, chosen.years], stdout=log, stderr=log, env=environment)

    def run_whole() -> float:
        began = time.perf_counter()
        with readers.reading() if versions.newest else nullcontext():
            assert start().wait() == 0, f"see {log.name}"
        took = time.perf_counter() - began
        assert readers.read() == versions.newest
        assert not (wrong := left_behind(settings)), wrong
        return took

    run_whole()
    versions.make_next()
    killed = 0
    longest = run_whole()
    out.print(f"one replacement took {longest:.1f} s")
    for number in range(1, chosen.runs + 1):
        if readers.read() == versions.newest:
            versions.make_next()
        if chosen.whole:
            run_whole()
        else:
            with readers.reading():
                process = start()
                try:
                    process.wait(moments.uniform(0.5, longest))
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    killed += 1
        out.print(f"{number}: version {readers.read()} of {versions.newest}; {killed} killed; seen {readers.seen}")
        if not chosen.whole and number % chosen.repair_every == 0:
            longest = run_whole()
            out.print(f"  repaired in {longest:.1f} s")
    for wrong in readers.wrong:
        out.print(f"WRONG: {wrong}")
    out.print(f"{sum(readers.seen.values())} reads of {len(versions.arrests)} versions, {len(readers.wrong)} wrong")
    return len(readers.wrong)


if __name__ == "__main__":
    sys.exit(min(main(), 1))
