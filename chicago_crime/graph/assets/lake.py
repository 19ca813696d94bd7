"""The lake: canonical rows of each year, and a quarantine for lines that could not be read as rows."""

from dagster import AssetExecutionContext, MaterializeResult, MetadataValue, ResourceParam, asset

from chicago_crime.graph.assets.by_year import Metadata, each_year
from chicago_crime.graph.assets.describe import OWNERS
from chicago_crime.graph.assets.source import crime_csv
from chicago_crime.graph.partitions import follows_upstream, one_run_for_all_years, yearly
from chicago_crime.graph.run_state import RunState
from chicago_crime.intake.source_files import SourceFiles
from chicago_crime.published.publisher import Publisher
from chicago_crime.storage.object_store import (
    LakeRecord,
    ObjectStore,
    ObjectStoreError,
    quarantine_key,
    record_key,
    rows_key,
)


@asset(
    deps=[crime_csv],
    partitions_def=yearly,
    backfill_policy=one_run_for_all_years,
    automation_condition=follows_upstream,
    group_name="lake",
    kinds={"csv"},
    owners=OWNERS,
    description="The year's rows as a UTF-8 CSV with 22 canonical columns. Lines that could not be read as rows are in "
    "a quarantine object.",
)
def crime_object(
    context: AssetExecutionContext,
    source_files: ResourceParam[SourceFiles],
    object_store: ResourceParam[ObjectStore],
    publisher: ResourceParam[Publisher],
    run_state: ResourceParam[RunState],
) -> MaterializeResult:
    """Store each year's rows and quarantine in the object store. Years with the same rows as before are kept."""
    checksums: dict[int, str] = {}

    def store(year: int) -> Metadata:
        object_store.delete(record_key(year))  # without a record, downstream assets refuse the object
        _, rows, quarantine = source_files.files(year)
        manifest = source_files.manifest(year)
        assert manifest, "a year without one has no files"
        object_store.put(quarantine_key(year), quarantine)
        stored = object_store.put(rows_key(year), rows)
        if manifest.is_canonical and stored.sha256 != manifest.sha256:  # the gate left it unchanged
            raise ObjectStoreError(f"{rows} was changed after it was fetched: load the year again")
        record = LakeRecord(sha256=stored.sha256, source_sha256=manifest.sha256)
        object_store.swap(record_key(year), record.model_dump_json().encode(), None)
        checksums[year] = manifest.sha256
        return {
            "dagster/partition_row_count": manifest.rows,
            "bytes": stored.bytes,
            "sha256": stored.sha256,
            "passed_unchanged": manifest.is_canonical,
            "quarantined_lines": manifest.quarantined,
            "ignored_columns": MetadataValue.json(manifest.ignored),
            "missing_columns": MetadataValue.json(manifest.missing),
            "object": rows_key(year),
            "quarantine_object": quarantine_key(year),
        }

    result = each_year(context, run_state, "crime_object", store)
    run_state.unchanged = {**run_state.unchanged, **publisher.unchanged_years(checksums, run_state.before)}
    return result
