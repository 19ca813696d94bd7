"""Processing the years of a run: two at a time, each with its own metadata; one that fails does not stop the others."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from dagster import AssetExecutionContext, AssetKey, AssetMaterialization, Failure, MaterializeResult, MetadataValue

from chicago_crime.graph.dagster_internals import RECORDED_ITSELF
from chicago_crime.graph.progress import Step
from chicago_crime.graph.years_of_run import YearsOfRun
from chicago_crime.published.catalog import PublishedYear
from chicago_crime.storage.warehouse import TableYear, Warehouse
from chicago_crime.tables import Table

YEARS_AT_ONCE = 2
"""While one year waits for the disk, another uses the processor. More years would only cost memory."""

Metadata = dict[str, Any]


def run_years(context: AssetExecutionContext, of_run: YearsOfRun) -> list[int]:
    """The years of this run to be made."""
    return of_run.to_make(map(int, context.partition_keys))


def is_selected(context: AssetExecutionContext, asset: str) -> bool:
    """Whether the run selects this asset, one of several that a function makes."""
    return AssetKey(asset) in context.selected_asset_keys


def each_year(
    context: AssetExecutionContext,
    of_run: YearsOfRun,
    asset: str,
    work: Callable[[int], Metadata],
) -> MaterializeResult:
    """Make every year of the run of one asset and record its metadata.

    A year that fails is left out of the rest of the run, whose last step, `published`, then fails with the reason. In a
    run that does not publish, or if no year is left, this step fails itself. Returns the result of the step.

    Args:
        context: of the run.
        of_run: its years. Its listener is called when a year starts and when it is finished.
        asset: key of the asset; for years that are kept, it records only that nothing changed.
        work: makes one year and returns its metadata, with `partition_row_count`.

    Raises:
        Failure: some years failed; the message has the reason for each. The others are made and recorded.
    """
    done = {year: _kept(published, asset) for year, published in of_run.kept.items()}
    failed: dict[int, Exception] = {}

    def timed(year: int) -> Metadata:
        of_run.listener(Step(asset, year))
        start = time.perf_counter()
        metadata = work(year)
        seconds = round(time.perf_counter() - start, 3)
        of_run.listener(Step(asset, year, metadata["partition_row_count"], seconds))
        return {**metadata, "seconds": seconds}

    for year, metadata in done.items():
        of_run.listener(Step(asset, year, metadata["partition_row_count"]))
    with ThreadPoolExecutor(YEARS_AT_ONCE) as pool:
        pending = {pool.submit(timed, year): year for year in run_years(context, of_run)}
        try:
            for future in as_completed(pending):
                if error := future.exception():
                    if not isinstance(error, Exception):
                        raise error
                    failed[pending[future]] = error
                else:
                    done[pending[future]] = future.result()
        except BaseException:  # the run is ended: no other year is begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for year, error in sorted(failed.items()):
        of_run.left_out[year] = f"{asset}: {error}"
        context.log.error(f"{year} is left out: {asset} failed: {error}")
    is_over = bool(failed) and not (of_run.publishes and done)
    for year, metadata in sorted(done.items()):
        if of_run.left_out:  # Dagster records all years of the run, and none if the step fails
            context.log_event(AssetMaterialization(asset, metadata=metadata, partition=str(year)))
        else:
            context.add_asset_metadata(metadata, asset_key=asset, partition_key=str(year))
    if is_over:
        first = next(iter(failed.values()))
        raise failure(asset, {year: of_run.left_out[year] for year in failed}, len(done)) from first
    if of_run.left_out or of_run.accepted:
        context.instance.add_run_tags(context.run_id, of_run.as_tags())
    return MaterializeResult(asset_key=asset, metadata=RECORDED_ITSELF if of_run.left_out else {})


def _kept(published: PublishedYear, asset: str) -> Metadata:
    """The metadata of a year of which nothing was made."""
    table = published.tables.get(asset)
    rows, size = (table.rows, table.bytes) if table else (published.source["rows"], published.source["bytes"])
    return {"partition_row_count": rows, "bytes": size, "seconds": 0.0, "unchanged": True}


def failure(asset: str, reasons: Mapping[int, str], done: int) -> Failure:
    """The failure of a step in some years, with the reason for each."""
    lines = [f"{year}: {reason}" for year, reason in sorted(reasons.items())]
    return Failure(
        f"{asset} failed for {len(lines)} of {len(lines) + done} years; what is published of them is unchanged.\n"
        + "\n".join(lines),
        metadata={"failed_years": MetadataValue.json({str(year): reason for year, reason in sorted(reasons.items())})},
        allow_retries=False,
    )


def stored_metadata(warehouse: Warehouse, table: Table, year: int, stored: TableYear) -> Metadata:
    """The metadata that a year of every table has: its size, what it was made of, its first rows and shares of NULL."""
    lineage = {"identity": stored.lineage.identity, "inputs": stored.lineage.inputs}
    shown: Metadata = {}
    if seen := warehouse.preview(table, year):
        nulls = {name: round(count / stored.rows, 4) for name, count in seen.nulls.items() if count}
        lines = [seen.first.columns, ["---"] * len(seen.first.columns), *seen.first.rows]
        cells = [" | ".join(" ".join(str(value).split()).replace("|", "\\|") for value in line) for line in lines]
        shown = {"null_shares": MetadataValue.json(nulls), "preview": MetadataValue.md("\n".join(cells))}
    return {"partition_row_count": stored.rows, "bytes": stored.bytes, **lineage, **stored.details, **shown}
