"""The roles that are given are those of the platform's own table, each on what the table says."""

import pytest

from chicago_crime.settings import load_settings
from chicago_crime.storage.google.permissions import MAKE_DATASET, grants_for
from chicago_crime_tests.infra_pulumi.provisioned import Declared, provision

PLACES = {
    "gcp:projects/iAMMember:IAMMember": "project",
    "gcp:storage/bucketIAMMember:BucketIAMMember": "bucket",
    "gcp:bigquery/datasetIamMember:DatasetIamMember": "dataset",
    "gcp:serviceaccount/iAMMember:IAMMember": "account",
    "gcp:secretmanager/secretIamMember:SecretIamMember": "secret",
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": "registry",
}
MACHINES_OWN = {("roles/artifactregistry.reader", "registry", "platform")}
"""What the machine needs and the platform itself does not: to get its image."""


def who(grant: Declared) -> str:
    names = {"vm": "platform", "spark": "machines"}
    account = grant.inputs["member"].removeprefix("serviceAccount:").partition("@")[0]
    return names[account.rpartition("-")[2]]


@pytest.mark.parametrize("mode", ["cluster", "serverless"])
def test_they_are_what_the_platform_needs_and_no_more(mode: str) -> None:
    provisioned = provision({"dataprocMode": mode})
    overrides = {name.removeprefix("CHICAGO_CRIME_").lower(): value for name, value in settings_of(provisioned.outputs)}
    needed = {
        (grant.role, grant.on, grant.to)
        for grant in grants_for(load_settings(**overrides))
        if grant is not MAKE_DATASET  # the dataset is there
    }
    given = [
        (each.inputs["role"], PLACES[each.type], who(each)) for each in provisioned.google if "role" in each.inputs
    ]
    assert sorted(given) == sorted(needed | MACHINES_OWN)


def settings_of(outputs: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in outputs.items() if name.startswith("CHICAGO_CRIME_")]


def test_each_is_given_on_what_the_stack_has_made() -> None:
    on = {PLACES[each.type]: each.inputs for each in provision().google if "role" in each.inputs}
    assert on["bucket"]["bucket"] == "a-project-chicago-crime-prod"
    assert on["dataset"]["datasetId"] == "chicago_crime"
    assert on["account"]["serviceAccountId"].endswith("/chicago-crime-prod-spark@a-project.iam.gserviceaccount.com")
    assert on["secret"]["secretId"] == "chicago-crime-prod-kaggle-token"
    assert on["registry"]["repository"] == "chicago-crime-prod"
    assert on["project"]["project"] == "a-project"


def test_two_stacks_in_one_project_have_accounts_of_their_own() -> None:
    accounts = [
        {each.inputs["accountId"] for each in provision(stack=stack).of("Account")} for stack in ("dev", "prod")
    ]
    assert accounts[0].isdisjoint(accounts[1])
    assert all(6 <= len(name) <= 30 for names in accounts for name in names)


def test_the_longest_stacks_accounts_have_names_that_google_takes() -> None:
    assert all(len(each.inputs["accountId"]) <= 30 for each in provision(stack="a" * 10).of("Account"))
