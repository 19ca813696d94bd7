"""The bucket keeps the years and what is quarantined, and forgets what passes; so do dataset and registry."""

from datetime import timedelta
from typing import Any

import pytest

from chicago_crime_tests.infra_pulumi.provisioned import provision

BUCKET = provision().one("Bucket").inputs


def days_kept(key: str, days_since_replaced: int | None = None, newer: int = 0) -> float:
    """After how many days Google deletes an object, by the rules as Google reads them: all conditions of one hold."""
    ends = [float("inf")]
    for rule in BUCKET["lifecycleRules"]:
        condition: dict[str, Any] = rule["condition"]
        if rule["action"]["type"] != "Delete":
            continue
        if not any(key.startswith(prefix) for prefix in condition.get("matchesPrefixes", [""])):
            continue
        is_live = days_since_replaced is None
        if condition["withState"] != ("LIVE" if is_live else "ARCHIVED"):
            continue
        if newer >= condition.get("numNewerVersions", 0):
            ends.append(condition["age"] if is_live else condition["daysSinceNoncurrentTime"])
    return min(ends)


@pytest.mark.parametrize(
    "key",
    ["crimes/2016.csv", "quarantine/2016.csv", "jobs/0123456789abcdef/enrich_crimes.py", "jobs/staging/x", "raw/x"],
)
def test_what_is_kept_is_kept(key: str) -> None:
    assert days_kept(key) == float("inf")


@pytest.mark.parametrize("key", ["staging/run/input/part.parquet", "google-cloud-dataproc-metainfo/id/driveroutput.0"])
def test_what_passes_is_gone_after_a_week_and_leaves_no_version_for_long(key: str) -> None:
    assert days_kept(key) == 7
    assert days_kept(key, days_since_replaced=1) == 1


@pytest.mark.parametrize("key", ["crimes/2016.csv", "quarantine/2016.csv"])
def test_the_last_replaced_versions_of_a_year_are_kept_and_older_ones_for_a_quarter(key: str) -> None:
    assert days_kept(key, days_since_replaced=0, newer=1) == float("inf")
    assert days_kept(key, days_since_replaced=0, newer=2) == float("inf")
    assert days_kept(key, days_since_replaced=0, newer=3) == 90


def test_a_deleted_object_can_be_brought_back() -> None:
    assert BUCKET["versioning"] == {"enabled": True}
    assert timedelta(seconds=BUCKET["softDeletePolicy"]["retentionDurationSeconds"]) == timedelta(days=7)


def test_the_bucket_cannot_be_made_public() -> None:
    assert BUCKET["uniformBucketLevelAccess"] is True
    assert BUCKET["publicAccessPrevention"] == "enforced"


def test_bucket_and_dataset_are_in_one_place() -> None:
    provisioned = provision({"gcp:region": "europe-west4"})
    assert provisioned.one("Bucket").inputs["location"] == provisioned.one("Dataset").inputs["location"]
    assert provisioned.one("Dataset").inputs["location"] == "europe-west4"


def test_no_table_expires() -> None:
    dataset = provision().one("Dataset").inputs
    assert not [key for key in dataset if "Expiration" in key]


def test_the_registry_forgets_no_image_that_has_a_tag() -> None:
    policies = provision().one("Repository").inputs["cleanupPolicies"]
    deleting = [policy["condition"] for policy in policies if policy["action"] == "DELETE"]
    assert deleting == [{"tagState": "UNTAGGED", "olderThan": "1209600s"}]
    assert provision().one("Repository").inputs["cleanupPolicyDryRun"] is False
