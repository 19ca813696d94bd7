"""Roles of the platform's accounts, of operators, and of one GitHub repository."""

import pytest

from chicago_crime.settings import PREFIX, load_settings
from chicago_crime.storage.google.permissions import MAKE_DATASET, grants_for
from chicago_crime_tests.infra_pulumi.provisioned import EVERYTHING, NUMBER, Declared, provision

PLACES = {
    "gcp:projects/iAMMember:IAMMember": "project",
    "gcp:storage/bucketIAMMember:BucketIAMMember": "bucket",
    "gcp:bigquery/datasetIamMember:DatasetIamMember": "dataset",
    "gcp:serviceaccount/iAMMember:IAMMember": "account",
    "gcp:secretmanager/secretIamMember:SecretIamMember": "secret",
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": "registry",
}
FOR_THE_MACHINE = {
    ("roles/artifactregistry.reader", "registry", "platform"),
    ("roles/secretmanager.secretAccessor", "settings", "platform"),
}
"""Roles only the machine needs, to pull its image and read secret settings."""


def account(grant: Declared) -> str:
    email = grant.inputs["member"].removeprefix("serviceAccount:")
    return {"vm": "platform", "spark": "machines"}[email.partition("@")[0].rpartition("-")[2]]


def place(grant: Declared) -> str:
    last = (grant.inputs.get("bucket") or grant.inputs.get("secretId", "")).rpartition("-")[2]
    return last if last in ("staging", "site", "settings") else PLACES[grant.type]


@pytest.mark.parametrize("mode", ["cluster", "serverless"])
def test_the_accounts_have_exactly_the_roles_that_the_platform_needs(mode: str) -> None:
    provisioned = provision({"dataprocMode": mode})
    settings = [(name, value) for name, value in provisioned.outputs.items() if name.startswith(PREFIX)]
    outputs = {name.removeprefix(PREFIX).lower(): value for name, value in settings}
    needed = {
        (grant.role, grant.on, grant.to)
        for grant in grants_for(load_settings(**outputs))
        if grant is not MAKE_DATASET  # Pulumi creates the dataset
    }
    given = [(each.inputs["role"], place(each), account(each)) for each in provisioned.grants]
    assert sorted(given) == sorted(needed | FOR_THE_MACHINE)
    [used] = [each.inputs["serviceAccountId"] for each in provisioned.grants if place(each) == "account"]
    assert used.endswith("/chicago-crime-prod-spark@a-project.iam.gserviceaccount.com")


def test_operators_reach_this_machine_only_and_cannot_log_in() -> None:
    grants = [each for each in provision(EVERYTHING).grants if each.inputs["member"].startswith(("user:", "group:"))]
    roles, members = ("tunnel", "view"), ("group:team@example.com", "user:someone@example.com")
    # With numbers, removing one operator would shift the roles of the others and delete some.
    assert sorted(each.name for each in grants) == [f"machine-{role}-{member}" for role in roles for member in members]
    assert all(each.name.endswith(each.inputs["member"]) for each in grants)
    assert {each.inputs["role"] for each in grants} == {"roles/iap.tunnelResourceAccessor", "roles/compute.viewer"}
    on = [each.inputs.get("instance") or each.inputs.get("instanceName") for each in grants]
    assert on == ["chicago-crime-prod"] * 4


def test_only_workflows_of_one_repository_can_sign_in_and_only_its_tags_can_publish() -> None:
    provisioned = provision(EVERYTHING)
    trusted = provisioned.one("WorkloadIdentityPoolProvider").inputs
    assert trusted["oidc"] == {"issuerUri": "https://token.actions.githubusercontent.com"}
    name, number = "assertion.repository == 'an-owner/a-name'", "assertion.repository_id == '987654321'"
    assert trusted["attributeCondition"] == f"{name} && {number}"
    assert trusted["attributeMapping"]["attribute.ref_type"] == "assertion.ref_type"
    pool = f"projects/{NUMBER}/locations/global/workloadIdentityPools/chicago-crime-prod-github"
    federated = [each.inputs for each in provisioned.grants if "principal" in each.inputs["member"]]
    assert [(each["role"], each["member"]) for each in federated] == [
        ("roles/artifactregistry.writer", f"principalSet://iam.googleapis.com/{pool}/attribute.ref_type/tag")
    ]
    assert provisioned.outputs["github_provider"] == f"{pool}/providers/actions"
