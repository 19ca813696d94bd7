"""The stack's outputs are valid settings of the platform, and can be written as an environment file."""

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


def field(output: str) -> str:
    return output.removeprefix(PREFIX).lower()


def env_file(outputs: object) -> subprocess.CompletedProcess[str]:
    text = outputs if isinstance(outputs, str) else json.dumps(outputs)
    command = [sys.executable, str(PROGRAM / "env_file.py")]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def test_a_shell_reads_values_unchanged(tmp_path: Path) -> None:
    areas = "$(id) $HOME `id` #1; Hyde Park, Loop"
    (tmp_path / "env").write_text(env_file({"CHICAGO_CRIME_REPORT_AREAS": areas}).stdout)
    shell = ["sh", "-c", f'. {tmp_path}/env; printf %s "$CHICAGO_CRIME_REPORT_AREAS"']
    assert subprocess.run(shell, capture_output=True, text=True, check=True).stdout == areas


@pytest.mark.parametrize("config", [{}, {"dataprocMode": "serverless", "dataprocWorkers": "0"}])
def test_the_platform_accepts_every_output(config: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = provision(config).outputs
    settings = {name: value for name, value in outputs.items() if name not in NO_SETTINGS}
    assert {*map(field, settings)} <= Settings.model_fields.keys()
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    loaded = load_settings()
    assert loaded.deployment == "gcp"
    assert {name: str(getattr(loaded, field(name))) for name in settings} == settings


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        ({"CHICAGO_CRIME_GCS_BUCKET": "a\nCHICAGO_CRIME_SOURCE=sample"}, "has the character"),
        ({"CHICAGO_CRIME_GCS_BUCKET": "it's"}, "has the character"),
        ("not JSON", "Expecting value"),
    ],
)
def test_outputs_that_cannot_be_written_are_refused(outputs: object, reason: str) -> None:
    answer = env_file(outputs)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert reason in answer.stderr
