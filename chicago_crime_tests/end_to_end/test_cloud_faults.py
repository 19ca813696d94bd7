"""Whole runs in the cloud under faults: a run succeeds or fails cleanly, and each year is wholly old or wholly new.

Which faults are tried where. Two calls are alike if they have the same method and path (`kind_of`): a run makes some
hundred calls of about forty kinds. In `test_a_fault_at_every_kind_of_call` one run meets a fault at the first call of
every kind. In `test_one_fault_at_a_time_*` a run meets one fault only, at the first call of one kind: the loss of the
answer if the call changes something, and else the next fault in turn. Every fault at every single call is tried where a
try costs little: in the tests of the bucket, of BigQuery and of Dataproc themselves.
"""

import threading
from collections.abc import Callable, Iterator
from itertools import cycle

import pytest

from chicago_crime_tests.end_to_end.cloud import Cloud, cloud_in, kind_of
from chicago_crime_tests.end_to_end.test_cloud_crashes import (
    BEFORE_SPARK,
    NEW,
    OLD,
    assert_made_of,
    run_of,
    versions,
)
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
WORST = ("503", "lost")
"""Those that a run meets at every kind of call. What it does about 429, 500 and a cut is what it does about 503; with a
stale read it may end at once, cleanly."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("faults")
    for version, per_month in (("old", OLD), ("new", NEW)):
        write_csv(folder / version / "2014.csv", crimes_of_months(2014, per_month))
    with cloud_in(folder) as made:
        assert made.command_here(*run_of(made, "old")).code == 0
        yield made


class Chosen:
    """A rule for the servers: the fault befalls the first call of each of some kinds.

    Attributes:
        befallen: the kinds of call that it has befallen, each with its service.
    """

    def __init__(self, fault: Fault, chooses: Callable[[str], bool]):
        self.fault, self.chooses = fault, chooses
        self.befallen: set[str] = set()
        self._lock = threading.Lock()

    def of(self, service: str) -> Callable[[Asked], Fault]:
        """The rule of one server."""

        def rule(asked: Asked) -> Fault:
            kind = f"{service} {kind_of(asked)}"
            with self._lock:
                if kind in self.befallen or not self.chooses(kind):
                    return NO_FAULT
                self.befallen.add(kind)
            return self.fault

        return rule


def run_under(cloud: Cloud, chosen: Chosen, assets: str = "") -> None:
    """Load the other version under faults: it goes well, or ends cleanly and the next run does."""
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


@pytest.mark.parametrize("kind", WORST)
def test_a_fault_at_every_kind_of_call(cloud: Cloud, kind: str) -> None:
    chosen = Chosen(FAULTS[kind], lambda call: True)
    run_under(cloud, chosen)
    assert len(chosen.befallen) >= 25


def recorded(cloud: Cloud) -> list[str]:
    """The kinds of call since `forget_calls`, each once, in the order of their first."""
    asked = sorted((asked.at, f"{name} {kind_of(asked)}") for name, s in cloud.servers.items() for asked in s.asked)
    return list(dict.fromkeys(kind for _, kind in asked))


def test_one_fault_at_a_time_before_spark(cloud: Cloud) -> None:
    cloud.forget_calls()
    run_under(cloud, Chosen(NO_FAULT, lambda call: True), BEFORE_SPARK)
    others = cycle(name for name in FAULTS if name != "lost")
    for call in recorded(cloud):
        kind = "lost" if changes(call) else next(others)
        chosen = Chosen(FAULTS[kind], lambda one, call=call: one == call)  # type: ignore[misc]
        run_under(cloud, chosen, BEFORE_SPARK)
        assert chosen.befallen == {call}


def test_one_fault_at_a_time_from_spark_on(cloud: Cloud) -> None:
    """Such a run takes seconds, so only the calls that change something at Dataproc lose their answers here."""
    cloud.forget_calls()
    run_under(cloud, Chosen(NO_FAULT, lambda call: True))
    for call in filter(changes, recorded(cloud)):
        if call.startswith("dataproc"):
            chosen = Chosen(FAULTS["lost"], lambda one, call=call: one == call)  # type: ignore[misc]
            run_under(cloud, chosen)
            assert chosen.befallen == {call}


def changes(call: str) -> bool:
    """Whether a kind of call changes something."""
    return " GET " not in call and "/token" not in call and "queries" not in call
