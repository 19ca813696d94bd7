"""The source: the original CSV of each year."""

from typing import TYPE_CHECKING

from dagster import AssetExecutionContext, MaterializeResult, MetadataValue, ResourceParam, asset

from chicago_crime.graph.assets.by_year import Metadata, each_year, failure, run_years
from chicago_crime.graph.assets.describe import OWNERS
from chicago_crime.graph.partitions import SOURCE_POOL, one_run_for_all_years, yearly
from chicago_crime.graph.progress import Step
from chicago_crime.graph.run_state import RunState
from chicago_crime.intake.source_files import SourceFiles
from chicago_crime.intake.staging import staging_folder
from chicago_crime.published.audit import HOW_TO_ACCEPT, compare, mixing_problem
from chicago_crime.published.catalog import DamagedError
from chicago_crime.published.publisher import Publisher
from chicago_crime.sources.base import DIFFERENCE, CrimeSource, Progress, SourceError
from chicago_crime.storage.object_store import ObjectStore

if TYPE_CHECKING:  # slow to import, and the UI does not need it
    from chicago_crime.intake.gate import GateResult


@asset(
    partitions_def=yearly,
    backfill_policy=one_run_for_all_years,
    pool=SOURCE_POOL,
    group_name="source",
    kinds={"csv"},
    owners=OWNERS,
    description="The year's original CSV, with a manifest: checksum, size, rows, columns and months.",
)
def crime_csv(
    context: AssetExecutionContext,
    source: ResourceParam[CrimeSource],
    source_files: ResourceParam[SourceFiles],
    object_store: ResourceParam[ObjectStore],
    publisher: ResourceParam[Publisher],
    run_state: ResourceParam[RunState],
) -> MaterializeResult:
    """Fetch each year from the source."""

    def progress_of(year: int) -> Progress:
        return lambda done, total: run_state.listener(Step("crime_csv", year, share=done / total if total else None))

    def fetch(year: int) -> Metadata:
        published = run_state.before.get(year)

        def audit(origin: str, gated: "GateResult") -> str | None:
            problems = [*gated.problems]
            try:
                problems += compare(gated.split.file, year, published, object_store, source_files.staging)
            except DamagedError as error:
                context.log.warning(f"{origin} cannot be compared with the published year: {error}")
            if problems and gated.damage:  # damaged lines may explain what is missing
                problems.insert(0, gated.damage)
            sha256, previous = gated.split.sha256, source_files.readable_manifest(year)
            recorded = previous.accepted if previous and previous.sha256 == sha256 else None
            accept = run_state.accepted(year, sha256, recorded)
            if problems and not accept:
                reasons = "; ".join(one.removesuffix(".") for one in problems)
                raise SourceError(f"{origin}: {reasons}. {HOW_TO_ACCEPT}")
            for one in problems:
                context.log.warning(f"{year} is accepted ({accept}): {one}")
            # Without problems, the published year may already lack the same crimes.
            return accept if problems else run_state.accepted_before(year, sha256, recorded)

        manifest = source_files.fetch(prepared, year, progress_of(year), audit)
        if manifest.synthetic:
            context.log.warning(f"{year} is SYNTHETIC: {manifest.origin}")
        if manifest.details.get("partial"):
            context.log.info(f"{year} is PARTIAL: the year has not ended. Load it again later.")
        if difference := manifest.details.get(DIFFERENCE):
            context.log.warning(f"{year}: {difference}")
        return {
            "dagster/partition_row_count": manifest.rows,
            "bytes": manifest.bytes,
            "sha256": manifest.sha256,
            "source": manifest.source,
            "origin": manifest.origin,
            "synthetic": manifest.synthetic,
            "details": MetadataValue.json(manifest.details),
            "columns": MetadataValue.json(manifest.columns),
            "rows_by_month": MetadataValue.json(manifest.months),
            "lines": manifest.lines,
            "unreadable_lines": manifest.quarantined,
            "unreadable_values": MetadataValue.json(manifest.unreadable),
            "path": MetadataValue.path(str(source_files.csv(year))),
        }

    years = run_years(context, run_state)
    if problem := mixing_problem(source.name, years, run_state.before):
        raise SourceError(problem)
    with staging_folder(source_files.staging) as folder:
        held = source_files.previous_files(source, years)
        try:
            prepared = source.prepare(years, folder, progress_of(years[0]), held)
        except SourceError as error:
            reason = run_state.complete(f"crime_csv: {error}")
            raise failure("crime_csv", dict.fromkeys(years, reason), 0) from error
        unchanged = {year: held[year].sha256 for year in prepared.unchanged()}
        run_state.unchanged = publisher.unchanged_years(unchanged, run_state.before)
        return each_year(context, run_state, "crime_csv", fetch)
