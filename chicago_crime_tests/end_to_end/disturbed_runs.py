"""Full runs in the cloud with a fault at a chosen call, and checks of the year afterwards.

`test_cloud_faults.py` and `benchmarks/faults.py` choose the faults and the calls.
"""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from chicago_crime.installation import Installation
from chicago_crime.published.catalog import CATALOG, parse
from chicago_crime.settings import Settings
from chicago_crime.tables import TABLES
from chicago_crime_tests.end_to_end.cloud import Cloud, counted, kind_of
from chicago_crime_tests.servers.faults import NO_FAULT, Fault, FaultyServer, Request
from chicago_crime_tests.support import command
from chicago_crime_tests.waiting import TIMEOUT_S, wait_until
from chicago_crime_tests.whole_cloud import BUCKET

YEAR = 2014
OLD, NEW = 3, 4
"""Crimes per month in the two versions of a year."""

COUNTED = [name for name in TABLES if name not in ("rejected_crimes", "revisions")]
"""The tables that account for every crime of a year."""


class Call(NamedTuple):
    """One call of a run: its service, method and path (`kind_of`), and the number of such calls before it."""

    kind: str
    place: int


class Chosen:
    """A rule for servers that injects a fault at chosen calls, which are then in `hit`."""

    def __init__(self, fault: Fault, chooses: Callable[[Call], bool]):
        self.fault, self.chooses = fault, chooses
        self.hit: set[Call] = set()
        self._made: Counter[str] = Counter()
        self._lock = threading.Lock()

    def rule(self, servers: Mapping[str, FaultyServer]) -> None:
        for service, server in servers.items():
            server.rule = partial(self._fault_of, service)

    def _fault_of(self, service: str, request: Request) -> Fault:
        kind = f"{service} {kind_of(request)}"
        with self._lock:
            call = Call(kind, self._made[kind])
            self._made[kind] += 1
            if not self.chooses(call):
                return NO_FAULT
            self.hit.add(call)
        return self.fault


def run_of(cloud: Cloud, version: str) -> list[str]:
    """The command that loads a version."""
    return ["run", "--years", str(YEAR), "--folder", str(cloud.folder / version), "--accept", "a test"]


def load(cloud: Cloud, version: str) -> None:
    ended = command(*run_of(cloud, version), **cloud.environment)
    assert ended.exit_code == 0, ended.output


def versions(cloud: Cloud) -> dict[str, int]:
    """The version in each table, in crimes per month. Checks that none is mixed and no crime is duplicated."""
    found = {name: cloud.crimes(name).get(YEAR, 0) for name in COUNTED}
    assert set(found.values()) <= {12 * OLD, 12 * NEW}, found
    for table in ("crimes", "enriched_crimes"):
        ids = [row["id"] for row in cloud.rows(table)]
        assert len(ids) == len(set(ids)), table
    return {name: crimes // 12 for name, crimes in found.items()}


def published_version(settings: Settings) -> int:
    """The version that readers see, in crimes per month. Checks that all tables and years show the same one."""
    counts = [f"(SELECT {counted(name)} FROM {name})" for name in COUNTED if name != "raw_crimes"]
    reader = Installation(settings).reader()
    [found] = reader.first_rows(f"SELECT {', '.join(counts)}", None).rows
    assert len({int(crimes) for crimes in found}) == 1, found
    return int(found[0]) // 12 // len(reader.catalog.years)


def assert_made_of(cloud: Cloud, per_month: int) -> None:
    """Check that all tables have this version, and that nothing is left to clean up."""
    assert versions(cloud) == dict.fromkeys(COUNTED, per_month)
    assert cloud.left() == []


def the_other(cloud: Cloud) -> tuple[str, int]:
    """The version that is not published: its name and crimes per month."""
    catalog = parse(CATALOG, cloud.storage.buckets.read(BUCKET, CATALOG))
    return ("new", NEW) if catalog.years[YEAR].tables["crimes"].rows == 12 * OLD else ("old", OLD)


def stop_faults(servers: Mapping[str, FaultyServer]) -> None:
    """Stop the faults, and wait until the servers have handled every request."""
    for server in servers.values():
        server.forget_faults()
        server.wait_until_idle()


def run_under(cloud: Cloud, chosen: Chosen) -> bool:
    """Load the other version with faults; returns whether it succeeded. A run that failed must let the next succeed."""
    version, now = the_other(cloud)
    chosen.rule(cloud.servers)
    ended = command(*run_of(cloud, version), **cloud.environment)
    stop_faults(cloud.servers)
    details = (chosen.fault, chosen.hit, ended.output)
    assert ended.exit_code in (0, 1), details
    if ended.exit_code:
        assert "failed" in ended.output, details
        versions(cloud)
        assert published_version(cloud.settings_with()) in (OLD, NEW), details
        load(cloud, version)
    assert_made_of(cloud, now)
    return ended.exit_code == 0


def kill_run_at(cloud: Cloud, at: Call) -> bool:
    """Load the other version, kill -9 the run at a call, and let the next run repair everything.

    Returns whether the run made the call: files that an earlier snapshot has stored are not stored again.
    """
    version, now = the_other(cloud)
    process = cloud.begin(*run_of(cloud, version))
    chosen = Chosen(Fault(before=lambda: os.kill(process.pid, signal.SIGKILL)), at.__eq__)
    chosen.rule(cloud.servers)
    output, _ = process.communicate(timeout=TIMEOUT_S)
    stop_faults(cloud.servers)
    if not chosen.hit:
        assert process.returncode == 0, output
        return False
    assert process.returncode == -signal.SIGKILL, output
    wait_until(lambda: all(job.done.is_set() for job in cloud.bigquery.jobs.by_id.values()))
    versions(cloud)
    assert published_version(cloud.settings_with()) in (OLD, NEW)
    load(cloud, version)
    assert_made_of(cloud, now)
    assert published_version(cloud.settings_with()) == now
    return True
