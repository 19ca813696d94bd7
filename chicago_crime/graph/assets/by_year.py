"""Processing the years of a run: two at a time, each with its own metadata; one that fails does not stop the others."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from dagster import AssetExecutionContext, AssetKey, AssetMaterialization, Failure, MetadataValue

from chicago_crime.graph.progress import Listener, Step
from chicago_crime.storage.warehouse import TableYear

YEARS_AT_ONCE = 2
"""While one year waits for the disk, another uses the processor. More years would only cost memory."""

Metadata = dict[str, Any]


def run_years(context: AssetExecutionContext) -> list[int]:
    """The years of this run."""
    return [int(key) for key in context.partition_keys]


def is_selected(context: AssetExecutionContext, asset: str) -> bool:
    """Whether the run selects this asset, one of several that a function makes."""
    return AssetKey(asset) in context.selected_asset_keys


def each_year(
    context: AssetExecutionContext,
    listener: Listener,
    asset: str,
    work: Callable[[int], Metadata],
) -> None:
    """Make every year of the run of one asset and record its metadata.

    Args:
        context: of the run.
        listener: is called when a year starts and when it is finished.
        asset: key of the asset.
        work: makes one year and returns its metadata, with `partition_row_count`.

    Raises:
        Failure: some years failed; the message has the reason for each. The others are made and recorded.
    """
    done: dict[int, Metadata] = {}
    failed: dict[int, Exception] = {}

    def timed(year: int) -> Metadata:
        listener(Step(asset, year))
        start = time.perf_counter()
        metadata = work(year)
        seconds = round(time.perf_counter() - start, 3)
        listener(Step(asset, year, metadata["partition_row_count"], seconds))
        return {**metadata, "seconds": seconds}

    with ThreadPoolExecutor(YEARS_AT_ONCE) as pool:
        pending = {pool.submit(timed, year): year for year in run_years(context)}
        for future in as_completed(pending):
            if error := future.exception():
                if not isinstance(error, Exception):
                    raise error
                failed[pending[future]] = error
            else:
                done[pending[future]] = future.result()
    for year, metadata in sorted(done.items()):
        if failed:  # the step will fail, and Dagster would drop the metadata of what it made
            context.log_event(AssetMaterialization(asset, metadata=metadata, partition=str(year)))
        else:
            context.add_asset_metadata(metadata, asset_key=asset, partition_key=str(year))
    if failed:
        reasons = [f"{year}: {error}" for year, error in sorted(failed.items())]
        raise Failure(
            f"{asset} failed for {len(failed)} of {len(failed) + len(done)} years; their previous data is unchanged.\n"
            + "\n".join(reasons),
            metadata={"failed_years": MetadataValue.json({str(year): str(failed[year]) for year in sorted(failed)})},
            allow_retries=False,
        ) from next(iter(failed.values()))


def stored_metadata(stored: TableYear) -> Metadata:
    """The metadata that a year of every table has."""
    return {"partition_row_count": stored.rows, "bytes": stored.bytes, **stored.details}
