"""Data storage: the buckets, the BigQuery dataset, and secrets.

The platform creates the tables, so `pulumi up` can never drop or change one.
"""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import bigquery, secretmanager, storage

from components.part import Part
from config import Config

STAGING_DAYS = 2
"""Longer than any run takes."""

NONCURRENT_DAYS = 90
NONCURRENT_KEPT = 3
"""Replaced versions of a year are kept for 90 days, and the last 3 forever, except for published files."""


class Lake(Part):
    """The bucket for years, quarantined lines and published snapshots, and the staging bucket for runs.

    The staging bucket keeps no deleted files, and no file for longer than two days, so the files of Spark jobs are
    billed only while they are used.
    """

    def __init__(self, name: str, config: Config, after: Sequence[pulumi.Resource]):
        super().__init__(name, config, after)
        self.bucket = storage.Bucket(
            f"{name}-bucket",
            name=config.bucket,
            location=config.region,
            labels=config.labels,
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning={"enabled": True},
            lifecycle_rules=[
                {
                    "action": {"type": "Delete"},
                    "condition": {
                        "days_since_noncurrent_time": NONCURRENT_DAYS,
                        "num_newer_versions": NONCURRENT_KEPT + 1,  # Google counts the live version
                        "with_state": "ARCHIVED",
                    },
                },
                {  # published files are deleted but never replaced, so they have no newer versions
                    "action": {"type": "Delete"},
                    "condition": {
                        "days_since_noncurrent_time": NONCURRENT_DAYS,
                        "matches_prefixes": ["published/"],
                        "with_state": "ARCHIVED",
                    },
                },
            ],
            force_destroy=not config.keep_data,
            opts=self.options(protect=config.keep_data),
        )
        self.staging = storage.Bucket(
            f"{name}-staging",
            name=f"{config.bucket}-staging",
            location=config.region,
            labels=config.labels,
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            soft_delete_policy={"retention_duration_seconds": 0},
            lifecycle_rules=[{"action": {"type": "Delete"}, "condition": {"age": STAGING_DAYS}}],
            force_destroy=True,
            opts=self.options(),
        )
        self.register_outputs({})


class Site(Part):
    """The bucket of the static site, which is public if `publicSite` is set.

    The site can be rebuilt from the published snapshot, so nothing in the bucket is kept or protected.
    """

    def __init__(self, name: str, config: Config, after: Sequence[pulumi.Resource]):
        super().__init__(name, config, after)
        self.bucket = storage.Bucket(
            f"{name}-site",
            name=f"{config.bucket}-site",
            location=config.region,
            labels=config.labels,
            uniform_bucket_level_access=True,
            public_access_prevention="inherited" if config.public_site else "enforced",
            soft_delete_policy={"retention_duration_seconds": 0},
            force_destroy=True,
            opts=self.options(),
        )
        if config.public_site:
            storage.BucketIAMMember(
                f"{name}-everybody",
                bucket=self.bucket.name,
                role="roles/storage.objectViewer",
                member="allUsers",
                opts=self.options(),
            )
        self.register_outputs({})


class Warehouse(Part):
    """The dataset."""

    def __init__(self, name: str, config: Config, after: Sequence[pulumi.Resource]):
        super().__init__(name, config, after)
        self.dataset = bigquery.Dataset(
            f"{name}-dataset",
            dataset_id=config.dataset,
            friendly_name="Chicago crime",
            description="Chicago's reported crimes since 2001. The platform creates the tables.",
            location=config.region,  # the bucket's: loads and exports need both in one location
            labels=config.labels,
            delete_contents_on_destroy=not config.keep_data,
            opts=self.options(protect=config.keep_data),
        )
        self.register_outputs({})


class StoredSecret(Part):
    """A secret in Secret Manager, with a value only if the configuration has one.

    Attributes:
        version: the name of the value's version; empty without a value.
    """

    def __init__(
        self, name: str, config: Config, what: str, value: pulumi.Output[str] | None, after: Sequence[pulumi.Resource]
    ):
        super().__init__(name, config, after)
        self.version: pulumi.Input[str] = ""
        self.secret = secretmanager.Secret(
            f"{name}-secret",
            secret_id=config.named(what),
            replication={"user_managed": {"replicas": [{"location": config.region}]}},
            labels=config.labels,
            opts=self.options(),
        )
        if value is not None:
            self.version = secretmanager.SecretVersion(
                f"{name}-value",
                secret=self.secret.id,
                secret_data=value,
                opts=self.options(additional_secret_outputs=["secretData"]),
            ).name
        self.register_outputs({})
