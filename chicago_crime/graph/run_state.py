"""The state of a run: its locked years, and the years that it left out or kept."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dagster import InitResourceContext, ResourceDefinition

from chicago_crime.graph.dagster_internals import years_in_tags
from chicago_crime.graph.progress import Listener, Step
from chicago_crime.installation import Installation
from chicago_crime.published.audit import ACCEPT_TAG
from chicago_crime.published.catalog import PublishedYear
from chicago_crime.storage.leases import years_locked

LEFT_OUT_TAG = "chicago_crime/left_out"
"""Run tag with the years that a run left out, and the reasons, for a retry from its failed step."""

SOURCE_ASSET = "crime_csv"
"""Key of the asset that reads from the source."""

PUBLISHED_ASSET = "published"
"""Key of the asset that publishes years."""


@dataclass
class RunState:
    """The state of one run.

    Attributes:
        listener: called with the progress of each year.
        publishes: whether the run publishes; if so, a year that fails is left out and the others continue.
        accept: reason for publishing years that fail an audit; None to refuse them.
        before: all published years when the run started.
        left_out: reasons why years were left out, by year.
        unchanged: published years that are not rebuilt, because neither their source nor their tables changed.
        advice: for a retry from a failed step, that it did not read the file again; else "".
        complete: completes the commands in an error message, so that they act on this installation.
    """

    listener: Listener
    publishes: bool = False
    accept: str | None = None
    before: Mapping[int, PublishedYear] = field(default_factory=dict)
    left_out: dict[int, str] = field(default_factory=dict)
    unchanged: Mapping[int, PublishedYear] = field(default_factory=dict)
    advice: str = ""
    complete: Callable[[str], str] = str

    def as_tags(self) -> dict[str, str]:
        """Return the tags that a retry from the failed step of this run needs."""
        return {LEFT_OUT_TAG: json.dumps(self.left_out)}

    def accepted(self, year: int, sha256: str, in_manifest: str | None = None) -> str | None:
        """Return why a year's file is accepted although an audit or a check refuses it; None if it is not."""
        return self.accept or self.accepted_before(year, sha256, in_manifest)

    def accepted_before(self, year: int, sha256: str, in_manifest: str | None = None) -> str | None:
        """Return the reason given when the same file was fetched or published before; None if none was given."""
        held = self.before.get(year)
        is_published = held is not None and held.source.get("sha256") == sha256
        return in_manifest or (held.accepted if held and is_published else None)

    def to_make(self, years: Iterable[int]) -> list[int]:
        """Filter out years that were left out or are kept."""
        return [year for year in years if year not in self.left_out and year not in self.unchanged]


def run_state_resource(installation: Installation, listener: Listener) -> ResourceDefinition:
    """Return the resource with each run's state. It locks the years of a run, so runs never share a year."""

    def hold(context: InitResourceContext) -> Iterator[RunState]:
        run, log, instance = context.run, context.log, context.instance
        assert run and log and instance, "only steps of a run need it"
        years = years_in_tags(run.tags)

        def waits(year: int, other: str) -> None:
            listener(Step("waiting", year, waits_for=other))
            log.info(f"Waiting for the run {other}, which is processing {year}.")

        with years_locked(installation.settings.data_dir / "locks", years, run.run_id, waits):
            steps = run.step_keys_to_execute or ()
            continues = bool(run.parent_run_id and steps and SOURCE_ASSET not in steps)
            left_out = json.loads(run.tags.get(LEFT_OUT_TAG, "{}")) if continues else {}
            if not continues and LEFT_OUT_TAG in run.tags:
                instance.add_run_tags(run.run_id, {LEFT_OUT_TAG: "{}"})  # inherited by re-executing all steps
            why = "The run that this one continues left it out: "
            advice = " This run did not read the file again: materialize the year, or re-execute all steps"
            selected = {key.to_user_string() for key in run.asset_selection or ()}
            yield RunState(
                listener,
                publishes=not selected or PUBLISHED_ASSET in selected,
                accept=run.tags.get(ACCEPT_TAG, "").strip() or None,
                before=installation.published_years(),
                left_out={int(year): f"{why}{reason.removesuffix('.')}.{advice}" for year, reason in left_out.items()},
                advice=advice if continues else "",
                complete=installation.settings.complete,
            )

    return ResourceDefinition(hold, description="The years of a run, and the reasons for leaving any out.")
