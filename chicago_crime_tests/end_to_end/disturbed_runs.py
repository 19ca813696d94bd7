"""Whole runs in the cloud that something befalls at a chosen call, and what must hold of a year afterwards.

Here belong two versions of a year, the rule that picks a call, and how a run and its tables are judged. What befalls
which call is said by those that try it: `test_cloud_crashes.py`, `test_cloud_faults.py`, `benchmarks/faults.py`.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from chicago_crime.tables import TABLES
from chicago_crime_tests.end_to_end.cloud import Cloud, cloud_in, kind_of
from chicago_crime_tests.servers.faults import NO_FAULT, Asked, Fault, FaultyServer
from chicago_crime_tests.support import crimes_of_months, write_csv

YEAR = 2014
OLD, NEW = 3, 4
"""Crimes a month in the two versions of a year."""

COUNTED = [name for name in TABLES if name not in ("rejected_crimes", "revisions")]
"""The tables in which every crime of a year counts."""
BEFORE_SPARK = "crime_csv,crime_object,raw_crimes,revisions,crimes,rejected_crimes"

FAULTS = {
    "429": Fault(status=429, retry_after="1"),
    "500": Fault(status=500),
    "503": Fault(status=503),
    "cut": Fault(cut_after=10),
    "lost": Fault(loses_answer=True),
    "slow": Fault(wait_s=0.3),
    "stale": Fault(is_stale=True),
}


class Call(NamedTuple):
    """One call of a run: its service, method and path (`kind_of`), and how many alike came before it."""

    kind: str
    place: int

    @property
    def changes(self) -> bool:
        """Whether it changes something."""
        return " GET " not in self.kind and "/token" not in self.kind and "queries" not in self.kind


class Chosen:
    """A rule for servers: a fault befalls the calls that are chosen.

    Attributes:
        befallen: the calls that it has befallen.
    """

    def __init__(self, fault: Fault, chooses: Callable[[Call], bool]):
        self.fault, self.chooses = fault, chooses
        self.befallen: set[Call] = set()
        self._made: Counter[str] = Counter()
        self._lock = threading.Lock()

    def rule(self, servers: Mapping[str, FaultyServer]) -> None:
        """Have the servers, by name, ask this rule from now on."""
        for service, server in servers.items():
            server.rule = self._of(service)

    def _of(self, service: str) -> Callable[[Asked], Fault]:
        def rule(asked: Asked) -> Fault:
            kind = f"{service} {kind_of(asked)}"
            with self._lock:
                call = Call(kind, self._made[kind])
                self._made[kind] += 1
                if not self.chooses(call):
                    return NO_FAULT
                self.befallen.add(call)
            return self.fault

        return rule


def run_of(cloud: Cloud, version: str, assets: str = "", years: str = str(YEAR)) -> list[str]:
    """The command that loads years of a version, or only some assets of it."""
    some = ["--assets", assets] if assets else []
    return ["run", "--years", years, "--folder", str(cloud.folder / version), "--allow-shrink", *some]


def load(cloud: Cloud, version: str, assets: str = "") -> None:
    ended = cloud.command_here(*run_of(cloud, version, assets))
    assert ended.code == 0, ended.output


def versions(cloud: Cloud, year: int = YEAR) -> dict[str, int]:
    """For each table which version a year is wholly of, in crimes a month; no crime is there twice."""
    found = {name: cloud.crimes(name).get(year, 0) for name in COUNTED}
    assert set(found.values()) <= {12 * OLD, 12 * NEW}, found
    for table in ("crimes", "enriched_crimes"):
        ids = [row["id"] for row in cloud.rows(table)]
        assert len(ids) == len(set(ids)), table
    return {name: crimes // 12 for name, crimes in found.items()}


def assert_made_of(cloud: Cloud, per_month: int, assets: str = "", year: int = YEAR) -> None:
    """All tables, or those among some assets, are wholly of one version, and nothing is left to be removed."""
    found = versions(cloud, year)
    made = [name for name in found if not assets or name in assets.split(",")]
    assert {name: found[name] for name in made} == dict.fromkeys(made, per_month)
    assert cloud.left() == []


def the_other(cloud: Cloud) -> tuple[str, int]:
    """The version that is not loaded: its name and its crimes a month."""
    return ("new", NEW) if versions(cloud)["crimes"] == OLD else ("old", OLD)


def let_be(servers: Mapping[str, FaultyServer]) -> None:
    """Have servers do everything right again, and wait until they are done with what came."""
    for server in servers.values():
        server.forget_faults()
        server.wait_until_idle()


@contextmanager
def loaded_cloud(folder: Path) -> Iterator[Cloud]:
    """A cloud that has loaded the old version of a year, and both versions in folders."""
    for version, per_month in (("old", OLD), ("new", NEW)):
        write_csv(folder / version / "2014.csv", crimes_of_months(2014, per_month))
    with cloud_in(folder) as made:
        load(made, "old")
        yield made


def calls_of_a_run(cloud: Cloud, assets: str = "") -> list[Call]:
    """The calls of a run without faults, in their order."""
    cloud.forget_calls()
    run_under(cloud, Chosen(NO_FAULT, lambda call: False), assets)
    asked = sorted((asked.at, f"{name} {kind_of(asked)}") for name, s in cloud.servers.items() for asked in s.asked)
    made: Counter[str] = Counter()
    calls = []
    for _, kind in asked:
        calls.append(Call(kind, made[kind]))
        made[kind] += 1
    return calls


def run_under(cloud: Cloud, chosen: Chosen, assets: str = "") -> bool:
    """Load the other version under faults: it goes well, or ends cleanly and the next run does.

    Returns:
        Whether it went well at once.

    Raises:
        AssertionError: neither; the message tells which calls met the fault, and what the run said.
    """
    version, now = the_other(cloud)
    command = run_of(cloud, version, assets)
    chosen.rule(cloud.servers)
    ended = cloud.command_here(*command)
    let_be(cloud.servers)
    told = (chosen.fault, chosen.befallen, ended.output)
    assert "Traceback" not in ended.output, told
    assert ended.code in (0, 1), told
    if ended.code:
        assert "failed" in ended.output, told
        versions(cloud)
        again = cloud.command_here(*command)
        assert again.code == 0, (told, again.output)
    assert_made_of(cloud, now, assets)
    return ended.code == 0
