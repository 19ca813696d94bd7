"""The published snapshot, which all readers use. Years are added once their tables are fresh and checks have passed."""

import time

from dagster import AssetExecutionContext, MetadataValue, ResourceParam, asset

from chicago_crime.errors import PlatformError
from chicago_crime.graph.assets.by_year import Metadata, failure, record, run_years
from chicago_crime.graph.assets.describe import OWNERS
from chicago_crime.graph.checks.assets import CHECKS
from chicago_crime.graph.checks.findings import CheckInputs
from chicago_crime.graph.partitions import follows_upstream, one_run_for_all_years, yearly
from chicago_crime.graph.progress import Step
from chicago_crime.graph.run_state import RunState
from chicago_crime.published.audit import HOW_TO_ACCEPT
from chicago_crime.published.catalog import PUBLISHED, CheckOutcome, load_again, newest_source
from chicago_crime.published.publisher import Candidate, Publisher
from chicago_crime.storage.object_store import lake_record
from chicago_crime.tables import TABLES


@asset(
    deps=[table.name for table in PUBLISHED],
    partitions_def=yearly,
    backfill_policy=one_run_for_all_years,
    automation_condition=follows_upstream,
    group_name="published",
    kinds={"parquet"},
    owners=OWNERS,
    description="An immutable snapshot, which queries, reports and pages read: all tables except raw_crimes.",
)
def published(
    context: AssetExecutionContext,
    check_inputs: ResourceParam[CheckInputs],
    publisher: ResourceParam[Publisher],
    run_state: ResourceParam[RunState],
) -> None:
    """Publish the years of the run in one snapshot. Years that failed keep their published version."""
    refused = dict(run_state.left_out)
    candidates: dict[int, Candidate] = {}
    for year in run_years(context, run_state):
        run_state.listener(Step("published", year))
        try:
            candidates[year] = _candidate(check_inputs, run_state, year)
        except PlatformError as error:
            refused[year] = run_state.complete(str(error))
    began = time.perf_counter()
    result = publisher.publish(candidates, context.run.run_id)
    seconds = round(time.perf_counter() - began, 3)  # of all years together
    refused |= {year: run_state.complete(reason) for year, reason in result.refused.items()}
    snapshot = result.snapshot
    done = sorted((candidates.keys() | run_state.unchanged.keys()) - refused.keys())
    for year in done:
        assert snapshot, "a year that is not refused is published"
        held = snapshot.years[year]
        rows = sum(table.rows for table in held.tables.values())
        unchanged = {"unchanged": True} if year in run_state.unchanged else {}
        metadata: Metadata = {
            "dagster/partition_row_count": rows,
            "bytes": sum(table.bytes for table in held.tables.values()),
            "snapshot": snapshot.snapshot,
            "is_new": year in result.changed,
            "is_repaired": year in result.repaired,
            "accepted": held.accepted or "",
            "checks": MetadataValue.json([one.model_dump() for one in held.checks if one.outcome != "passed"]),
            "seconds": seconds,
            "problem": run_state.complete(result.problem),
            **unchanged,
        }
        run_state.listener(Step("published", year, rows, None if unchanged else seconds))
        record(context, "published", year, metadata, is_partial=bool(refused))
    if refused:
        raise failure("published", refused, len(done))


def _candidate(check_inputs: CheckInputs, run_state: RunState, year: int) -> Candidate:
    """Return a year with the outcomes of its checks.

    Raises:
        PlatformError: a check failed and was not accepted, or a table of the year cannot be read.
    """
    manifest = check_inputs.source_files.manifest(year)
    if manifest is None:
        raise PlatformError(f"not fetched yet: `{load_again(year, newest_source(run_state.before))}`")
    again = f"Load the year again: `{load_again(year, manifest.model_dump())}`"
    if outdated := [table.name for table in TABLES.values() if year in check_inputs.warehouse.outdated(table)]:
        raise PlatformError(f"columns of another version: {', '.join(outdated)}. {again}")
    accept = run_state.accepted(year, manifest.sha256, manifest.accepted)
    outcomes: list[CheckOutcome] = []
    problems: list[str] = []
    advice = HOW_TO_ACCEPT
    for check in CHECKS:
        result = check.outcome(check_inputs.findings(check, [year])[year], accept)
        if result.outcome == "failed":
            problems.append(f"{result.check}: {result.finding}")
            advice = advice if check.can_be_accepted else again
        outcomes.append(result)
    if problems:
        raise PlatformError(f"{'; '.join(problems)}. {advice.removesuffix('.')}.{run_state.advice}")
    return Candidate(
        source=manifest.model_dump(),
        lake=lake_record(check_inputs.object_store, year),
        checks=outcomes,
        accepted=accept if any(one.outcome == "accepted" for one in outcomes) else manifest.accepted,
        before=run_state.before.get(year),
    )
