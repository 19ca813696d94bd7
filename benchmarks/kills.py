"""Replaces real years while they are read, with runs killed at random moments: do readers ever see mixed versions?

    python -m benchmarks.kills REAL_YEARS NEW_FOLDER [--years 2014-2016] [--runs 50] [--repair-every 25] [--whole]

Each run replaces the years with a version in which different crimes have an inverted arrest flag. Meanwhile, a reader
queries the arrests of every year in three tables: each result must be from one version, and never from an older one
than before. Every few kills, the next run must repair everything and leave nothing behind.
"""

import argparse
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
    """Successive versions of the years; only the newest one is on the disk.

    Attributes:
        arrests: arrests by year, for each version so far.
    """

    def __init__(self, real: Path, folder: Path, years: Sequence[int]):
        self.real, self.folder, self.years = real, folder, years
        self.arrests: list[dict[int, int]] = []
        folder.mkdir(parents=True)
        self.write_next()

    @property
    def newest(self) -> int:
        """The number of the version on the disk."""
        return len(self.arrests) - 1

    def write_next(self) -> None:
        """Write the next version."""
        divisor, found = len(self.arrests) + 2, {}
        for year in self.years:
            file = self.folder / f"{year}.csv"
            duckdb.execute(
                f"""
                COPY (
                    SELECT * REPLACE (IF((ID::BIGINT % {divisor} = 0) = (Arrest = 'true'), 'false', 'true') AS Arrest)
                    FROM READ_CSV('{self.real}/Chicago_Crimes_{year}.csv.gz', all_varchar = true)
                ) TO '{file}'"""
            )
            count = f"SELECT COUNT_IF(Arrest = 'true') FROM READ_CSV('{file}', all_varchar = true)"
            [(found[year],)] = duckdb.execute(count).fetchall()
        self.arrests.append(found)

    def number_of(self, rows: Sequence[Sequence[int]]) -> int:
        """Return the version that a result shows in all years and tables.

        Raises:
            AssertionError: the tables show different versions.
        """
        assert all(row[1] == row[2] == row[3] for row in rows), f"the tables differ: {rows}"
        return self.arrests.index({row[0]: row[1] for row in rows})


class Readers:
    """Repeatedly queries the published tables, as `query` does.

    Attributes:
        seen: how often each version was seen.
        wrong: errors and mixed results.
    """

    def __init__(self, settings: Settings, versions: Versions):
        self.settings, self.versions = settings, versions
        self.seen: Counter[int] = Counter()
        self.wrong: list[str] = []

    def read(self) -> int:
        """Return the published version."""
        result = Installation(self.settings).reader().first_rows(ARRESTS, None)
        return self.versions.number_of(result.rows)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read for the duration of the context."""
        stop = threading.Event()
        thread = threading.Thread(target=self._loop, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _loop(self, stop: threading.Event) -> None:
        last = -1
        while not stop.wait(0.1):
            try:
                now = self.read()
                assert now >= last, f"version {now} after {last}"
                self.seen[now], last = self.seen[now] + 1, now
            except Exception as error:  # every error of a reader is a result
                self.wrong.append(repr(error))


def left_behind(settings: Settings) -> list[str]:
    """Return the problems and leftovers after a successful run."""
    installation = Installation(settings)
    found = [str(file) for file in (settings.data_dir / "staging").rglob("*")]
    found += [str(file) for file in (settings.data_dir / LEASES).iterdir()]
    found += [problem for year in read_status(installation).years for problem in year.problems]
    found += [item.key for item in unreferenced_files(installation.object_store)]
    return found + [one.detail for one in examine_stored(installation) if one.state != "ok"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Replace the years repeatedly and print the versions seen. Returns the number of errors."""
    parser = argparse.ArgumentParser(description="Replace real years while they are read, and kill the runs.")
    parser.add_argument("real", type=Path, help="folder with Chicago_Crimes_YEAR.csv.gz")
    parser.add_argument("data", type=Path, help="a folder that does not exist yet")
    parser.add_argument("--years", default="2014-2016")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--repair-every", type=int, default=25)
    parser.add_argument("--whole", action="store_true", help="do not kill any run")
    chosen = parser.parse_args(arguments)
    versions = Versions(chosen.real.resolve(), chosen.data / "in", parse_years(chosen.years))
    settings = load_settings(source="folder", folder=versions.folder, data_dir=chosen.data / "data")
    readers, moments = Readers(settings, versions), random.Random(7)
    log = (chosen.data / "runs.log").open("w")

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", "from chicago_crime.cli.app import main; main()", "run", "--years"]
        return subprocess.Popen([*command, chosen.years], stdout=log, stderr=log, env=settings.as_environment())

    def complete_run() -> float:
        began = time.perf_counter()
        with readers.reading() if versions.newest else nullcontext():
            assert start().wait() == 0, f"see {log.name}"
        took = time.perf_counter() - began
        assert readers.read() == versions.newest
        assert not (wrong := left_behind(settings)), wrong
        return took

    complete_run()
    versions.write_next()
    killed = 0
    longest = complete_run()
    out.print(f"one replacement took {longest:.1f} s")
    for number in range(1, chosen.runs + 1):
        if readers.read() == versions.newest:
            versions.write_next()
        if chosen.whole:
            complete_run()
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
            longest = complete_run()
            out.print(f"  repaired in {longest:.1f} s")
    for wrong in readers.wrong:
        out.print(f"WRONG: {wrong}")
    out.print(f"{sum(readers.seen.values())} reads of {len(versions.arrests)} versions, {len(readers.wrong)} wrong")
    return len(readers.wrong)


if __name__ == "__main__":
    sys.exit(min(main(), 1))
