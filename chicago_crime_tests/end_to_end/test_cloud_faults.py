"""Whole runs in the cloud under faults: a run succeeds or fails cleanly, and each year is wholly old or wholly new.

Which faults are tried where. Two calls are alike if they have the same method and path (`kind_of`): a run makes some
hundred calls of about forty kinds. In `test_a_fault_at_every_kind_of_call` one run meets a fault at the first call of
every kind. In `test_one_fault_at_a_time_*` a run meets one fault only, at the first call of one kind: the loss of the
answer if the call changes something, and else the next fault in turn. Every fault at every single call is tried where a
try costs little, in the tests of the bucket, of BigQuery and of Dataproc themselves; and for whole runs by
`python -m benchmarks.faults`, which takes too long for a test.
"""

from collections.abc import Iterator
from itertools import cycle

import pytest

from chicago_crime_tests.end_to_end.cloud import Cloud
from chicago_crime_tests.end_to_end.disturbed_runs import (
    BEFORE_SPARK,
    FAULTS,
    Chosen,
    calls_of_a_run,
    loaded_cloud,
    run_under,
)

WORST = ("503", "lost")
"""Those that a run meets at every kind of call. What it does about 429, 500 and a cut is what it does about 503; with a
stale read it may end at once, cleanly."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with loaded_cloud(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.mark.parametrize("kind", WORST)
def test_a_fault_at_every_kind_of_call(cloud: Cloud, kind: str) -> None:
    chosen = Chosen(FAULTS[kind], lambda call: call.place == 0)
    run_under(cloud, chosen)
    assert len(chosen.befallen) >= 25


def test_one_fault_at_a_time_before_spark(cloud: Cloud) -> None:
    others = cycle(name for name in FAULTS if name != "lost")
    for call in calls_of_a_run(cloud, BEFORE_SPARK):
        if call.place == 0:
            kind = "lost" if call.changes else next(others)
            chosen = Chosen(FAULTS[kind], call.__eq__)
            run_under(cloud, chosen, BEFORE_SPARK)
            assert chosen.befallen == {call}


def test_one_fault_at_a_time_from_spark_on(cloud: Cloud) -> None:
    """Such a run takes seconds, so only the calls that change something at Dataproc lose their answers here."""
    for call in calls_of_a_run(cloud):
        if call.place == 0 and call.changes and call.kind.startswith("dataproc"):
            chosen = Chosen(FAULTS["lost"], call.__eq__)
            run_under(cloud, chosen)
            assert chosen.befallen == {call}
