"""Invalid configurations are refused before anything is created, with the command that sets each key."""

import pytest

from chicago_crime_tests.infra_pulumi.provisioned import EVERYTHING, TOKEN, provision
from config import ConfigError

INVALID = {
    "gcp:region": ("us-central1-a", "neither a zone nor a multi-region", "pulumi config set gcp:region us-central1"),
    "bucketName": ("my-google-crimes", "without `google`", "pulumi config set bucketName my-project-crimes"),
    "dataset": ("chicago-crime", "letters, digits and underscores", "pulumi config set dataset chicago_crime"),
    "keepData": ("perhaps", "valid boolean", "pulumi config set keepData true"),
    "source": ("folder", "'portal'", "pulumi config set source portal"),
    "machineType": ("n4-standard-2", "not support persistent disks", "pulumi config set machineType e2-standard-2"),
    "dataDiskGb": ("1", "greater than or equal to 10", "pulumi config set dataDiskGb 30"),
    "stack": ("a-stack-of-mine", "2 to 10 lower-case letters", "pulumi stack rename dev"),
    "imageTag": ("a/b", "invalid", "pulumi config set imageTag latest"),
    "operators": ("user:a@example.com", "Invalid JSON", "pulumi config set --path 'operators[0]' user:you@example.com"),
    "dataprocWorkers": ("1", "a single node, or 2 or more workers", "pulumi config set dataprocWorkers 2"),
    "githubRepository": ("a/b' || true || '", "invalid", "pulumi config set githubRepository owner/name"),
    "githubRepositoryId": ("1' || '", "invalid", "pulumi config set githubRepositoryId 123456789"),
    "billingAccount": ("mine", "invalid", "pulumi config set billingAccount 012345-6789AB-CDEF01"),
    "machineTyp": ("e2", "no such key; did you mean machineType?", "pulumi config rm chicago-crime:machineTyp"),
    "kaggleToken": (" ", "it is empty", "pulumi config set --secret kaggleToken"),
    "settings": (
        '{"CHICAGO_CRIME_DASHBOARD_HOST": "a"}',
        "did you mean CHICAGO_CRIME_DASHBOARD_HOSTS?",
        "pulumi config set --path settings.CHICAGO_CRIME_DASHBOARD_HOSTS crime.example.org",
    ),
}
"""Key -> invalid value, problem, command that sets a valid value."""


def problems_of(config: dict[str, str], stack: str = "prod") -> dict[str, list[str]]:
    """The lines of the error about each key."""
    with pytest.raises(ConfigError) as error:
        provision(config, stack)
    found: dict[str, list[str]] = {}
    for line in str(error.value).splitlines()[1:]:
        if not line.startswith("   "):
            key = line.partition(": ")[0].strip()
        found.setdefault(key, []).append(line.strip())
    return found


def test_all_problems_are_reported_at_once_each_with_one_command() -> None:
    found = problems_of({key: value for key, (value, _, _) in INVALID.items() if key != "stack"}, INVALID["stack"][0])
    assert found.keys() == INVALID.keys()
    for key, (_, problem, command) in INVALID.items():
        assert problem in "\n".join(found[key])
        assert [line for line in found[key] if line.startswith("pulumi ")] == [command]


@pytest.mark.parametrize(
    ("config", "key", "problem"),
    [
        ({"gcp:project": ""}, "gcp:project", "it is not set"),
        ({"gcp:zone": "us-east1-b"}, "gcp:zone", "not a zone of us-central1"),
        ({"operators": '["allUsers"]'}, "operators", "'allUsers'"),
        ({"settings": '{"CHICAGO_CRIME_REPORT_DAY": "today"}'}, "settings", "CHICAGO_CRIME_REPORT_DAY=today: "),
        ({"settings": '{"CHICAGO_CRIME_REPORT_AREAS": "Loop"}'}, "settings", "needs CHICAGO_CRIME_ALERTS"),
        ({**EVERYTHING, "githubRepositoryId": ""}, "githubRepositoryId", "required with githubRepository"),
        ({**EVERYTHING, "projectNumber": ""}, "projectNumber", "required with billingAccount"),
    ],
)
def test_incompatible_values_are_refused(config: dict[str, str], key: str, problem: str) -> None:
    [(where, lines)] = problems_of(config).items()
    assert (where, problem in lines[0]) == (key, True)


@pytest.mark.parametrize(
    ("key", "value"), [("kaggleToken", TOKEN), ("settings", f'{{"CHICAGO_CRIME_ALERTS": "slack://{TOKEN}"}}')]
)
def test_a_secret_in_plain_text_is_refused_and_not_printed(key: str, value: str) -> None:
    with pytest.raises(ConfigError, match="plain text") as error:
        provision({key: value}, secret_keys=[])
    assert TOKEN not in str(error.value)


def test_a_setting_that_the_stack_sets_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"pulumi config rm --path settings\.CHICAGO_CRIME_SOURCE"):
        provision({"settings": '{"CHICAGO_CRIME_SOURCE": "portal"}'})
