"""The whole plan of the real program, which runs unmodified in its own process, as a preview and as an update."""

import re

import pytest

from chicago_crime_tests.infra_pulumi.plans import PROJECT, STACKS, TOKEN, plan
from chicago_crime_tests.servers.pulumi_check import faults
from chicago_crime_tests.servers.pulumi_plan import UNKNOWN, Plan, Resource, plain, values

CASES = [(case, preview) for case in STACKS for preview in (True, False)]
IDS = [f"{case}-{'preview' if preview else 'update'}" for case, preview in CASES]
FULL = "prod-all"

REFERENCES = {
    ("BucketIAMMember", "bucket"): r"[a-z0-9._-]+",
    ("DatasetIamMember", "datasetId"): r"\w+",
    ("DiskResourcePolicyAttachment", "disk"): r"[a-z0-9-]+",
    ("DiskResourcePolicyAttachment", "name"): r"[a-z0-9-]+",
    ("Firewall", "network"): r"projects/[^/]+/global/networks/[^/]+",
    ("IAMMember", "serviceAccountId"): r"projects/[^/]+/serviceAccounts/[^/@]+@[^/]+",
    ("Instance", "attachedDisks[0].source"): r"projects/[^/]+/zones/[^/]+/disks/[^/]+",
    ("Instance", "networkInterfaces[0].subnetwork"): r"projects/[^/]+/regions/[^/]+/subnetworks/[^/]+",
    ("Instance", "serviceAccount.email"): r"[^@:]+@[^@]+\.iam\.gserviceaccount\.com",
    ("InstanceIAMMember", "instanceName"): r"[a-z0-9-]+",
    ("RepositoryIamMember", "repository"): r"[a-z0-9-]+",
    ("Router", "network"): r"projects/[^/]+/global/networks/[^/]+",
    ("RouterNat", "router"): r"[a-z0-9-]+",
    ("RouterNat", "subnetworks[0].name"): r"projects/[^/]+/regions/[^/]+/subnetworks/[^/]+",
    ("SecretIamMember", "secretId"): r"[A-Za-z0-9_-]+",
    ("SecretVersion", "secret"): r"projects/[^/]+/secrets/[^/]+",
    ("Subnetwork", "network"): r"projects/[^/]+/global/networks/[^/]+",
    ("TunnelInstanceIAMMember", "instance"): r"[a-z0-9-]+",
    ("WorkloadIdentityPoolProvider", "workloadIdentityPoolId"): r"[a-z0-9-]{4,32}",
}
"""How each field that names another thing wants it named: by id, by bare name or by address."""

MEMBER = r"(user|group|serviceAccount):[^@:\s]+@[^@:\s]+|principalSet://iam\.googleapis\.com/projects/\d+/locations/global/.+"


@pytest.mark.parametrize(("case", "preview"), CASES, ids=IDS)
def test_the_program_ends_well_and_the_provider_takes_every_input(case: str, preview: bool) -> None:
    run = plan(case, preview=preview)
    assert (run.exit_code, run.errors, run.printed) == (0, [], "")
    assert len(run.plan.made) > 30
    assert faults(run.plan, preview=preview) == []


@pytest.mark.parametrize("case", STACKS)
def test_what_is_previewed_is_what_is_made(case: str) -> None:
    before, after = plan(case, preview=True).plan, plan(case, preview=False).plan
    assert _by_urn(before).keys() == _by_urn(after).keys()
    for urn, resource in _by_urn(after).items():
        seen = _by_urn(before)[urn]
        assert (seen.protect, seen.parent, seen.dependencies) == (
            resource.protect,
            resource.parent,
            resource.dependencies,
        )
        known = {path: value for path, value, _ in values(seen.inputs) if value != UNKNOWN}
        made = {path: value for path, value, _ in values(resource.inputs)}
        assert known.items() <= made.items(), urn


@pytest.mark.parametrize(("case", "preview"), CASES, ids=IDS)
def test_no_two_things_have_one_name(case: str, preview: bool) -> None:
    made = plan(case, preview=preview).plan.made
    assert len({each.urn for each in made}) == len(made)
    if not preview:
        by_google = [(each.type, str(sorted(plain(each.inputs).items(), key=str))) for each in made]
        assert len(set(by_google)) == len(by_google), "two resources are the same thing at Google"


@pytest.mark.parametrize("preview", [True, False])
def test_the_token_is_a_secret_wherever_it_stands(preview: bool) -> None:
    run = plan(FULL, preview=preview)
    seen = [
        (resource.type, path, secret)
        for resource in run.plan.resources
        for path, value, secret in values(resource.inputs)
        if TOKEN in str(value) or secret  # what is computed from a secret is one, in whatever coding
    ]
    assert seen == [("gcp:secretmanager/secretVersion:SecretVersion", "secretData", True)]
    told = [(path, secret) for path, value, secret in values(run.plan.outputs) if TOKEN in str(value) or secret]
    assert told == []
    assert TOKEN not in run.printed + "".join(run.errors)


def test_without_a_token_there_is_the_secret_and_no_value() -> None:
    found = plan("dev", preview=False).plan
    assert len(found.of("Secret")) == 1 and found.of("SecretVersion") == []


@pytest.mark.parametrize(("case", "is_kept"), [("prod", True), ("dev", False)])
def test_data_is_protected_where_it_is_kept_and_goes_without_a_trace_elsewhere(case: str, is_kept: bool) -> None:
    found = plan(case, preview=False).plan
    protected = {each.type.rpartition(":")[2] for each in found.resources if each.protect}
    assert protected == ({"Bucket", "Dataset", "Disk"} if is_kept else set())
    assert found.one("Bucket").inputs["forceDestroy"] is not is_kept
    assert found.one("Dataset").inputs["deleteContentsOnDestroy"] is not is_kept


@pytest.mark.parametrize("preview", [True, False])
def test_whatever_is_made_waits_for_all_services_to_be_on(preview: bool) -> None:
    found = plan(FULL, preview=preview).plan
    services = {each.urn for each in found.of("Service")}
    late = [each.urn for each in found.made if each.urn not in services and not services <= found.before(each)]
    assert late == []


def test_the_machine_starts_when_its_account_may_do_its_work_and_the_internet_is_there() -> None:
    found = plan(FULL, preview=False).plan
    before = found.before(found.one("Instance"))
    roles = [each for each in found.made if str(plain(each.inputs).get("member", "")).startswith("serviceAccount:")]
    assert len(roles) > 6
    assert [each.name for each in roles if each.urn not in before] == []
    assert found.one("RouterNat").urn in before, "nothing can be downloaded when it starts"


def test_dependencies_make_no_circle_and_name_what_was_declared_before() -> None:
    for case in STACKS:
        seen: set[str] = set()
        for each in plan(case, preview=False).plan.resources:
            used = each.dependencies.union(*each.property_dependencies.values())
            assert used <= seen and (not each.parent or each.parent in seen), each.urn
            seen.add(each.urn)


@pytest.mark.parametrize(("kind", "path"), REFERENCES, ids=lambda value: str(value))
def test_things_are_named_as_each_field_wants_it(kind: str, path: str) -> None:
    found = plan(FULL, preview=False).plan
    given = [value for each in found.of(kind) for at, value, _ in values(each.inputs) if at == path]
    assert given, f"no {kind} has {path}"
    assert [value for value in given if not re.fullmatch(REFERENCES[kind, path], value)] == []


def test_roles_are_given_to_members_in_googles_form() -> None:
    found = plan(FULL, preview=False).plan
    members = [value for each in found.made for path, value, _ in values(each.inputs) if path == "member"]
    assert len(members) > 10
    assert [member for member in members if not re.fullmatch(MEMBER, member)] == []


@pytest.mark.parametrize("case", STACKS)
def test_all_is_in_one_project_and_one_region(case: str) -> None:
    for each in plan(case, preview=False).plan.made:
        inputs = plain(each.inputs)
        assert inputs.get("project", PROJECT) == PROJECT, each.urn
        for place in ("region", "location"):
            assert inputs.get(place, "us-central1").lower() == "us-central1", each.urn
        assert inputs.get("zone", "us-central1-b").startswith("us-central1-"), each.urn


def test_options_that_are_off_make_nothing() -> None:
    less, more = plan("prod", preview=False).plan, plan(FULL, preview=False).plan
    kinds = {each.type.rpartition(":")[2] for each in more.resources} - {
        each.type.rpartition(":")[2] for each in less.resources
    }
    assert kinds >= {"Budget", "SecretVersion", "WorkloadIdentityPool", "WorkloadIdentityPoolProvider"}
    assert [each.name for each in less.resources if "github" in each.name or "budget" in each.name] == []


@pytest.mark.parametrize("preview", [True, False])
def test_the_tree_is_grouped_and_nothing_hangs_on_the_stack_but_groups(preview: bool) -> None:
    found = plan(FULL, preview=preview).plan
    stack = next(each.urn for each in found.resources if each.type == "pulumi:pulumi:Stack")
    assert [each.name for each in found.resources if each.custom and each.parent == stack] == []
    groups = [each for each in found.resources if not each.custom and each.urn != stack]
    assert {each.urn for each in groups} == found.component_outputs.keys(), "a component has not registered its outputs"


def _by_urn(found: Plan) -> dict[str, Resource]:
    return {each.urn: each for each in found.resources}
