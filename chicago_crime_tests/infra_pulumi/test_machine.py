"""The machine and its network: access to and from it, and the resources that outlive it."""

import pytest

from chicago_crime_tests.infra_pulumi.provisioned import Provisioned, provision


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


def test_only_iap_can_connect_and_only_to_ssh_and_the_web_pages(stack: Provisioned) -> None:
    rules = {rule.name: rule.inputs for rule in stack.of("Firewall")}
    assert set(rules) == {"network-from-iap", "network-within-spark"}
    rule = rules["network-from-iap"]
    assert rule["sourceRanges"] == ["35.235.240.0/20"]
    assert rule["allows"] == [{"protocol": "tcp", "ports": ["22", "3000", "8050"]}]
    assert rule["targetServiceAccounts"] == ["chicago-crime-prod-vm@a-project.iam.gserviceaccount.com"]


def test_only_the_machine_reaches_the_internet(stack: Provisioned) -> None:
    nat = stack.one("RouterNat").inputs
    assert nat["sourceSubnetworkIpRangesToNat"] == "LIST_OF_SUBNETWORKS"
    assert [each["name"].rpartition("/")[2] for each in nat["subnetworks"]] == ["chicago-crime-prod-machine"]
