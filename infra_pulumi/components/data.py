"""Where data are stored: the bucket, the BigQuery dataset, and the secret for Kaggle's token.

There are no tables here: the platform creates them, so `pulumi up` can never drop or change one.
"""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import bigquery, secretmanager, storage

from components.part import Part
from config import Config

TEMPORARY = ["staging/", "google-cloud-dataproc-metainfo/"]
"""Prefixes of the objects that interrupted runs and Dataproc leave behind. Everything else is kept: `crimes/` (the
years), `quarantine/` (lines that could not be read) and `jobs/` (programs, by checksum)."""

TEMPORARY_DAYS = 7
NONCURRENT_DAYS = 90
NONCURRENT_KEPT = 3
"""A replaced version of a year is kept for 90 days, and the last 3 of them for ever."""

SOFT_DELETE_DAYS = 7


class Lake(Part):
    """The bucket for objects, quarantined lines, and the files of Spark jobs."""

    def __init__(self, name: str, config: Config, after: Sequence[pulumi.Resource]):
        super().__init__(name, config, after)
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
                    "condition": {"age": TEMPORARY_DAYS, "matches_prefixes": TEMPORARY, "with_state": "LIVE"},
                },
                {
                    # A run deletes its staged files, but versioning would keep them, and bill for them.
                    "action": {"type": "Delete"},
                    "condition": {
                        "days_since_noncurrent_time": 1,
                        "matches_prefixes": TEMPORARY,
                        "with_state": "ARCHIVED",
                    },
                },
                {
                    "action": {"type": "Delete"},
                    "condition": {
                        "days_since_noncurrent_time": NONCURRENT_DAYS,
                        "num_newer_versions": NONCURRENT_KEPT,
                        "with_state": "ARCHIVED",
                    },
                },
                {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": TEMPORARY_DAYS}},
            ],
            force_destroy=not config.keep_data,
            opts=self.options(protect=config.keep_data),
        )
        self.register_outputs({})


class Warehouse(Part):
    """The dataset."""

    def __init__(self, name: str, config: Config, after: Sequence[pulumi.Resource]):
        super().__init__(name, config, after)
        self.dataset = bigquery.Dataset(
            f"{name}-dataset",
            project=config.project,
            dataset_id=config.dataset,
            friendly_name="Chicago crime",
            description="Chicago's reported crimes since 2001. The platform creates the tables.",
            location=config.region,  # the bucket's: loads and exports need both in one location
            labels=config.labels,
            max_time_travel_hours="168",
            delete_contents_on_destroy=not config.keep_data,
            opts=self.options(protect=config.keep_data),
        )
        self.register_outputs({})


class KaggleSecret(Part):
    """Kaggle's API token in Secret Manager, without a value unless the configuration has one.

    A value can also be added by hand with `gcloud secrets versions add`.
    """

    def __init__(self, name: str, config: Config, after: Sequence[pulumi.Resource]):
        super().__init__(name, config, after)
        self.secret = secretmanager.Secret(
            f"{name}-secret",
            project=config.project,
            secret_id=config.named("kaggle-token"),
            replication={"user_managed": {"replicas": [{"location": config.region}]}},
            labels=config.labels,
            opts=self.options(),
        )
        if config.kaggle_token is not None:
            secretmanager.SecretVersion(
                f"{name}-token",
                secret=self.secret.id,
                secret_data=config.kaggle_token,
                opts=self.options(additional_secret_outputs=["secretData"]),
            )
        self.register_outputs({})
