"""Properties of all resources in every configuration, and of the machine and its network."""

import json
import re

import pytest

from chicago_crime_tests.infra_pulumi.provisioned import EVERYTHING, TOKEN, Provisioned, as_json, provision, stack_file

STACKS = {
    "dev": ("dev", stack_file("dev")),
    "prod": ("prod", stack_file("prod")),
    "dev with everything": ("dev", {**stack_file("dev"), **EVERYTHING}),
    "prod with everything": ("prod", {**stack_file("prod"), **EVERYTHING, "dataprocMode": "serverless"}),
}
DATA = {"gcp:storage/bucket:Bucket", "gcp:bigquery/dataset:Dataset", "gcp:compute/disk:Disk"}


def provisioned_by(case: str) -> Provisioned:
    stack, config = STACKS[case]
    return provision(config, stack)


@pytest.fixture(params=STACKS)
def provisioned(request: pytest.FixtureRequest) -> Provisioned:
    return provisioned_by(request.param)


def test_nothing_is_public_has_a_key_or_replaces_other_grants(provisioned: Provisioned) -> None:
    for each in provisioned.google:
        assert not re.search(r'"(allUsers|allAuthenticatedUsers|0\.0\.0\.0/0|::/0)"', as_json(each.inputs)), each.urn
        assert "ccessConfigs" not in as_json(each.inputs), f"{each.urn} has a public address"
        assert not re.search("key|IAM(Policy|Binding)$", each.type, re.IGNORECASE), each.urn


def test_public_site_makes_only_the_site_public() -> None:
    stack = provision({"publicSite": "true"})
    to_all = [each.inputs for each in stack.google if "allUsers" in as_json(each.inputs)]
    site = "a-project-chicago-crime-prod-site"
    assert [(one["bucket"], one["role"]) for one in to_all] == [(site, "roles/storage.objectViewer")]
    buckets = [one.inputs for one in stack.of("Bucket") if one.inputs["publicAccessPrevention"] != "enforced"]
    assert [one["name"] for one in buckets] == [site]


@pytest.mark.parametrize("kind", ["Bucket", "Dataset", "Disk", "Instance", "Repository", "Secret"])
def test_every_resource_that_supports_labels_has_them(kind: str) -> None:
    labels = {"platform": "chicago-crime", "environment": "prod", "managed-by": "pulumi"}
    found = provision(EVERYTHING).of(kind)
    assert found and all(each.inputs["labels"] == labels for each in found)


@pytest.mark.parametrize("is_kept", [True, False])
def test_kept_data_are_protected_and_other_data_are_destroyed_with_the_stack(is_kept: bool) -> None:
    provisioned = provisioned_by("prod" if is_kept else "dev")
    assert {each.type for each in provisioned.google if each.request.protect} == (DATA if is_kept else set())
    assert not is_kept or {each.type for each in provision().google if each.request.protect} == DATA, "the default"
    assert provisioned.one("Bucket", "-bucket").inputs["forceDestroy"] is not is_kept
    assert provisioned.one("Dataset").inputs["deleteContentsOnDestroy"] is not is_kept
    assert len(provisioned.of("ResourcePolicy")) == is_kept, "snapshots outlive the disk"


def test_the_bucket_is_private_and_deletes_only_replaced_versions() -> None:
    bucket = provision().one("Bucket", "-bucket").inputs
    assert (bucket["uniformBucketLevelAccess"], bucket["publicAccessPrevention"]) == (True, "enforced")
    assert bucket["versioning"] == {"enabled": True}
    deleted = [rule["condition"] for rule in bucket["lifecycleRules"] if rule["action"]["type"] == "Delete"]
    old = {"withState": "ARCHIVED", "daysSinceNoncurrentTime": 90}
    assert deleted == [old | {"numNewerVersions": 4}, old | {"matchesPrefixes": ["published/"]}]


def test_resources_wait_for_the_apis_and_the_machine_for_its_roles_and_the_internet(provisioned: Provisioned) -> None:
    apis = {each.urn for each in provisioned.of("Service")}
    assert len(apis) >= 10
    for each in provisioned.google:
        assert each.urn in apis or apis <= set(each.request.dependencies), each.urn
    roles = {each.urn for each in provisioned.grants if each.request.parent.endswith("::access")}
    nat = {each.urn for each in provisioned.of("RouterNat")}
    assert nat and roles | nat <= set(provisioned.one("Instance").request.dependencies)


def test_secrets_are_only_in_secret_manager_and_other_settings_on_the_machine() -> None:
    given = {"CHICAGO_CRIME_ALERTS": f"slack://{TOKEN} json://b", "CHICAGO_CRIME_DASHBOARD_HOSTS": "crime.example.org"}
    provisioned = provision({**EVERYTHING, "settings": json.dumps(given)}, secret_keys=["kaggleToken", "settings"])
    versions = provisioned.of("SecretVersion")
    assert [each.name for each in provisioned.google if TOKEN in as_json(each.inputs)] == [one.name for one in versions]
    assert {one.name: one.inputs["secretData"]["value"] for one in versions} == {
        "kaggle-value": TOKEN,
        "settings-value": f"CHICAGO_CRIME_ALERTS='slack://{TOKEN} json://b'\n",
    }
    user_data = provisioned.one("Instance").inputs["metadata"]["user-data"]
    assert "projects/a-project/secrets/chicago-crime-prod-settings/versions/1" in user_data
    assert provisioned.outputs["CHICAGO_CRIME_DASHBOARD_HOSTS"] == "crime.example.org"
    assert TOKEN not in as_json(provisioned.outputs)


@pytest.fixture(scope="module")
def stack() -> Provisioned:
    return provision({"snapshotDays": "5"})


def test_it_is_shielded_has_no_public_address_and_uses_os_login(stack: Provisioned) -> None:
    inputs = stack.one("Instance").inputs
    shield = {"enableSecureBoot": True, "enableVtpm": True, "enableIntegrityMonitoring": True}
    assert inputs["shieldedInstanceConfig"] == shield
    assert [set(each) for each in inputs["networkInterfaces"]] == [{"subnetwork"}], "no public address"
    login = {"enable-oslogin": "TRUE", "block-project-ssh-keys": "TRUE", "serial-port-enable": "FALSE"}
    assert inputs["metadata"].items() >= login.items()
    assert not {"ssh-keys", "sshKeys", "startup-script"} & set(inputs["metadata"])
    assert inputs["serviceAccount"]["email"] == "chicago-crime-prod-vm@a-project.iam.gserviceaccount.com"


def test_new_user_data_replaces_the_machine_after_the_old_one_is_deleted_and_its_disk_stays(stack: Provisioned) -> None:
    machine, disk = stack.one("Instance"), stack.one("Disk")
    assert machine.inputs["bootDisk"]["autoDelete"] is True
    assert [each["source"].rpartition("/")[2] for each in machine.inputs["attachedDisks"]] == [disk.inputs["name"]]
    assert disk.inputs["zone"] == machine.inputs["zone"]
    assert machine.urn not in {*disk.request.dependencies, *disk.request.replace_with}
    assert list(machine.request.replaceOnChanges) == ['metadata["user-data"]']
    assert (machine.request.deleteBeforeReplace, machine.request.deleteBeforeReplaceDefined) == (True, True)


def test_old_images_are_deleted_except_the_one_that_the_machine_pulls() -> None:
    policies = provision({"imageTag": "0123456789ab"}).one("Repository").inputs["cleanupPolicies"]
    deleted, *kept = [policy["condition"] for policy in policies if "condition" in policy]
    assert deleted["tagState"] == "ANY"  # each `make up` pushes a new tag, so few images become untagged
    assert kept == [{"tagState": "TAGGED", "tagPrefixes": ["0123456789ab"]}]


def test_only_iap_can_connect_and_only_the_machine_reaches_the_internet(stack: Provisioned) -> None:
    rules = {rule.name: rule.inputs for rule in stack.of("Firewall")}
    assert set(rules) == {"network-from-iap", "network-within-spark"}
    rule = rules["network-from-iap"]
    assert rule["sourceRanges"] == ["35.235.240.0/20"]
    assert rule["allows"] == [{"protocol": "tcp", "ports": ["22", "3000", "8050"]}]
    assert rule["targetServiceAccounts"] == ["chicago-crime-prod-vm@a-project.iam.gserviceaccount.com"]
    nat = stack.one("RouterNat").inputs
    assert nat["sourceSubnetworkIpRangesToNat"] == "LIST_OF_SUBNETWORKS"
    assert [each["name"].rpartition("/")[2] for each in nat["subnetworks"]] == ["chicago-crime-prod-machine"]
