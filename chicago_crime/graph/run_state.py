"""What one run does with its years: it holds their locks, and notes which it had to leave out and why."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dagster import InitResourceContext, ResourceDefinition

from chicago_crime.graph.dagster_internals import years_in_tags
from chicago_crime.graph.progress import Listener, Step
from chicago_crime.installation import Installation
from chicago_crime.published.audit import ACCEPT_TAG
from chicago_crime.published.catalog import PublishedYear
from chicago_crime.storage.leases import years_locked

LEFT_OUT_TAG = "chicago_crime/left_out"
ACCEPTED_TAG = "chicago_crime/accepted"
"""Tags of a run for one that goes on from its failed step: the years that its other steps left out, or accepted."""

PUBLISHED = "published"
"""Key of the asset that publishes a year."""


@dataclass
class YearsOfRun:
    """The years of one run.

    Attributes:
        listener: is called with the progress of each year.
        publishes: whether the run publishes: then a year that fails is left out, and the others go on.
        accept: the reason why years are published although an audit fails; None to refuse them.
        before: how all years were published when the run began.
        left_out: year -> why the run no longer works on it.
        kept: years of which nothing is made: the source has not changed them, and all is as it is published.
        accepted: years whose file lacks what is published of them, and is loaded for the reason in `accept`.
    """

    listener: Listener
    publishes: bool = False
    accept: str | None = None
    before: Mapping[int, PublishedYear] = field(default_factory=dict)
    left_out: dict[int, str] = field(default_factory=dict)
    kept: Mapping[int, PublishedYear] = field(default_factory=dict)
    accepted: set[int] = field(default_factory=set)

    def as_tags(self) -> dict[str, str]:
        """What a run that goes on from the failed step of this one must know."""
        return {LEFT_OUT_TAG: json.dumps(sorted(self.left_out)), ACCEPTED_TAG: json.dumps(sorted(self.accepted))}

    def to_make(self, years: Iterable[int]) -> list[int]:
        """The years to be made: not those that the run left out, or that are kept as they are published."""
        return [year for year in years if year not in self.left_out and year not in self.kept]


def years_of_run(installation: Installation, listener: Listener) -> ResourceDefinition:
    """A resource for each run. Runs of one machine work on a year one after the other, from source to snapshot."""

    def hold(context: InitResourceContext) -> Iterator[YearsOfRun]:
        run = context.run
        if run is None:
            yield YearsOfRun(listener)
            return
        years = years_in_tags(run.tags)

        def waits(year: int, other: str) -> None:
            listener(Step("waiting", year, waits_for=other))
            if context.log:
                context.log.info(f"Waiting for the run {other}, which works on {year}.")

        with years_locked(installation.settings.data_dir / "locks", years, run.run_id, waits):
            before = run.tags if run.parent_run_id and run.step_keys_to_execute else {}
            left_out = json.loads(before.get(LEFT_OUT_TAG, "[]"))
            selected = {key.to_user_string() for key in run.asset_selection or ()}
            yield YearsOfRun(
                listener,
                publishes=not selected or PUBLISHED in selected,
                accept=run.tags.get(ACCEPT_TAG, "").strip() or None,
                before=installation.published_years(),
                left_out=dict.fromkeys(left_out, f"the run {run.parent_run_id}, which this one continues, left it out"),
                accepted=set(json.loads(before.get(ACCEPTED_TAG, "[]"))),
            )

    return ResourceDefinition(hold, description="The years of a run, and why it left some out.")
