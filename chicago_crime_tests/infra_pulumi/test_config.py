"""An invalid configuration is refused before anything is created, with the command that sets each key."""

import re

import pytest

from chicago_crime_tests.infra_pulumi.provisioned import EVERYTHING, TOKEN, provision
from config import ConfigError

INVALID = [
    ({"gcp:project": "My_Project"}, "gcp:project: 'My_Project': invalid", "pulumi config set gcp:project my-project"),
    ({"gcp:project": ""}, "gcp:project: it is not set", "pulumi config set gcp:project"),
    ({"gcp:region": "us-central1-a"}, "neither a zone nor a multi-region", "pulumi config set gcp:region us-central1"),
    ({"gcp:zone": "us-east1-b"}, "not a zone of us-central1", "pulumi config set gcp:zone us-central1-b"),
    ({"bucketName": "b" * 56}, "bucketName: 'bbb", "pulumi config set bucketName"),
    ({"bucketName": "my-google-crimes"}, "without `google`", "pulumi config set bucketName"),
    ({"dataset": "chicago-crime"}, "dataset: 'chicago-crime'", "pulumi config set dataset chicago_crime"),
    ({"keepData": "perhaps"}, "keepData: 'perhaps'", "pulumi config set keepData true"),
    ({"source": "folder"}, "source: 'folder'", "pulumi config set source portal"),
    ({"machineType": "e2-medium"}, "machineType: 'e2-medium': invalid", "pulumi config set machineType e2-standard-2"),
    ({"machineType": "e2-highcpu-4"}, "8 GB of memory or more", "pulumi config set machineType"),
    ({"machineType": "t2a-standard-2"}, "x86", "pulumi config set machineType"),
    ({"dataDiskGb": "1"}, "dataDiskGb: '1'", "pulumi config set dataDiskGb 30"),
    ({"imageTag": "a/b"}, "imageTag: 'a/b'", "pulumi config set imageTag latest"),
    ({"nat": "false", "source": "portal"}, "the source portal is on the internet", "pulumi config set nat true"),
    ({"operators": '["allUsers"]'}, "operators: 'allUsers'", "pulumi config set --path 'operators[0]' user:"),
    ({"operators": "user:a@example.com"}, "Invalid JSON", "pulumi config set --path 'operators[0]'"),
    ({"dataprocMachineType": "n2"}, "dataprocMachineType: 'n2'", "pulumi config set dataprocMachineType n2-standard-4"),
    ({"dataprocWorkers": "1"}, "a single node, or of 2 or more workers", "pulumi config set dataprocWorkers 2"),
    ({"githubRepository": "a/b' || true || '", "githubRepositoryId": "1"}, "githubRepository: ", "owner/name"),
    ({**EVERYTHING, "githubRepositoryId": ""}, "required with githubRepository", "gh api repos/OWNER/NAME"),
    ({**EVERYTHING, "githubRepositoryId": "1' || '"}, "githubRepositoryId: ", "pulumi config set githubRepositoryId"),
    ({**EVERYTHING, "projectNumber": ""}, "required with billingAccount", "gcloud projects describe PROJECT"),
    ({"billingAccount": "mine"}, "billingAccount: 'mine'", "pulumi config set billingAccount"),
    ({"machineTyp": "e2-standard-2"}, "no such key; did you mean machineType?", "pulumi config rm"),
    ({"kaggleToken": " "}, "kaggleToken: it is empty", "pulumi config set --secret kaggleToken"),
]


@pytest.mark.parametrize(("config", "problem", "command"), INVALID, ids=lambda value: str(value)[:40])
def test_the_message_has_the_problem_and_one_command(config: dict[str, str], problem: str, command: str) -> None:
    with pytest.raises(ConfigError) as error:
        provision(config)
    assert problem in str(error.value)
    assert command in str(error.value)
    assert len(re.findall(r"^ {6}pulumi ", str(error.value), re.MULTILINE)) == 1


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        provision({"gcp:region": "US", "bucketName": "B", "machineType": "e2-micro", "unheardOf": "1"})
    for key in ("gcp:region", "bucketName", "machineType", "unheardOf"):
        assert f"  {key}: " in str(error.value)


def test_a_token_in_plain_text_is_refused_and_not_printed() -> None:
    with pytest.raises(ConfigError, match="plain text") as error:
        provision({"kaggleToken": TOKEN}, secret_keys=[])
    assert TOKEN not in str(error.value)


@pytest.mark.parametrize("stack", ["a-stack-of-mine", "Dev", "dev-"])
def test_a_stack_name_that_does_not_fit_into_account_names_is_refused(stack: str) -> None:
    with pytest.raises(ConfigError, match=f"stack: '{stack}'") as error:
        provision(stack=stack)
    assert "pulumi stack rename" in str(error.value)
