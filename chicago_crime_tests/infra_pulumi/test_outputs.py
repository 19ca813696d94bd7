"""What the stack tells is what the platform reads: under the same names, with values that it takes."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from chicago_crime.settings import PREFIX, Settings, load_settings
from chicago_crime_tests.infra_pulumi.provisioned import PROGRAM, provision

COMMANDS_OWN = {"machine", "zone", "image"}
"""What only the commands around the platform need."""

LEFT_TO_THE_PLATFORM = {
    "gcp_credentials",  # there is no key: the machine has its account
    "bigquery_max_gb_billed",  # what a statement or a job may take is for who runs them
    "dataproc_max_minutes",
    "gcs_endpoint",  # of emulators
    "bigquery_endpoint",
    "dataproc_endpoint",
    "google_api_endpoint",
}
"""Settings of Google Cloud that the infrastructure does not decide."""


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def field(output: str) -> str:
    return output.removeprefix(PREFIX).lower()


def env_file(outputs: object) -> subprocess.CompletedProcess[str]:
    text = outputs if isinstance(outputs, str) else json.dumps(outputs)
    command = [sys.executable, str(PROGRAM / "env_file.py")]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("config", [{}, {"dataprocMode": "serverless", "dataprocWorkers": "0"}])
def test_every_output_is_a_setting_that_the_platform_takes(
    config: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = provision(config).outputs
    for name in outputs.keys() - COMMANDS_OWN:
        assert name.startswith(PREFIX)
        assert field(name) in Settings.model_fields
        monkeypatch.setenv(name, outputs[name])
    settings = load_settings()
    assert settings.deployment == "gcp"
    assert {name: str(getattr(settings, field(name))) for name in outputs.keys() - COMMANDS_OWN} == {
        name: outputs[name] for name in outputs.keys() - COMMANDS_OWN
    }


def test_every_setting_that_the_infrastructure_decides_is_an_output() -> None:
    of_google = {
        name
        for name in Settings.model_fields
        if name.startswith(("gcp_", "gcs_", "bigquery_", "dataproc_", "google_", "kaggle_secret"))
    }
    told = {field(name) for name in provision().outputs if name.startswith(PREFIX)}
    assert told == (of_google - LEFT_TO_THE_PLATFORM) | {"deployment", "source"}


def test_they_are_what_was_provisioned() -> None:
    provisioned = provision(
        {"gcp:region": "europe-west1", "bucketName": "of-my-own", "dataset": "other", "source": "sample"}
    )
    outputs = provisioned.outputs
    assert outputs["CHICAGO_CRIME_GCS_BUCKET"] == provisioned.one("Bucket").inputs["name"] == "of-my-own"
    assert outputs["CHICAGO_CRIME_BIGQUERY_DATASET"] == provisioned.one("Dataset").inputs["datasetId"] == "other"
    assert outputs["CHICAGO_CRIME_GCP_REGION"] == provisioned.one("Bucket").inputs["location"] == "europe-west1"
    assert outputs["CHICAGO_CRIME_DATAPROC_SUBNET"].endswith(provisioned.one("Subnetwork", "-spark").inputs["name"])
    assert outputs["machine"] == provisioned.one("Instance").inputs["name"]
    assert outputs["zone"] == provisioned.one("Instance").inputs["zone"] == "europe-west1-b"
    assert outputs["image"] == "europe-west1-docker.pkg.dev/a-project/chicago-crime-prod/chicago-crime:latest"


def test_the_environment_file_is_read_by_a_shell_as_it_was_told(tmp_path: Path) -> None:
    outputs = provision().outputs
    (tmp_path / ".env").write_text(env_file(outputs).stdout)
    script = "set -a; . ./.env; env"
    shown = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env={}, capture_output=True, text=True, check=True
    ).stdout
    read = dict(line.split("=", 1) for line in shown.splitlines() if line.startswith(PREFIX))
    assert read == {name: value for name, value in outputs.items() if name.startswith(PREFIX)}


@pytest.mark.parametrize(
    ("outputs", "why"),
    [
        ({}, "run `pulumi up` first"),
        ({"machine": "m"}, "run `pulumi up` first"),
        ({"CHICAGO_CRIME_GCS_BUCKET": "a b"}, "without quotes"),
        ({"CHICAGO_CRIME_GCS_BUCKET": "a\nCHICAGO_CRIME_SOURCE=sample"}, "without quotes"),
        ({"CHICAGO_CRIME_GCS_BUCKET": "$(id)"}, "without quotes"),
        ("not JSON", "Expecting value"),
    ],
)
def test_what_cannot_be_an_environment_file_is_refused(outputs: object, why: str) -> None:
    answer = env_file(outputs)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert why in answer.stderr
