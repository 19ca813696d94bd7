"""Run the graph in this process, with one Dagster run per contiguous range of years."""

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any
from uuid import uuid4

from dagster import (
    AssetCheckSeverity,
    AssetKey,
    AssetSelection,
    BetaWarning,
    DagsterError,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    Definitions,
)

from chicago_crime.errors import PlatformError, UsageError
from chicago_crime.graph.command_line_runs import fail_dead_runs, recorded
from chicago_crime.graph.dagster_internals import message_of, range_tags, years_in_tags
from chicago_crime.graph.jobs import fetch_boundaries, load_and_publish
from chicago_crime.graph.run_state import PUBLISHED_ASSET, SOURCE_ASSET
from chicago_crime.installation import Installation
from chicago_crime.published.audit import ACCEPT_TAG, mixing_problem
from chicago_crime.tables.years import contiguous_ranges, format_years

# No log line per event: the command line shows progress, and the UI shows all events.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class CheckResult:
    """A check that did not pass for a year."""

    asset: str
    check: str
    year: int
    is_error: bool
    description: str

    @property
    def text(self) -> str:
        """Year, key and description."""
        return f"{self.year}: {self.asset}:{self.check}: {self.description}"


@dataclass
class RunReport:
    """The outcome of one Dagster run.

    Attributes:
        years: its years, formatted; "" if it has none.
        success: whether all steps and blocking checks succeeded.
        left_out: reasons why years were left out, by year.
        failures: reasons for other failures, by step ("" before the first); without skipped steps.
        metadata: metadata of each materialization, by asset and year.
    """

    run_id: str
    years: str
    success: bool
    left_out: dict[int, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    checks: list[CheckResult] = field(default_factory=list)
    metadata: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    @property
    def reasons(self) -> list[str]:
        """Reasons why the run failed. Reasons that differ only in numbers are merged, except asset and file name."""
        alike: dict[tuple[str, ...], dict[int, str]] = {}
        for year, reason in sorted(self.left_out.items()):
            *asset_and_file, problem = reason.split(": ", 2)
            alike.setdefault((*asset_and_file, re.sub(r"\d[\d,]*", "", problem)), {})[year] = reason
        found = []
        for reasons in alike.values():
            reason = next(iter(reasons.values()))
            same = [year for year, other in reasons.items() if other == reason]
            others = format_years(sorted(reasons.keys() - same))
            found.append(f"{format_years(same)}{others and f', likewise {others}'}: {reason}")
        found += [f"{step}: {reason}" if step else reason for step, reason in self.failures.items()]
        reported = "; ".join(found)
        refused = [one for one in self.checks if one.is_error and f"{one.asset}:{one.check}" not in reported]
        return found + [one.text for one in refused]

    @property
    def published(self) -> dict[str, list[int]]:
        """Published years by snapshot."""
        found: dict[str, list[int]] = {}
        for year, made in self._publications:
            if made["is_new"]:
                found.setdefault(made["snapshot"], []).append(year)
        return found

    @property
    def same(self) -> list[int]:
        """Years that were loaded again with the result that was already published."""
        return [
            year
            for year, made in self._publications
            if not (made["is_new"] or made["is_repaired"] or "unchanged" in made)
        ]

    @property
    def unchanged(self) -> list[int]:
        """Years whose tables were kept, because their source is as it was when they were published."""
        return sorted({year for (_, year), made in self.metadata.items() if "unchanged" in made})

    @property
    def repaired(self) -> list[int]:
        """Years for which a damaged or missing published file was restored."""
        return [year for year, made in self._publications if made["is_repaired"]]

    @property
    def problem(self) -> str:
        """Why `warehouse.duckdb` does not show what was published; "" if it does."""
        return next((made["problem"] for _, made in self._publications if made.get("problem")), "")

    @property
    def _publications(self) -> list[tuple[int, dict[str, Any]]]:
        return [(year, made) for (asset, year), made in sorted(self.metadata.items()) if asset == PUBLISHED_ASSET]


def run_years(
    installation: Installation,
    definitions: Definitions,
    instance: DagsterInstance,
    years: Sequence[int],
    assets: str | None = None,
    accept: str | None = None,
) -> Iterator[RunReport]:
    """Run the graph for years, oldest range first.

    `assets` are comma-separated names, or a selection as in Dagster's UI, such as "key:crimes+"; None for all. `accept`
    is the reason for publishing years that fail an audit; None to refuse them.

    Raises:
        UsageError: `assets` selects nothing, the source's setting is wrong, or real and SYNTHETIC years would mix.
        RunCanceledError: a signal canceled a run.
    """
    fail_dead_runs(instance, installation.settings)
    ranges = contiguous_ranges(list(years))
    chosen = None if assets is None else _select(definitions, assets)
    if chosen is None or AssetKey(SOURCE_ASSET) in chosen:
        installation.source.check_settings()
        first, last = ranges[0]
        if problem := mixing_problem(installation.source.name, range(first, last + 1), installation.published_years()):
            raise UsageError(problem)
    job = definitions.resolve_job_def(load_and_publish.name)
    for first, last in ranges:
        tags = range_tags(first, last) | ({ACCEPT_TAG: accept} if accept else {})
        run_id = str(uuid4())
        with recorded(instance, installation.settings, run_id):
            job.execute_in_process(
                _QUIET, instance=instance, tags=tags, raise_on_error=False, asset_selection=chosen, run_id=run_id
            )
        report = report_of(instance, run_id)
        if chosen is not None and AssetKey(PUBLISHED_ASSET) not in chosen:  # `published` would evaluate the checks
            report.success = report.success and not any(one.is_error for one in report.checks)
        yield report


def run_boundaries(installation: Installation, definitions: Definitions, instance: DagsterInstance) -> dict[str, Any]:
    """Fetch and publish the City's boundaries. Return the metadata of the asset.

    Raises:
        PlatformError: the boundaries cannot be fetched.
        RunCanceledError: a signal canceled the run.
    """
    run_id = str(uuid4())
    job = definitions.resolve_job_def(fetch_boundaries.name)
    with recorded(instance, installation.settings, run_id):
        result = job.execute_in_process(_QUIET, instance=instance, raise_on_error=False, run_id=run_id)
    report = report_of(instance, run_id)
    if report.failures:
        raise PlatformError("; ".join(report.failures.values()))
    [made] = result.asset_materializations_for_node("boundaries")
    return {name: value.value for name, value in made.metadata.items()}


def steps_in(definitions: Definitions, assets: str | None = None) -> int:
    """Return the number of assets that a run materializes per year."""
    graph = definitions.resolve_asset_graph()
    return sum(graph.get(AssetKey(name)).is_partitioned for name in assets_in(definitions, assets))


def assets_in(definitions: Definitions, assets: str | None = None) -> list[str]:
    """Return the names of the assets that a run materializes, in topological order.

    Raises:
        UsageError: `assets` selects nothing.
    """
    graph = definitions.resolve_asset_graph()
    chosen = load_and_publish.selection.resolve(graph) if assets is None else set(_select(definitions, assets))
    return [key.to_user_string() for key in graph.toposorted_asset_keys if key in chosen]


def _select(definitions: Definitions, assets: str) -> list[AssetKey]:
    """Return the selected assets, with those that the same steps make, because a step makes all of its assets."""
    graph = definitions.resolve_asset_graph()
    by_year = load_and_publish.selection.resolve(graph)
    known = [key.to_user_string() for key in graph.toposorted_asset_keys if key in by_year]
    names = [name.strip() for name in assets.split(",")]
    unknown = [name for name in names if name not in known]
    help_ = f"use names separated by commas, or a selection like key:crimes+; the assets are {', '.join(known)}"
    if unknown and ":" not in assets:  # in Dagster's older syntax, crimes+ would select only direct neighbors
        near = "".join(f" (did you mean {name}?)" for name in get_close_matches(unknown[0], known, n=1))
        raise UsageError(f"there is no asset {unknown[0]!r}{near}: {help_}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BetaWarning)
            chosen = AssetSelection.from_string(assets) if unknown else AssetSelection.assets(*names)
            keys = chosen.required_multi_asset_neighbors().resolve(graph) & by_year
    except DagsterError as error:
        raise UsageError(f"cannot read the asset selection {assets!r} ({error}): {help_}") from error
    if not keys:
        raise UsageError(f"{assets!r} selects no asset: {help_}")
    return sorted(keys)


def report_of(instance: DagsterInstance, run_id: str) -> RunReport:
    """Return the report of a recorded run, however it was started."""
    run = instance.get_run_by_id(run_id)
    assert run, "it is recorded"
    report = RunReport(run_id, format_years(years_in_tags(run.tags)), run.is_success)
    for entry in instance.all_logs(run_id):  # results lack what a step recorded before it failed
        if entry.dagster_event:
            _add_event(report, entry.dagster_event)
    return report


def _add_event(report: RunReport, event: DagsterEvent) -> None:
    if event.is_step_failure:
        _add_failure(report, event)
    elif event.event_type is DagsterEventType.RUN_FAILURE and not (report.left_out or report.failures):
        error = event.job_failure_data.error
        report.failures[""] = message_of(error) if error else event.message or "unknown: see the run in the UI"
    elif event.is_step_materialization and event.partition and event.asset_key:
        metadata = event.step_materialization_data.materialization.metadata
        values = {name: value.value for name, value in metadata.items()}
        report.metadata[event.asset_key.to_user_string(), int(event.partition)] = values
    elif event.event_type is DagsterEventType.ASSET_CHECK_EVALUATION:
        evaluation = event.asset_check_evaluation_data
        if not evaluation.passed:
            report.checks.append(
                CheckResult(
                    evaluation.asset_key.to_user_string(),
                    evaluation.check_name,
                    int(evaluation.partition or 0),
                    evaluation.severity is AssetCheckSeverity.ERROR,
                    evaluation.description or "",
                )
            )


def _add_failure(report: RunReport, event: DagsterEvent) -> None:
    data, reason = event.step_failure_data, ""
    if data.user_failure_data:
        by_year = data.user_failure_data.metadata.get("failed_years")
        if by_year and isinstance(by_year.value, dict):
            for year, why in by_year.value.items():
                report.left_out.setdefault(int(year), why)
            return
        reason = data.user_failure_data.description or ""
    reason = reason or (data.error and message_of(data.error)) or "unknown: see the run in the UI"
    report.failures[event.step_key or "run"] = reason
