"""Process the years of a run two at a time. A year that fails does not stop the others."""

import errno
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from dagster import AssetExecutionContext, AssetMaterialization, Failure, MaterializeResult, MetadataValue

from chicago_crime.errors import PlatformError
from chicago_crime.graph.dagster_internals import DATA_VERSION_TAG, RECORDED_ITSELF
from chicago_crime.graph.progress import Step
from chicago_crime.graph.run_state import RunState
from chicago_crime.published.catalog import PublishedYear
from chicago_crime.storage.warehouse import TableYear, Warehouse
from chicago_crime.tables import Table

YEARS_AT_ONCE = 2
"""While one year waits for the disk, the other uses the processor. More would only use more memory."""

Metadata = dict[str, Any]


def run_years(context: AssetExecutionContext, run_state: RunState) -> list[int]:
    """Return the years to process."""
    return run_state.to_make(map(int, context.partition_keys))


def each_year(
    context: AssetExecutionContext, run_state: RunState, asset: str, work: Callable[[int], Metadata]
) -> MaterializeResult:
    """Materialize all years of an asset and record their metadata. Return the result of the step.

    A year that fails is left out of the rest of the run, and the final step, `published`, fails with the reason. If the
    run does not publish, or no year is left, this step fails instead.

    The metadata that `work` returns for a year includes `dagster/partition_row_count`.

    Raises:
        Failure: some years failed, and the run does not publish or no year is left. The message has the reason for
            each; the other years are recorded.
    """
    done = {year: _kept(published, asset) for year, published in run_state.unchanged.items()}
    failed: dict[int, Exception] = {}

    def timed(year: int) -> Metadata:
        run_state.listener(Step(asset, year))
        start = time.perf_counter()
        metadata = work(year)
        seconds = round(time.perf_counter() - start, 3)
        run_state.listener(Step(asset, year, metadata["dagster/partition_row_count"], seconds))
        return {**metadata, "seconds": seconds}

    for year, metadata in done.items():
        run_state.listener(Step(asset, year, metadata["dagster/partition_row_count"]))
    with ThreadPoolExecutor(YEARS_AT_ONCE) as pool:
        pending = {pool.submit(timed, year): year for year in run_years(context, run_state)}
        try:
            for future in as_completed(pending):
                if error := future.exception():
                    if not isinstance(error, Exception):
                        raise error
                    failed[pending[future]] = error
                else:
                    done[pending[future]] = future.result()
        except BaseException:  # canceled: start no other year
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for year, error in sorted(failed.items()):
        is_full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        advice = ". Free some space on the disk of the data folder, and run again" if is_full else ""
        run_state.left_out[year] = run_state.complete(f"{asset}: {error}{advice}")
        context.log.error(f"{year} is left out: {run_state.left_out[year]}")
    is_over = bool(failed) and not (run_state.publishes and done)
    for year, metadata in sorted(done.items()):
        record(context, asset, year, metadata, is_partial=bool(run_state.left_out))
    if is_over:
        bug = next((error for error in failed.values() if not isinstance(error, PlatformError)), None)
        raise failure(asset, {year: run_state.left_out[year] for year in failed}, len(done)) from bug
    if run_state.left_out:
        context.instance.add_run_tags(context.run.run_id, run_state.as_tags())
    return MaterializeResult(asset_key=asset, metadata=RECORDED_ITSELF if run_state.left_out else {})


def record(context: AssetExecutionContext, asset: str, year: int, metadata: Metadata, is_partial: bool) -> None:
    """Record a year. If some years of the run are left out, Dagster itself would record all years or none.

    The record then has the data version that Dagster would add.
    """
    if not is_partial:
        context.add_asset_metadata(metadata, asset_key=asset, partition_key=str(year))
        return
    version = next(
        (metadata[name] for name in ("identity", "sha256", "snapshot") if name in metadata), context.run.run_id
    )
    tags = {DATA_VERSION_TAG: version}
    context.log_event(AssetMaterialization(asset, metadata=metadata, partition=str(year), tags=tags))


def _kept(published: PublishedYear, asset: str) -> Metadata:
    """Return the metadata of an unchanged year."""
    table = published.tables.get(asset)
    rows, size = (table.rows, table.bytes) if table else (published.source["rows"], published.source["bytes"])
    return {"dagster/partition_row_count": rows, "bytes": size, "seconds": 0.0, "unchanged": True}


def failure(asset: str, reasons: Mapping[int, str], done: int) -> Failure:
    """Return the failure of a step, with the reason for each failed year."""
    lines = [f"{year}: {reason}" for year, reason in sorted(reasons.items())]
    return Failure(
        f"{asset} failed for {len(lines)} of {len(lines) + done} years; their published versions are unchanged.\n"
        + "\n".join(lines),
        metadata={"failed_years": MetadataValue.json({str(year): reason for year, reason in sorted(reasons.items())})},
        allow_retries=False,
    )


def stored_metadata(warehouse: Warehouse, table: Table, year: int, stored: TableYear) -> Metadata:
    """Return the metadata of a stored year: size, lineage, first rows and shares of NULL."""
    lineage = {"identity": stored.lineage.identity, "inputs": stored.lineage.inputs}
    shown: Metadata = {}
    if seen := warehouse.preview(table, year):
        nulls = {name: round(count / stored.rows, 4) for name, count in seen.nulls.items() if count}
        lines = [seen.first.columns, ["---"] * len(seen.first.columns), *seen.first.rows]
        cells = [" | ".join(" ".join(str(value).split()).replace("|", "\\|") for value in line) for line in lines]
        shown = {"null_shares": MetadataValue.json(nulls), "preview": MetadataValue.md("\n".join(cells))}
    return {"dagster/partition_row_count": stored.rows, "bytes": stored.bytes, **lineage, **stored.details, **shown}
