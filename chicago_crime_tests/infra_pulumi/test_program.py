"""What holds for everything that is provisioned, whatever is chosen."""

import re
from collections.abc import Iterator
from functools import cache

import pytest

from chicago_crime_tests.infra_pulumi.provisioned import PROGRAM, Declared, Provisioned, as_json, leaves, provision

CHOICES: dict[str, dict[str, str]] = {
    "by default": {},
    "a trial": {"keepData": "false", "source": "sample", "nat": "false"},
    "everything": {
        "kaggleToken": "KGAT_a_token",
        "source": "kaggle",
        "dataprocMode": "serverless",
        "operators": '["user:someone@example.com", "group:team@example.com"]',
        "githubRepository": "an-owner/a-name",
        "billingAccount": "012345-6789AB-CDEF01",
    },
}
DATA = {
    "gcp:storage/bucket:Bucket",
    "gcp:bigquery/dataset:Dataset",
    "gcp:compute/disk:Disk",
}
"""What holds data that nobody could make again at once."""

PRIMITIVE = {"roles/owner", "roles/editor", "roles/viewer"}


@cache
def with_choice(choice: str) -> Provisioned:
    return provision(CHOICES[choice], "dev" if choice == "a trial" else "prod")


@pytest.fixture(params=CHOICES)
def provisioned(request: pytest.FixtureRequest) -> Iterator[Provisioned]:
    yield with_choice(request.param)


def grants(provisioned: Provisioned) -> list[Declared]:
    return [each for each in provisioned.google if "role" in each.inputs]


def test_the_program_is_on_one_page() -> None:
    assert len((PROGRAM / "__main__.py").read_text().splitlines()) <= 40


def test_every_resource_is_part_of_a_component_that_is_part_of_the_stack(provisioned: Provisioned) -> None:
    components = {each.urn: each for each in provisioned.resources if each.is_component}
    for each in provisioned.google:
        assert each.parent in components, each.urn
        assert each.name.startswith(f"{components[each.parent].name}-"), each.name
    assert all(each.type.startswith("chicago-crime:google:") for each in components.values())
    assert {each.parent.split("::")[2] for each in components.values()} == {"pulumi:pulumi:Stack"}


def test_no_two_resources_have_one_address(provisioned: Provisioned) -> None:
    urns = [each.urn for each in provisioned.resources]
    assert sorted(set(urns)) == sorted(urns)


def test_nothing_is_open_to_everybody(provisioned: Provisioned) -> None:
    for each in provisioned.resources:
        for value in leaves(each.inputs):
            assert value not in ("allUsers", "allAuthenticatedUsers", "0.0.0.0/0", "::/0"), each.urn
            assert "/attribute.repository_owner" not in value, each.urn
        assert "accessConfigs" not in as_json(each.inputs), f"{each.urn} has a public address"


def test_no_account_has_a_key(provisioned: Provisioned) -> None:
    assert [each.urn for each in provisioned.google if re.search(r"key", each.type, re.IGNORECASE)] == []


def test_no_role_is_an_admins_or_a_primitive_one(provisioned: Provisioned) -> None:
    assert grants(provisioned)
    for each in grants(provisioned):
        role = each.inputs["role"]
        assert role not in PRIMITIVE, each.urn
        assert "admin" not in role.lower(), each.urn


def test_roles_are_added_and_never_replace_what_others_gave(provisioned: Provisioned) -> None:
    assert all(re.search(r"I(AM|am)Member$", each.type) for each in grants(provisioned))
    assert [each.urn for each in provisioned.google if re.search(r"I(AM|am)(Policy|Binding)$", each.type)] == []


def test_all_that_can_have_labels_has_them(provisioned: Provisioned) -> None:
    able = [each for each in provisioned.google if each.takes_labels]
    assert {"Bucket", "Dataset", "Disk", "Instance", "Repository", "Secret"} <= {
        each.type.rpartition(":")[2] for each in able
    }
    for each in able:
        assert each.inputs["labels"]["platform"] == "chicago-crime", each.urn
        assert each.inputs["labels"]["environment"] == each.urn.split("::")[0].removeprefix("urn:pulumi:"), each.urn


def test_pulumi_makes_no_table_and_no_object(provisioned: Provisioned) -> None:
    assert [each.urn for each in provisioned.google if re.search(r":(Table|Routine|BucketObject)$", each.type)] == []


def test_all_is_made_in_the_one_project_and_region(provisioned: Provisioned) -> None:
    for each in provisioned.google:
        for key in ("region", "location"):
            assert each.inputs.get(key, "us-central1") == "us-central1", each.urn
        assert each.inputs.get("project", "a-project") == "a-project", each.urn


@pytest.mark.parametrize(("keep", "stack"), [("true", "prod"), ("false", "dev")])
def test_data_are_protected_unless_they_shall_go_with_the_stack(keep: str, stack: str) -> None:
    provisioned = provision({"keepData": keep}, stack)
    is_kept = keep == "true"
    assert {each.type for each in provisioned.google if each.is_protected} == (DATA if is_kept else set())
    assert provisioned.one("Bucket").inputs["forceDestroy"] is not is_kept
    assert provisioned.one("Dataset").inputs["deleteContentsOnDestroy"] is not is_kept
    snapshots = provisioned.one("ResourcePolicy").inputs["snapshotSchedulePolicy"]["retentionPolicy"]
    assert snapshots["onSourceDiskDelete"] == ("KEEP_AUTO_SNAPSHOTS" if is_kept else "APPLY_RETENTION_POLICY")


def test_data_are_protected_by_default() -> None:
    assert {each.type for each in with_choice("by default").google if each.is_protected} == DATA


def test_nothing_is_asked_of_an_api_before_it_is_on(provisioned: Provisioned) -> None:
    services = {each.urn for each in provisioned.of("Service")}
    assert len(services) >= 10
    for each in provisioned.google:
        if each.urn not in services:
            assert services <= set(each.request.dependencies), each.urn


def test_the_machine_starts_when_it_may_do_all_that_it_needs(provisioned: Provisioned) -> None:
    roles = {each.urn for each in grants(provisioned) if each.parent.endswith("::access")}
    assert roles <= set(provisioned.one("Instance").request.dependencies)
