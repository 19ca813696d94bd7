"""The stack's outputs are settings that the platform accepts, and can be written as an environment file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chicago_crime.settings import PREFIX, Settings, load_settings
from chicago_crime_tests.infra_pulumi.provisioned import PROGRAM, provision

NO_SETTINGS = {"machine", "zone", "image"}
"""Outputs for `make up` and `make tunnel` only."""

LEFT_TO_THE_PLATFORM = {
    "gcp_credentials",  # the machine has its account, and no key
    "bigquery_max_gb_billed",
    "dataproc_max_minutes",
    "gcs_endpoint",  # for emulators
    "bigquery_endpoint",
    "dataproc_endpoint",
    "google_api_endpoint",
}
"""Google Cloud settings that the infrastructure does not decide."""


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
def test_the_platform_accepts_every_output(config: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = provision(config).outputs
    settings = {name: value for name, value in outputs.items() if name not in NO_SETTINGS}
    for name, value in settings.items():
        assert field(name) in Settings.model_fields
        monkeypatch.setenv(name, value)
    loaded = load_settings()
    assert loaded.deployment == "gcp"
    assert {name: str(getattr(loaded, field(name))) for name in settings} == settings


def test_every_setting_that_the_infrastructure_decides_is_an_output() -> None:
    prefixes = ("gcp_", "gcs_", "bigquery_", "dataproc_", "google_", "kaggle_secret")
    of_google = {name for name in Settings.model_fields if name.startswith(prefixes)}
    outputs = {field(name) for name in provision().outputs if name.startswith(PREFIX)}
    assert outputs == (of_google - LEFT_TO_THE_PLATFORM) | {"deployment", "source"}


def test_the_outputs_name_what_was_provisioned() -> None:
    stack = provision({"gcp:region": "europe-west1", "bucketName": "of-my-own", "dataset": "other"})
    outputs = stack.outputs
    assert outputs["CHICAGO_CRIME_GCS_BUCKET"] == stack.one("Bucket", "-bucket").inputs["name"] == "of-my-own"
    assert outputs["CHICAGO_CRIME_GCS_STAGING_BUCKET"] == "of-my-own-staging"
    assert outputs["CHICAGO_CRIME_BIGQUERY_DATASET"] == stack.one("Dataset").inputs["datasetId"] == "other"
    assert outputs["CHICAGO_CRIME_GCP_REGION"] == stack.one("Bucket", "-bucket").inputs["location"] == "europe-west1"
    assert outputs["CHICAGO_CRIME_DATAPROC_SUBNET"].endswith(stack.one("Subnetwork", "-spark").inputs["name"])
    assert outputs["machine"] == stack.one("Instance").inputs["name"]
    assert outputs["zone"] == stack.one("Instance").inputs["zone"] == "europe-west1-b"
    assert outputs["image"] == "europe-west1-docker.pkg.dev/a-project/chicago-crime-prod/chicago-crime:latest"


def test_a_shell_reads_the_environment_file(tmp_path: Path) -> None:
    outputs = provision().outputs
    (tmp_path / ".env").write_text(env_file(outputs).stdout)
    command = ["sh", "-c", "set -a; . ./.env; env"]
    printed = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=True).stdout
    read = dict(line.split("=", 1) for line in printed.splitlines() if line.startswith(PREFIX))
    assert read == {name: value for name, value in outputs.items() if name.startswith(PREFIX)}


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        ({"machine": "m"}, "run `pulumi up` first"),
        ({"CHICAGO_CRIME_GCS_BUCKET": "a\nCHICAGO_CRIME_SOURCE=sample"}, "without quotes"),
        ({"CHICAGO_CRIME_GCS_BUCKET": "$(id)"}, "without quotes"),
        ("not JSON", "Expecting value"),
    ],
)
def test_outputs_that_cannot_be_written_are_refused(outputs: object, reason: str) -> None:
    answer = env_file(outputs)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert reason in answer.stderr
