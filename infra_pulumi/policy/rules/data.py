"""What holds data.

Here belong rules on buckets, datasets and disks: that they are closed, kept, and in one place.
"""

from pulumi_policy import (
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    StackValidationArgs,
    StackValidationPolicy,
)

from rules.looking import UNKNOWN, Problems, at, rule

BUCKET = "gcp:storage/bucket:Bucket"
DATASET = "gcp:bigquery/dataset:Dataset"
DISK = "gcp:compute/disk:Disk"
EMPTIES = {BUCKET: "forceDestroy", DATASET: "deleteContentsOnDestroy"}


def _closed(args: ResourceValidationArgs) -> Problems:
    if at(args.props, "uniformBucketLevelAccess") not in (True, UNKNOWN):
        yield "single objects can be opened to others; set uniformBucketLevelAccess to true"
    if at(args.props, "publicAccessPrevention") not in ("enforced", UNKNOWN):
        yield "it can be opened to everybody; set publicAccessPrevention to enforced"


def _versioned(args: ResourceValidationArgs) -> Problems:
    if at(args.props, "versioning", "enabled") not in (True, UNKNOWN):
        yield "what is overwritten is gone; set versioning.enabled to true"


def _protected(args: ResourceValidationArgs) -> Problems:
    environment = at(args.props, "labels", "environment")
    kept = args.get_config().get("environments", ["prod"])
    if environment not in kept:
        return
    if not args.opts.protect:
        yield f"it holds data of {environment} and is not protected; set keepData to true, or protect"
    empties = EMPTIES.get(args.resource_type, "")
    if at(args.props, empties) is True:
        yield f"it holds data of {environment} and is deleted with them; set keepData to true, or {empties} to false"


def _one_place(args: StackValidationArgs, report: ReportViolation) -> None:
    places: dict[str, list[str]] = {}
    for resource in args.resources:
        location = at(resource.props, "location")
        if resource.resource_type in EMPTIES and isinstance(location, str):
            places.setdefault(location.lower(), []).append(resource.name)
    if len(places) > 1:
        listed = "; ".join(f"{', '.join(sorted(names))} in {place}" for place, names in sorted(places.items()))
        report(f"BigQuery loads only from a bucket in its dataset's location: {listed}", None)


RULES = [
    rule("buckets-are-closed", "No bucket, and no object in it, can be opened to the public.", _closed, [BUCKET]),
    rule("buckets-are-versioned", "What is overwritten in a bucket can be had back.", _versioned, [BUCKET]),
    rule(
        "data-is-protected",
        "Buckets, datasets and disks whose label `environment` is one of these are protected, and not emptied.",
        _protected,
        [BUCKET, DATASET, DISK],
        config_schema=PolicyConfigSchema(
            properties={
                "environments": {"type": "array", "items": {"type": "string"}, "default": ["prod"]},
            }
        ),
    ),
    StackValidationPolicy(
        name="data-is-in-one-place",
        description="Buckets and datasets of a stack are in one location.",
        validate=_one_place,
    ),
]
