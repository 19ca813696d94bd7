"""The strict check itself: a program makes each mistake once, and each is found, by name and path."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from chicago_crime_tests.servers.pulumi_check import faults
from chicago_crime_tests.servers.pulumi_plan import Plan
from chicago_crime_tests.servers.pulumi_program import Run, run_program
from chicago_crime_tests.servers.pulumi_types import arguments_of, listed_values, properties

PROGRAMS = Path(__file__).parent / "programs"
MISTAKES: Mapping[str, list[str]] = {
    "nothing": [],
    "unknown-nested": [
        "versioning.enable: there is no such property; there are enabled",
        "versioning.enabled: it is missing, and is required",
    ],
    "unknown-nested-in-list": ["lifecycleRules[0].condition.agee: there is no such property; there are age"],
    "wire-name-in-python": ["lifecycleRules[0].condition.matches_prefix: there is no such property; there are matches"],
    "missing-nested": ["lifecycleRules[0].action: it is missing, and is required"],
    "text-for-number": ["lifecycleRules[0].condition.age: it is '7' and may be a whole number"],
    "fraction-for-whole": ["softDeletePolicy.retentionDurationSeconds: it is 0.5 and may be a whole number"],
    "number-for-text": ["storageClass: it is 7 and may be text"],
    "text-for-bool": ["uniformBucketLevelAccess: it is 'true' and may be true or false"],
    "object-for-list": ["lifecycleRules: it is {'action': {}} and may be a list"],
    "list-for-object": ["versioning: it is [{'enabled': True}] and may be an object of enabled"],
    "text-for-map": ["labels: it is 'a=b' and may be keys and values"],
    "number-in-map": ["labels.a: it is 1 and may be text"],
    "value-not-listed": ["publicAccessPrevention: it is 'enforce' and may be one of enforced, inherited"],
    "value-not-listed-nested": [
        "lifecycleRules[0].action.type: it is 'delete' and may be one of AbortIncompleteMultipartUpload, Delete,"
    ],
    "unknown-top": ["colour: there is no such property"],
    "missing-top": ["location: it is missing, and is required"],
    "no-such-type": ["the provider has no resource of this type"],
    "other-package": ["the provider has no resource of this type"],
    "deeply-nested": [
        "bootDisk.initializeParams.sizes: there is no such property; there are size",
        "networkInterfaces[0].nicType: it is 'GOLD' and may be one of GVNIC",
    ],
}


@pytest.fixture(scope="module", params=[True, False], ids=["preview", "update"])
def found(request: pytest.FixtureRequest) -> dict[str, list[str]]:
    """All faults of the program with the mistakes: resource -> the rest of the message."""
    run = run_program(PROGRAMS / "mistakes", {}, preview=request.param)
    assert (run.exit_code, run.errors) == (0, []), "Pulumi itself sees nothing wrong"
    told: dict[str, list[str]] = {name: [] for name in MISTAKES}
    for fault in faults(run.plan, preview=request.param):
        title, _, message = fault.partition(": ")
        told.setdefault(title.partition(" (")[0], []).append(message)
    return told


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_found_and_said_where_it_is(mistake: str, found: dict[str, list[str]]) -> None:
    expected = MISTAKES[mistake]
    assert len(found[mistake]) == len(expected), found[mistake]
    for message in expected:
        assert any(each.startswith(message) for each in found[mistake]), found[mistake]


def test_nothing_else_is_found(found: dict[str, list[str]]) -> None:
    assert set(found) == set(MISTAKES)


def test_one_name_for_two_resources_stops_the_program_as_pulumi_does() -> None:
    run: Run = run_program(PROGRAMS / "duplicate", {}, preview=True)
    assert run.exit_code != 0
    duplicate = "urn:pulumi:dev::a-project::gcp:storage/bucket:Bucket::twice"
    assert f"Duplicate resource URN '{duplicate}'; try giving it a unique name" in faults(run.plan, preview=True)


def test_an_unknown_function_and_its_unknown_arguments_are_found() -> None:
    calls = [("gcp:storage/getBukket:getBukket", {}), ("gcp:storage/getBucket:getBucket", {"nam": "b"})]
    assert faults(Plan(invokes=calls), preview=True) == [
        "gcp:storage/getBukket:getBukket: the provider has no such function",
        "gcp:storage/getBucket:getBucket: nam: there is no such property; there are name",
    ]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("The mode. Possible values are: `A_B`, `C-D`. See `E`.", {"A_B", "C-D"}),
        ('Acceptable values are "inherited" or "enforced". If "inherited", ...', {"inherited", "enforced"}),
        ("Supported values include: `Delete`, `SetStorageClass` and `Abort`.", {"Delete", "SetStorageClass", "Abort"}),
        ("Any text, for example `A` or `B`.", set()),
        (
            "It can take the following values: PREMIUM, FIXED_STANDARD or STANDARD.",
            {"PREMIUM", "FIXED_STANDARD", "STANDARD"},
        ),
        ("Possible values are: `A`.", set()),
    ],
)
def test_values_are_read_where_documentation_lists_them(text: str, values: set[str]) -> None:
    assert listed_values(text) == values


@pytest.mark.parametrize(
    "kind",
    [
        "gcp:bigquery/datasetIamMember:DatasetIamMember",
        "gcp:compute/instance:Instance",
        "gcp:compute/instanceIAMMember:InstanceIAMMember",
        "gcp:dataproc/cluster:Cluster",
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        "pulumi:providers:gcp",
    ],
)
def test_the_packages_definitions_are_readable_whatever_a_class_is_called(kind: str) -> None:
    arguments = arguments_of(kind)
    assert arguments is not None and len(properties(arguments)) > 2
