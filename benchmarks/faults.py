"""Injects a fault at every call of a run in the cloud, one at a time: does each run succeed or fail cleanly?

    python -m benchmarks.faults [--faults 429,500,503,cut,lost,slow,kill] [--all]

It repeatedly loads a tiny year on the tests' servers. Each run has one fault at one call, or is killed there; after a
failed run, the next has no faults. `chicago_crime_tests/end_to_end/disturbed_runs.py` checks that each table has the
old year or the new one, that readers see one snapshot, that nothing is duplicated, and that no cluster or staged file
is left.

Every fault is tried at every call that changes something. Each read gets one fault, in rotation. It takes hours, and
many with `--all`, which tries every fault at every read, too.
"""

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

from rich.console import Console
from rich.table import Table

from chicago_crime_tests.end_to_end.cloud import Cloud, cloud_in, kind_of
from chicago_crime_tests.end_to_end.disturbed_runs import NEW, OLD, YEAR, Call, Chosen, kill_run_at, load, run_under
from chicago_crime_tests.servers.faults import NO_FAULT, Fault
from chicago_crime_tests.support import crimes_of_months, write_csv

out = Console(highlight=False, width=120)

FAULTS = {
    "429": Fault(status=429, retry_after="1"),
    "500": Fault(status=500),
    "503": Fault(status=503),
    "cut": Fault(cut_after=10),
    "lost": Fault(loses_answer=True),
    "slow": Fault(wait_s=0.3),
}
OUTCOMES = ("succeeded", "failed, the next succeeded", "MISSED THE CALL", "WRONG")
"""A call is missed if the run made fewer calls of this kind, because the number of polls varies."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the faults and print the results; returns the number of runs that went wrong."""
    parser = argparse.ArgumentParser(description="Try every fault at every call of a run in the cloud.")
    parser.add_argument("--faults", default=",".join([*FAULTS, "kill"]), help="which faults")
    parser.add_argument("--all", action="store_true", help="also every fault at every read")
    chosen = parser.parse_args(arguments)
    faults = chosen.faults.split(",")
    logging.disable()
    with Clouds() as clouds:
        calls = _calls(clouds.cloud)
        out.print(f"{len(calls)} calls of {len({call.kind for call in calls})} kinds")
        reads = [call for call in calls if any(part in call.kind for part in (" GET ", "/token", "queries"))]
        turns = dict(zip(reads, cycle(faults), strict=False))
        outcomes = {}
        for fault in faults:
            tried = [call for call in calls if chosen.all or turns.get(call, fault) == fault]
            outcomes[fault] = Counter(_try(clouds, fault, tried))
    table = Table("fault", "runs", *OUTCOMES)
    for fault, counted in outcomes.items():
        table.add_row(fault, str(counted.total()), *(str(counted[outcome]) for outcome in OUTCOMES))
    out.print(table)
    return sum(counted["WRONG"] for counted in outcomes.values())


class Clouds(ExitStack):
    """A cloud to try faults on. It is replaced after a run that went wrong, because its remains could affect the next.

    Attributes:
        cloud: the current cloud.
    """

    def __enter__(self) -> "Clouds":
        self.renew()
        return self

    def renew(self) -> None:
        """Replace the cloud with a new one that has loaded the old version of the year."""
        self.pop_all().close()
        folder = Path(self.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        for version, per_month in (("old", OLD), ("new", NEW)):
            write_csv(folder / version / f"{YEAR}.csv", crimes_of_months(YEAR, per_month))
        self.cloud: Cloud = self.enter_context(cloud_in(folder))
        load(self.cloud, "old")


def _calls(cloud: Cloud) -> list[Call]:
    """The calls of a run without faults."""
    cloud.forget_calls()
    run_under(cloud, Chosen(NO_FAULT, lambda call: False))
    made = Counter(f"{name} {kind_of(one)}" for name, server in cloud.servers.items() for one in server.requests)
    return [Call(kind, place) for kind, count in made.items() for place in range(count)]


def _try(clouds: Clouds, fault: str, calls: Sequence[Call]) -> list[str]:
    outcomes = []
    start = time.perf_counter()
    for number, call in enumerate(calls, 1):
        out.print(f"{number} of {len(calls)}: {fault} at {call.kind}, {call.place}")
        try:
            if fault == "kill":
                outcomes.append(OUTCOMES[1 if kill_run_at(clouds.cloud, call) else 2])
                continue
            chosen = Chosen(FAULTS[fault], call.__eq__)
            succeeded = run_under(clouds.cloud, chosen)
        except AssertionError as error:
            out.print(f"WRONG: {fault} at {call}: {error}")
            outcomes.append("WRONG")
            clouds.renew()
            continue
        outcomes.append(OUTCOMES[0 if succeeded else 1] if chosen.hit else OUTCOMES[2])
    counted = ", ".join(f"{outcome} {n}" for outcome, n in Counter(outcomes).items())
    out.print(f"{fault}: {len(calls)} runs in {time.perf_counter() - start:.0f} s: {counted}")
    return outcomes


if __name__ == "__main__":
    sys.exit(min(main(), 1))
