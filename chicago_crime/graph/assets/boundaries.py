"""The City's official boundaries, for maps. They are not partitioned."""

from collections.abc import Callable, Iterator

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    Failure,
    MaterializeResult,
    ResourceParam,
    asset,
)

from chicago_crime.errors import PlatformError
from chicago_crime.graph.assets.describe import OWNERS, REFERENCE
from chicago_crime.graph.dagster_internals import years_in_tags
from chicago_crime.published.catalog import BOUNDARIES
from chicago_crime.published.publisher import Publisher
from chicago_crime.sources.base import Boundaries
from chicago_crime.storage.object_store import ObjectStore

FETCH_CHECK = "could_be_fetched"
"""Name of the check that warns if they could not be fetched."""


@asset(
    group_name=REFERENCE,
    kinds={"geojson"},
    owners=OWNERS,
    description="Official boundaries of community areas, police districts, beats and wards, from the City's portal or "
    "a folder. Fetching them publishes a new snapshot with the same years.",
    output_required=False,  # without them, the published ones remain, and a run of years does not fail
    check_specs=[AssetCheckSpec(FETCH_CHECK, asset="boundaries", description="The boundaries could be fetched.")],
)
def boundaries(
    context: AssetExecutionContext,
    fetch_boundaries: ResourceParam[Callable[[], Boundaries]],
    object_store: ResourceParam[ObjectStore],
    publisher: ResourceParam[Publisher],
) -> Iterator[MaterializeResult | AssetCheckResult]:
    """Fetch, validate and simplify the boundaries, store them, and publish a snapshot with them."""
    try:
        found = fetch_boundaries()
    except PlatformError as error:
        yield AssetCheckResult(
            passed=False, check_name=FETCH_CHECK, severity=AssetCheckSeverity.WARN, description=str(error)
        )
        if not years_in_tags(context.run.tags):  # the run has no other task
            raise Failure(str(error)) from error
        return
    held = object_store.read(BOUNDARIES)
    object_store.swap(BOUNDARIES, found.geojson, held and held[1])  # if another run was faster, its result is as new
    snapshot = publisher.publish({}, context.run.run_id).snapshot
    yield AssetCheckResult(passed=True, check_name=FETCH_CHECK)
    yield MaterializeResult(
        metadata={
            "origin": found.origin,
            "places": found.places,
            "bytes": len(found.geojson),
            "snapshot": snapshot.snapshot if snapshot else "",
        }
    )
