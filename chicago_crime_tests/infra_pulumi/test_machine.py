"""The machine and its network: who reaches it, whom it reaches, and what outlives it."""

import ipaddress

import pytest

from chicago_crime_tests.infra_pulumi.provisioned import Declared, Provisioned, provision


def instance(**config: str) -> Declared:
    return provision(config).one("Instance")


def test_it_has_no_public_address_and_is_in_a_subnet_of_its_own() -> None:
    (interface,) = instance().inputs["networkInterfaces"]
    assert set(interface) == {"subnetwork"}
    assert interface["subnetwork"].endswith("/chicago-crime-prod-machine")


def test_it_is_shielded_and_logins_are_googles() -> None:
    inputs = instance().inputs
    assert set(inputs["shieldedInstanceConfig"].values()) == {True}
    assert len(inputs["shieldedInstanceConfig"]) == 3
    metadata = inputs["metadata"]
    assert (metadata["enable-oslogin"], metadata["block-project-ssh-keys"]) == ("TRUE", "TRUE")
    assert metadata["serial-port-enable"] == "FALSE"
    assert not {"ssh-keys", "sshKeys", "startup-script"} & set(metadata)


def test_it_works_as_its_own_account() -> None:
    account = instance().inputs["serviceAccount"]
    assert account["email"] == "chicago-crime-prod-vm@a-project.iam.gserviceaccount.com"


def test_it_can_be_replaced_and_its_disk_stays() -> None:
    provisioned = provision({"keepData": "false"})
    machine, disk = provisioned.one("Instance"), provisioned.one("Disk")
    assert machine.inputs["bootDisk"]["autoDelete"] is True
    assert [each["source"] for each in machine.inputs["attachedDisks"]] == [f"{disk.name}-id"]
    assert disk.inputs["zone"] == machine.inputs["zone"]
    assert machine.urn not in {*disk.request.dependencies, *disk.request.replace_with}


def test_one_that_shall_start_differently_is_another_and_the_old_one_goes_first() -> None:
    request = instance().request
    assert list(request.replaceOnChanges) == ['metadata["user-data"]']
    assert (request.deleteBeforeReplace, request.deleteBeforeReplaceDefined) == (True, True)


def test_another_image_makes_it_start_differently() -> None:
    one, other = (instance(imageTag=tag).inputs["metadata"]["user-data"] for tag in ("v1", "v2"))
    assert "us-central1-docker.pkg.dev/a-project/chicago-crime-prod/chicago-crime:v1" in one
    assert one.replace("chicago-crime:v1", "chicago-crime:v2") == other


def test_the_disk_is_copied_every_day() -> None:
    provisioned = provision({"snapshotDays": "5"})
    policy = provisioned.one("ResourcePolicy").inputs
    assert policy["snapshotSchedulePolicy"]["schedule"]["dailySchedule"]["daysInCycle"] == 1
    assert policy["snapshotSchedulePolicy"]["retentionPolicy"]["maxRetentionDays"] == 5
    assert policy["snapshotSchedulePolicy"]["snapshotProperties"]["labels"]["platform"] == "chicago-crime"
    attached = provisioned.one("DiskResourcePolicyAttachment").inputs
    assert (attached["disk"], attached["name"]) == (provisioned.one("Disk").inputs["name"], policy["name"])


@pytest.fixture(scope="module")
def provisioned() -> Provisioned:
    return provision()


def test_only_iap_reaches_it_and_only_ssh_and_the_web_pages(provisioned: Provisioned) -> None:
    rules = {rule.name: rule.inputs for rule in provisioned.of("Firewall")}
    assert set(rules) == {"network-from-iap", "network-within-spark"}
    rule = rules["network-from-iap"]
    assert rule["sourceRanges"] == ["35.235.240.0/20"]
    assert rule["allows"] == [{"protocol": "tcp", "ports": ["22", "3000", "8050"]}]
    assert rule["targetServiceAccounts"] == ["chicago-crime-prod-vm@a-project.iam.gserviceaccount.com"]


def test_sparks_machines_reach_each_other_and_not_it(provisioned: Provisioned) -> None:
    spark, machine = (
        provisioned.one("Subnetwork", name).inputs["ipCidrRange"] for name in ("network-spark", "network-machine")
    )
    rule = provisioned.one("Firewall", "within-spark").inputs
    assert rule["sourceRanges"] == rule["destinationRanges"] == [spark]
    assert not ipaddress.ip_network(spark).overlaps(ipaddress.ip_network(machine))
    assert ipaddress.ip_network(spark).is_private
    assert ipaddress.ip_network(machine).is_private


def test_every_rule_is_of_our_own_network(provisioned: Provisioned) -> None:
    network = provisioned.one("Network")
    assert network.inputs["autoCreateSubnetworks"] is False
    for each in [*provisioned.of("Firewall"), *provisioned.of("Subnetwork"), *provisioned.of("Router")]:
        assert each.inputs["network"] == f"{network.name}-id"


def test_google_is_reached_without_a_public_address(provisioned: Provisioned) -> None:
    assert [each.inputs["privateIpGoogleAccess"] for each in provisioned.of("Subnetwork")] == [True, True]


def test_the_way_into_the_internet_is_the_machines_only(provisioned: Provisioned) -> None:
    nat = provisioned.one("RouterNat").inputs
    assert nat["sourceSubnetworkIpRangesToNat"] == "LIST_OF_SUBNETWORKS"
    assert [each["name"].rpartition("/")[2] for each in nat["subnetworks"]] == ["chicago-crime-prod-machine"]


def test_there_is_no_way_into_the_internet_where_none_is_wanted() -> None:
    without = provision({"nat": "false", "source": "sample"})
    assert without.of("RouterNat") == without.of("Router") == []
