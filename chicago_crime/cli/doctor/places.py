"""What the doctor looks at of places on Google Cloud: the bucket, and whether everything is in one region.

Here belongs where things are. What else is looked at there is in `doctor_gcp.py`.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chicago_crime.cli.doctor.examine import Finding
from chicago_crime.settings import PREFIX
from chicago_crime.storage.google import permissions as may
from chicago_crime.storage.google.permissions import as_command, granting

if TYPE_CHECKING:
    from chicago_crime.cli.doctor.google import Looks


def look_at_bucket(looks: "Looks") -> Iterator[Finding]:
    """Look whether the bucket is there, and what we may do in it."""
    what, answer, tested = f"bucket {looks.settings.gcs_bucket}", looks.answers["bucket"], looks.answers["objects"]
    if answer.status == 404 or tested.status == 404:
        yield Finding(what, "broken", "there is none", _creating(looks, str(looks.settings.gcs_bucket)))
    elif tested.is_good:
        yield looks.held(what, may.OBJECTS, tested.permissions)
        if not answer.is_good:
            fix = granting(may.LOOK_AT_BUCKET, looks.settings, looks.member)
            yield Finding(f"{what}: place", "warning", f"not known where it is: {answer.message}", fix)
    else:
        yield from looks.judged(what, tested, may.OBJECTS)


def _creating(looks: "Looks", bucket: str) -> str:
    project, place = f"--project={looks.settings.gcp_project}", f"--location={looks.settings.gcp_region}"
    create = ("gcloud", "storage", "buckets", "create", f"gs://{bucket}")
    return as_command(*create, project, place, "--uniform-bucket-level-access")


def look_at_places(looks: "Looks") -> Iterator[Finding]:
    """Look whether bucket, dataset and machines are in one region: between two, loads are refused or cost."""
    region = looks.settings.gcp_region
    found = {what: str(looks.answers[what].content.get("location", "")).lower() for what in ("bucket", "dataset")}
    found = {what: place for what, place in found.items() if place}
    told = ", ".join([*(f"{what} in {place}" for what, place in found.items()), f"machines in {region}"])
    places = set(found.values())
    if places <= {region}:
        yield Finding("places", "ok", told)
        return
    if len(places) == 1 and "-" in min(places):  # a region, in which all that there is lies
        fix = f"export {PREFIX}GCP_REGION={min(places)}"
    elif found.get("bucket", region) != region:
        fresh = f"{looks.settings.gcs_bucket}-{region}"
        fix = f"{_creating(looks, fresh)} && export {PREFIX}GCS_BUCKET={fresh}"
    else:
        fix = f"export {PREFIX}BIGQUERY_DATASET={looks.settings.bigquery_dataset}_{region.replace('-', '_')}"
    yield Finding("places", "broken", f"not one region: {told}", fix)
