"""What is there only when it is asked for: a token, people, GitHub's workflows, a budget."""

from pathlib import Path
from typing import Any

import yaml

from chicago_crime_tests.infra_pulumi.provisioned import NUMBER, PROGRAM, as_json, provision

TOKEN = "KGAT_a_token"
MEMBERS = '["user:someone@example.com", "group:team@example.com"]'


def test_by_default_there_is_none_of_it() -> None:
    provisioned = provision()
    for kind in ("SecretVersion", "TunnelInstanceIAMMember", "InstanceIAMMember", "Budget"):
        assert provisioned.of(kind) == []
    assert [each.urn for each in provisioned.google if "workloadIdentity" in each.type] == []
    assert "github_provider" not in provisioned.outputs
    services = {each.inputs["service"] for each in provisioned.of("Service")}
    assert not services & {"sts.googleapis.com", "iamcredentials.googleapis.com", "billingbudgets.googleapis.com"}


def test_the_secret_is_there_without_a_token() -> None:
    assert provision().one("Secret").inputs["secretId"] == "chicago-crime-prod-kaggle-token"


def test_a_token_is_a_secret_everywhere_and_nowhere_but_in_its_place() -> None:
    provisioned = provision({"kaggleToken": TOKEN})
    version = provisioned.one("SecretVersion")
    holders = [each.name for each in provisioned.resources if TOKEN in as_json(each.inputs)]
    assert holders == [version.name]
    sent = version.request.object.fields["secretData"].struct_value.fields
    assert "4dabf18193072939515e22adb298388d" in sent, "Pulumi's mark of a secret, which its engine encrypts"
    assert TOKEN not in as_json(provisioned.outputs)


def test_people_get_in_by_iap_on_this_machine_only() -> None:
    provisioned = provision({"operators": MEMBERS})
    theirs = [each for each in provisioned.google if each.inputs.get("member", "").startswith(("user:", "group:"))]
    found = sorted((each.inputs["role"], each.inputs["member"]) for each in theirs)
    roles = ("roles/compute.osLogin", "roles/iam.serviceAccountUser", "roles/iap.tunnelResourceAccessor")
    assert found == [(role, who) for role in roles for who in ("group:team@example.com", "user:someone@example.com")]
    assert {each.type.split("/")[0] for each in theirs} == {"gcp:compute", "gcp:iap", "gcp:serviceaccount"}
    for each in theirs:
        where = each.inputs.get("instance") or each.inputs.get("instanceName") or each.inputs.get("serviceAccountId")
        assert where in (
            "chicago-crime-prod",
            "projects/a-project/serviceAccounts/chicago-crime-prod-vm@a-project.iam.gserviceaccount.com",
        )


def test_only_the_one_repositorys_workflows_sign_in_and_only_its_tags_publish() -> None:
    provisioned = provision({"githubRepository": "an-owner/a-name"})
    trusted = provisioned.one("WorkloadIdentityPoolProvider").inputs
    assert trusted["oidc"] == {"issuerUri": "https://token.actions.githubusercontent.com"}
    assert trusted["attributeCondition"] == "assertion.repository == 'an-owner/a-name'"
    pool = f"projects/{NUMBER}/locations/global/workloadIdentityPools/chicago-crime-prod-github"
    grants = [each.inputs for each in provisioned.google if "principal" in each.inputs.get("member", "")]
    assert [(each["role"], each["member"]) for each in grants] == [
        ("roles/artifactregistry.writer", f"principalSet://iam.googleapis.com/{pool}/attribute.ref_type/tag")
    ]
    assert trusted["attributeMapping"]["attribute.ref_type"] == "assertion.ref_type"
    assert provisioned.outputs["github_provider"] == f"{pool}/providers/actions"
    services = {each.inputs["service"] for each in provisioned.of("Service")}
    assert {"sts.googleapis.com", "iamcredentials.googleapis.com"} <= services


def test_a_budget_is_of_this_project_only() -> None:
    provisioned = provision({"billingAccount": "012345-6789AB-CDEF01", "monthlyBudget": "75"})
    budget = provisioned.one("Budget")
    assert budget.inputs["budgetFilter"]["projects"] == [f"projects/{NUMBER}"]
    assert budget.inputs["amount"] == {"specifiedAmount": {"units": "75"}}
    assert max(rule["thresholdPercent"] for rule in budget.inputs["thresholdRules"]) == 1.0
    assert "budget-provider" in budget.request.provider


def of_stack(name: str) -> dict[str, Any]:
    content = yaml.safe_load((PROGRAM / f"Pulumi.{name}.yaml").read_text())["config"]
    return {key.removeprefix("chicago-crime:"): str(value).lower() for key, value in content.items()}


def test_the_stacks_that_come_with_it_need_a_project_and_no_more() -> None:
    files = sorted(Path(PROGRAM).glob("Pulumi.*.yaml"))
    assert [file.name for file in files] == ["Pulumi.dev.yaml", "Pulumi.prod.yaml"]
    dev, prod = provision(of_stack("dev"), "dev"), provision(of_stack("prod"), "prod")
    assert not any(each.is_protected for each in dev.google)
    assert prod.one("Bucket").is_protected
    names = [{as_json(each.inputs.get("name")) for each in stack.google} - {"null"} for stack in (dev, prod)]
    assert names[0].isdisjoint(names[1]), "so both can be in one project"
    assert dev.one("Dataset").inputs["datasetId"] != prod.one("Dataset").inputs["datasetId"]
