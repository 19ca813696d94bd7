"""Faults at every call of a run in the cloud, one at a time: does each run go well, or end cleanly?

    python -m benchmarks.faults [--faults 429,500,503,cut,lost,slow,stale] [--all]

Loads a tiny year again and again on the tests' servers on this machine. Each run meets one fault, at one call; after a
run that failed, the next has none. What must hold then is in `chicago_crime_tests/end_to_end/disturbed_runs.py`: each
table has the old year or the new one, nothing is doubled, no cluster and no staged file is left.

Every fault is tried at every call before Spark, and at every later one that changes something. A later question meets
one fault, the next in turn: such a run takes three times as long. All in all it takes an hour; with `--all`, where a
later question meets every fault, too, some hours.
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

from chicago_crime_tests.end_to_end.cloud import Cloud
from chicago_crime_tests.end_to_end.disturbed_runs import (
    BEFORE_SPARK,
    FAULTS,
    Call,
    Chosen,
    calls_of_a_run,
    loaded_cloud,
    run_under,
)

out = Console(highlight=False, width=120)

OUTCOMES = ("went well at once", "failed, the next went well", "MISSED THE CALL", "WRONG")
"""A call is missed where a run made fewer calls of its kind: those that wait for something vary in number."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Try and print; returns how many runs went wrong."""
    parser = argparse.ArgumentParser(description="Try every fault at every call of a run in the cloud.")
    parser.add_argument("--faults", default=",".join(FAULTS), help="which faults")
    parser.add_argument("--all", action="store_true", help="also every fault at every question after Spark")
    chosen = parser.parse_args(arguments)
    faults = chosen.faults.split(",")
    logging.disable()
    with Clouds() as clouds:
        calls = _calls(clouds.whole)
        out.print(f"{len(calls)} calls of {len({call.kind for call, _ in calls})} kinds")
        later = [call for call, assets in calls if not assets and not call.changes]
        turns = dict(zip(later, cycle(faults), strict=False))
        outcomes = {}
        for fault in faults:
            tried = [pair for pair in calls if chosen.all or turns.get(pair[0], fault) == fault]
            outcomes[fault] = Counter(_try(clouds, fault, tried))
    table = Table("fault", "runs", *OUTCOMES)
    for fault, counted in outcomes.items():
        table.add_row(fault, str(counted.total()), *(str(counted[outcome]) for outcome in OUTCOMES))
    out.print(table)
    return sum(counted["WRONG"] for counted in outcomes.values())


class Clouds(ExitStack):
    """A cloud to try on, and a new one once a run has gone wrong: what it left would be blamed on the next."""

    def __enter__(self) -> "Clouds":
        self.renew()
        return self

    def renew(self) -> None:
        """Take another cloud."""
        self.pop_all().close()
        folder = Path(self.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        self.whole: Cloud = self.enter_context(loaded_cloud(folder))


def _calls(cloud: Cloud) -> list[tuple[Call, str]]:
    """The calls of a run, each with the assets that suffice to make it: what comes before Spark is quicker alone."""
    before = calls_of_a_run(cloud, BEFORE_SPARK)
    after = [call for call in calls_of_a_run(cloud) if call not in before]
    return [*((call, BEFORE_SPARK) for call in before), *((call, "") for call in after)]


def _try(clouds: Clouds, fault: str, calls: Sequence[tuple[Call, str]]) -> list[str]:
    outcomes = []
    start = time.perf_counter()
    for call, assets in calls:
        chosen = Chosen(FAULTS[fault], call.__eq__)
        try:
            at_once = run_under(clouds.whole, chosen, assets)
        except AssertionError as error:
            out.print(f"WRONG: {fault} at {call}: {error}")
            outcomes.append("WRONG")
            clouds.renew()
            continue
        outcomes.append(OUTCOMES[0 if at_once else 1] if chosen.befallen else OUTCOMES[2])
    counted = ", ".join(f"{outcome} {n}" for outcome, n in Counter(outcomes).items())
    out.print(f"{fault}: {len(calls)} runs in {time.perf_counter() - start:.0f} s: {counted}")
    return outcomes


if __name__ == "__main__":
    sys.exit(min(main(), 1))
