"""The source: each year's CSV as its publisher wrote it."""

from dagster import AssetExecutionContext, MetadataValue, ResourceParam, asset

from chicago_crime.graph.assets.by_year import Metadata, each_year, run_years
from chicago_crime.graph.assets.describe import OWNERS
from chicago_crime.graph.partitions import one_run_for_all_years, yearly
from chicago_crime.graph.progress import Listener, Step
from chicago_crime.intake.source_files import SourceFiles
from chicago_crime.intake.staging import staging_folder
from chicago_crime.sources.base import CrimeSource, Progress


@asset(
    partitions_def=yearly,
    backfill_policy=one_run_for_all_years,
    group_name="source",
    kinds={"csv"},
    owners=OWNERS,
    description="The year's CSV as its publisher wrote it, with a manifest: checksum, size, rows, columns, months.",
)
def crime_csv(
    context: AssetExecutionContext,
    source: ResourceParam[CrimeSource],
    source_files: ResourceParam[SourceFiles],
    listener: ResourceParam[Listener],
) -> None:
    """Fetch each year from the source."""

    def progress_of(year: int) -> Progress:
        return lambda done, total: listener(Step("crime_csv", year, share=done / total if total else None))

    def fetch(year: int) -> Metadata:
        manifest = source_files.fetch(prepared, year, progress_of(year))
        if manifest.synthetic:
            context.log.warning(f"{year} is SYNTHETIC: {manifest.origin}")
        if manifest.details.get("partial"):
            context.log.info(f"{year} is PARTIAL: the year is not over. Load it again later.")
        return {
            "partition_row_count": manifest.rows,
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

    years = run_years(context)
    with staging_folder(source_files.staging) as folder:
        prepared = source.prepare(years, folder, progress_of(years[0]))
        each_year(context, listener, "crime_csv", fetch)
