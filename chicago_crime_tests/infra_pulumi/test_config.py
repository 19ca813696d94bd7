"""A configuration that cannot work is refused before anything is made, with the command that mends it."""

import re

import pytest
import yaml

from chicago_crime_tests.infra_pulumi.provisioned import PROGRAM, provision
from config import OWN
from read_config import ConfigError

WRONG = [
    ({"gcp:project": "My_Project"}, "gcp:project: 'My_Project'", "pulumi config set gcp:project my-project"),
    ({"gcp:project": "short"}, "gcp:project: 'short'", "pulumi config set gcp:project"),
    ({"gcp:region": "us-central1-a"}, "gcp:region: 'us-central1-a'", "pulumi config set gcp:region us-central1"),
    ({"gcp:region": "US"}, "gcp:region: 'US'", "neither a zone nor a multi-region"),
    ({"gcp:zone": "us-east1-b"}, "it is no zone of us-central1", "pulumi config set gcp:zone us-central1-b"),
    ({"bucketName": "b" * 64}, "bucketName: 'bbb", "pulumi config set bucketName"),
    ({"bucketName": "Crimes"}, "bucketName: 'Crimes'", "lower-case letters"),
    ({"bucketName": "my-google-crimes"}, "Google keeps", "pulumi config set bucketName"),
    ({"dataset": "chicago-crime"}, "dataset: 'chicago-crime'", "pulumi config set dataset chicago_crime"),
    ({"keepData": "perhaps"}, "keepData: 'perhaps'", "pulumi config set keepData true"),
    ({"source": "folder"}, "source: 'folder'", "sample, portal or kaggle"),
    ({"machineType": "e2-medium"}, "machineType: 'e2-medium': it has too little memory", "8 GB"),
    ({"machineType": "e2-highcpu-4"}, "it has too little memory", "pulumi config set machineType e2-standard-2"),
    ({"machineType": "large"}, "it is no machine type", "pulumi config set machineType"),
    ({"machineType": "t2a-standard-2"}, "ARM", "pulumi config set machineType"),
    ({"dataDiskGb": "1"}, "dataDiskGb: '1'", "pulumi config set dataDiskGb 30"),
    ({"snapshotDays": "0"}, "snapshotDays: '0'", "pulumi config set snapshotDays 14"),
    ({"imageTag": "a/b"}, "imageTag: 'a/b'", "pulumi config set imageTag latest"),
    ({"nat": "false", "source": "portal"}, "the source portal is in the internet", "pulumi config set nat true"),
    ({"operators": '["allUsers"]'}, "operators: 'allUsers'", "pulumi config set --path 'operators[0]' user:"),
    ({"operators": '["someone@example.com"]'}, "operators: 'someone@example.com'", "user:, group: or serviceAccount:"),
    ({"operators": "user:a@example.com"}, "invalid JSON", "pulumi config set --path 'operators[0]'"),
    ({"dataprocMode": "local"}, "dataprocMode: 'local'", "cluster or serverless"),
    ({"dataprocMachineType": "n2"}, "dataprocMachineType: 'n2'", "pulumi config set dataprocMachineType n2-standard-4"),
    ({"dataprocWorkers": "1"}, "dataprocWorkers: '1'", "0 for a single node, or 2 to 50"),
    ({"githubRepository": "https://github.com/a/b"}, "githubRepository", "owner/name"),
    ({"githubRepository": "a/b' || true || '"}, "githubRepository", "owner/name"),
    ({"billingAccount": "mine"}, "billingAccount: 'mine'", "pulumi config set billingAccount"),
    ({"monthlyBudget": "0"}, "monthlyBudget: '0'", "pulumi config set monthlyBudget 50"),
    ({"machineTyp": "e2-standard-2"}, "there is no such key; machineType is one", "pulumi config rm"),
    ({"kaggleToken": " "}, "kaggleToken: it is empty", "pulumi config set --secret kaggleToken"),
]


@pytest.mark.parametrize(("config", "what", "how"), WRONG, ids=lambda value: str(value)[:40])
def test_it_says_what_is_wrong_and_how_it_is_mended(config: dict[str, str], what: str, how: str) -> None:
    with pytest.raises(ConfigError) as error:
        provision(config)
    assert what in str(error.value)
    assert how in str(error.value)
    assert len(re.findall(r"^ {6}pulumi ", str(error.value), re.MULTILINE)) == 1, "one problem, one command"


def test_it_tells_all_that_is_wrong_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        provision({"gcp:region": "US", "bucketName": "B", "machineType": "e2-micro", "unheardOf": "1"})
    for key in ("gcp:region", "bucketName", "machineType", "unheardOf"):
        assert f"  {key}: " in str(error.value)


def test_a_token_in_the_clear_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="in the clear") as error:
        provision({"kaggleToken": "KGAT_a_token"}, secret_keys=[])
    assert "KGAT_a_token" not in str(error.value)


@pytest.mark.parametrize("stack", ["a-stack-of-mine", "Dev", "dev-"])
def test_a_stack_whose_name_cannot_end_an_accounts_is_refused(stack: str) -> None:
    with pytest.raises(ConfigError, match=f"stack: '{stack}'") as error:
        provision(stack=stack)
    assert "pulumi stack rename" in str(error.value)


def test_what_is_missing_is_told() -> None:
    with pytest.raises(ConfigError, match="gcp:project: it is not set"):
        provision({"gcp:project": ""})


def test_what_else_the_provider_is_told_is_its_own_matter() -> None:
    assert provision({"gcp:userProjectOverride": "true"}).google


def test_its_keys_are_those_that_the_command_writes() -> None:
    assert yaml.safe_load((PROGRAM / "Pulumi.yaml").read_text())["name"] + ":" == OWN
