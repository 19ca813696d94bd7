"""The lake: one bucket for each year's object, what is quarantined, and the files of Spark jobs.

Here belongs the bucket and how long its objects stay. Who may use it is in `access.py`.
"""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import storage

from components.part import Part
from config import Config

PASSING = ["staging/", "google-cloud-dataproc-metainfo/"]
"""Prefixes of what runs and Dataproc leave behind when they are cut short. What is below `jobs/`, `crimes/` and
`quarantine/` stays: programs by their content's checksum, the years, and the lines that were no rows."""

PASSING_DAYS = 7
REPLACED_DAYS = 90
"""So long a replaced version of a year is kept, however many newer ones there are."""

REPLACED_KEPT = 3
"""So many replaced versions of an object are kept, however old."""

SOFT_DELETE_DAYS = 7


class Lake(Part):
    """The bucket.

    Attributes:
        bucket: it.
    """

    def __init__(self, name: str, config: Config, after: Sequence[pulumi.Resource]):
        super().__init__(name, after)
        self.bucket = storage.Bucket(
            f"{name}-bucket",
            project=config.project,
            name=config.bucket,
            location=config.region,
            storage_class="STANDARD",
            labels=config.labels,
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning={"enabled": True},
            soft_delete_policy={"retention_duration_seconds": SOFT_DELETE_DAYS * 24 * 3600},
            lifecycle_rules=[
                {
                    "action": {"type": "Delete"},
                    "condition": {"age": PASSING_DAYS, "matches_prefixes": PASSING, "with_state": "LIVE"},
                },
                {
                    # A run deletes its staging itself; as a version it would stay, and be paid for.
                    "action": {"type": "Delete"},
                    "condition": {
                        "days_since_noncurrent_time": 1,
                        "matches_prefixes": PASSING,
                        "with_state": "ARCHIVED",
                    },
                },
                {
                    "action": {"type": "Delete"},
                    "condition": {
                        "days_since_noncurrent_time": REPLACED_DAYS,
                        "num_newer_versions": REPLACED_KEPT,
                        "with_state": "ARCHIVED",
                    },
                },
                {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": PASSING_DAYS}},
            ],
            force_destroy=not config.keep_data,
            opts=self.ours(pulumi.ResourceOptions(protect=config.keep_data)),
        )
        self.register_outputs({"bucket": self.bucket.name})
