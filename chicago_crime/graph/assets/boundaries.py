"""The City's official outlines, which maps draw and which have no years."""

from dagster import AssetExecutionContext, Failure, MaterializeResult, ResourceParam, asset

from chicago_crime.errors import PlatformError
from chicago_crime.graph.assets.describe import OWNERS, REFERENCE
from chicago_crime.published.catalog import BOUNDARIES
from chicago_crime.published.publisher import Publisher
from chicago_crime.sources.base import BoundarySource
from chicago_crime.storage.object_store import ObjectStore


@asset(
    group_name=REFERENCE,
    kinds={"geojson"},
    owners=OWNERS,
    description="Official outlines of community areas, police districts, beats and wards, from the City's portal or a "
    "folder. They are published at once with the years that are published.",
)
def boundaries(
    context: AssetExecutionContext,
    boundary_source: ResourceParam[BoundarySource],
    object_store: ResourceParam[ObjectStore],
    publisher: ResourceParam[Publisher],
) -> MaterializeResult:
    """Fetch, validate and simplify all kinds, store them, and publish a snapshot that names them."""
    try:
        found = boundary_source.fetch()
    except PlatformError as error:
        raise Failure(str(error), allow_retries=False) from error
    held = object_store.read(BOUNDARIES)
    object_store.swap(BOUNDARIES, found.geojson, held and held[1])  # whoever was quicker stored those of today, too
    snapshot = publisher.publish({}, context.run.run_id).snapshot
    return MaterializeResult(
        metadata={
            "origin": found.origin,
            "places": found.places,
            "bytes": len(found.geojson),
            "snapshot": snapshot.snapshot if snapshot else "",
        }
    )
