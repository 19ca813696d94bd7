"""A program with one mistake in each resource, which is named after it. Pulumi's own mocks let all of them pass.

Those at the end are made without the provider's classes, which would see them."""

from typing import Any

import pulumi
from pulumi_gcp import compute, organizations, storage

OLD: Any = {"action": {"type": "Delete"}, "condition": {"age": 7}}
KIND = "gcp:storage/bucket:Bucket"


def bucket(mistake: str, **inputs: Any) -> None:
    """A bucket that is right but for what is given."""
    storage.Bucket(mistake, **{"location": "us-central1", **inputs})


bucket("nothing", labels={"a": "b"}, versioning={"enabled": True}, lifecycle_rules=[OLD])
bucket("unknown-nested", versioning={"enable": True})
bucket("unknown-nested-in-list", lifecycle_rules=[{"action": {"type": "Delete"}, "condition": {"agee": 7}}])
bucket("wire-name-in-python", lifecycle_rules=[{"action": {"type": "Delete"}, "condition": {"matches_prefix": ["a"]}}])
bucket("missing-nested", lifecycle_rules=[{"condition": {"age": 7}}])
bucket("text-for-number", lifecycle_rules=[{"action": {"type": "Delete"}, "condition": {"age": "7"}}])
bucket("fraction-for-whole", soft_delete_policy={"retention_duration_seconds": 0.5})
bucket("number-for-text", storage_class=7)
bucket("text-for-bool", uniform_bucket_level_access="true")
bucket("number-in-map", labels={"a": 1})
bucket("value-not-listed", public_access_prevention="enforce")
bucket("value-not-listed-nested", lifecycle_rules=[{**OLD, "action": {"type": "delete"}}])
pulumi.CustomResource(KIND, "unknown-top", {"location": "us-central1", "colour": "red"})
pulumi.CustomResource(KIND, "missing-top", {"labels": {"a": "b"}})
pulumi.CustomResource(KIND, "object-for-list", {"location": "us-central1", "lifecycleRules": {"action": {}}})
pulumi.CustomResource(KIND, "text-for-map", {"location": "us-central1", "labels": "a=b"})
pulumi.CustomResource(KIND, "list-for-object", {"location": "us-central1", "versioning": [{"enabled": True}]})
pulumi.CustomResource("gcp:storage/bukket:Bukket", "no-such-type", {"location": "us-central1"})
pulumi.CustomResource("aws:s3/bucket:Bucket", "other-package", {"location": "us-central1"})
compute.Instance(
    "deeply-nested",
    machine_type="e2-medium",
    zone="us-central1-b",
    boot_disk={"initialize_params": {"image": "debian-12", "labels": {"a": "b"}, "sizes": 10}},
    network_interfaces=[{"network": "default", "nic_type": "GOLD"}],
)
organizations.get_project_output(project_id="a-project")
