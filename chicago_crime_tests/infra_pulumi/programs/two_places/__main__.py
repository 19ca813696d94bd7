"""A program whose bucket and dataset are in two places; all else is as the policy pack wants it."""

from pulumi_gcp import bigquery, storage

LABELS = {"platform": "chicago-crime", "environment": "dev", "managed-by": "pulumi"}

storage.Bucket(
    "bucket",
    location="US-CENTRAL1",
    labels=LABELS,
    uniform_bucket_level_access=True,
    public_access_prevention="enforced",
    versioning={"enabled": True},
)
bigquery.Dataset("dataset", dataset_id="crimes", location="EU", labels=LABELS)
