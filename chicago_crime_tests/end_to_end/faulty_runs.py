"""Whole runs in the cloud under faults, and what must hold of each: it goes well, or it ends cleanly and the next does.

Here belongs what a fault is, which call it befalls, and how a run is judged. Which faults are tried at which calls is
said by those that try them: `test_cloud_faults.py` some, `benchmarks/faults.py` every one at every call.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from chicago_crime_tests.end_to_end.cloud import Cloud, cloud_in, kind_of
from chicago_crime_tests.end_to_end.test_cloud_crashes import NEW, OLD, assert_made_of, run_of, versions
from chicago_crime_tests.servers.faults import NO_FAULT, Asked, Fault
from chicago_crime_tests.support import crimes_of_months, write_csv

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
    """A rule for the servers: a fault befalls the calls that are chosen.

    Attributes:
        befallen: the calls that it has befallen.
    """

    def __init__(self, fault: Fault, chooses: Callable[[Call], bool]):
        self.fault, self.chooses = fault, chooses
        self.befallen: set[Call] = set()
        self._made: Counter[str] = Counter()
        self._lock = threading.Lock()

    def of(self, service: str) -> Callable[[Asked], Fault]:
        """The rule of one server."""

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


@contextmanager
def loaded_cloud(folder: Path) -> Iterator[Cloud]:
    """A cloud that has loaded the old version of a year, and both versions in folders."""
    for version, per_month in (("old", OLD), ("new", NEW)):
        write_csv(folder / version / "2014.csv", crimes_of_months(2014, per_month))
    with cloud_in(folder) as made:
        ended = made.command_here(*run_of(made, "old"))
        assert ended.code == 0, ended.output
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
    version, now = ("new", NEW) if versions(cloud)["crimes"] == OLD else ("old", OLD)
    command = run_of(cloud, version, assets)
    for service, server in cloud.servers.items():
        server.rule = chosen.of(service)
    ended = cloud.command_here(*command)
    for server in cloud.servers.values():
        server.forget_faults()
        server.wait_until_idle()
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
