"""How long bucket, dataset and registry keep what is in them."""

from typing import Any

import pytest

from chicago_crime_tests.infra_pulumi.provisioned import provision

FOR_EVER = float("inf")
STACK = provision()
BUCKET = STACK.one("Bucket", "-bucket").inputs


def days_kept(key: str, days_since_replaced: int | None = None, newer: int = 0) -> float:
    """After how many days Google deletes an object. A rule applies when all of its conditions hold."""
    ends = [FOR_EVER]
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


@pytest.mark.parametrize("key", ["crimes/2016.csv", "quarantine/2016.csv", "published/catalog.json", "raw/x"])
def test_data_and_programs_are_never_deleted(key: str) -> None:
    assert days_kept(key) == FOR_EVER


def test_files_of_runs_are_billed_as_long_as_they_are_used() -> None:
    staging = STACK.one("Bucket", "-staging").inputs
    assert staging["softDeletePolicy"] == {"retentionDurationSeconds": 0}
    assert staging["versioning"] == {"enabled": False}
    assert {"action": {"type": "Delete"}, "condition": {"age": 2}} in staging["lifecycleRules"]
    assert (staging["uniformBucketLevelAccess"], staging["publicAccessPrevention"]) == (True, "enforced")


def test_three_replaced_versions_of_a_year_are_kept_for_ever_and_older_ones_for_90_days() -> None:
    newer = [days_kept("crimes/2016.csv", days_since_replaced=0, newer=number) for number in (1, 2, 3)]
    assert newer == [FOR_EVER, FOR_EVER, 90]


def test_a_deleted_object_can_be_restored() -> None:
    assert BUCKET["versioning"] == {"enabled": True}
    assert BUCKET["softDeletePolicy"] == {"retentionDurationSeconds": 7 * 24 * 3600}


def test_the_bucket_cannot_be_made_public() -> None:
    assert (BUCKET["uniformBucketLevelAccess"], BUCKET["publicAccessPrevention"]) == (True, "enforced")


def test_bucket_and_dataset_are_in_one_location() -> None:
    stack = provision({"gcp:region": "europe-west4"})
    found = [*stack.of("Bucket"), stack.one("Dataset")]
    assert [each.inputs["location"] for each in found] == ["europe-west4"] * 4


def test_no_table_expires() -> None:
    assert [key for key in STACK.one("Dataset").inputs if "Expiration" in key] == []


def test_the_registry_deletes_untagged_images_only() -> None:
    registry = STACK.one("Repository").inputs
    deleted = [policy["condition"] for policy in registry["cleanupPolicies"] if policy["action"] == "DELETE"]
    assert deleted == [{"tagState": "UNTAGGED", "olderThan": "1209600s"}]
    assert registry["cleanupPolicyDryRun"] is False
