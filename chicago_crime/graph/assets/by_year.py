"""Working through the years of a run: two at a time, each with its own metadata, none lost when another fails."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextvars import copy_context
from typing import Any

from dagster import AssetExecutionContext, AssetKey, AssetMaterialization, Failure, MetadataValue

from chicago_crime.graph.progress import Step, tell

YEARS_AT_ONCE = 2
"""One year's wait for the disk is another's time on the processor. More would only cost memory."""

Metadata = dict[str, Any]


def run_years(context: AssetExecutionContext) -> list[int]:
    """The years of this run."""
    return [int(key) for key in context.partition_keys]


def is_chosen(context: AssetExecutionContext, asset: str) -> bool:
    """Whether the run wants this one of the assets that a function makes."""
    return AssetKey(asset) in context.selected_asset_keys


def each_year(
    context: AssetExecutionContext, asset: str, work: Callable[[int], Metadata], rows_from: str = "partition_row_count"
) -> None:
    """Do the work of one asset for every year of the run, and tell each year's metadata.

    Args:
        context: of the run.
        asset: key of the asset that the metadata is about.
        work: makes one year and returns its metadata.
        rows_from: the metadata entry that counts the rows.

    Raises:
        Failure: some years failed; the message has each one's reason. The others are done and recorded.
    """
    done: dict[int, Metadata] = {}
    failed: dict[int, Exception] = {}

    def timed(year: int) -> Metadata:
        tell(Step(asset, year))
        start = time.perf_counter()
        metadata = work(year)
        seconds = round(time.perf_counter() - start, 3)
        tell(Step(asset, year, metadata[rows_from], seconds))
        return {**metadata, "seconds": seconds}

    years = run_years(context)
    with ThreadPoolExecutor(YEARS_AT_ONCE) as pool:
        # Threads do not see for which run they work unless they are told.
        pending = {pool.submit(copy_context().run, timed, year): year for year in years}
        for future in as_completed(pending):
            if error := future.exception():
                if not isinstance(error, Exception):
                    raise error
                failed[pending[future]] = error
            else:
                done[pending[future]] = future.result()
    for year, metadata in sorted(done.items()):
        if failed:  # the step will fail, and Dagster would forget what it made
            context.log_event(AssetMaterialization(asset, metadata=metadata, partition=str(year)))
        else:
            context.add_asset_metadata(metadata, asset_key=asset, partition_key=str(year))
    if failed:
        reasons = [f"{year}: {error}" for year, error in sorted(failed.items())]
        raise Failure(
            f"{asset} failed for {len(failed)} of {len(failed) + len(done)} years; their former data is untouched.\n"
            + "\n".join(reasons),
            metadata={"failed_years": MetadataValue.json({str(year): str(failed[year]) for year in sorted(failed)})},
            allow_retries=False,
        ) from next(iter(failed.values()))


def as_metadata(mapping: Mapping[str, int]) -> MetadataValue:
    """Counts by name, as Dagster shows them best."""
    return MetadataValue.json(dict(mapping))
