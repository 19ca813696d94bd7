"""Every gcloud command that documents and messages tell a user to type is one that gcloud knows, with its options."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from chicago_crime.settings import load_settings
from chicago_crime.storage.google.permissions import EVERY_GRANT, grant_command
from chicago_crime_tests.support import PROJECT

WRITTEN = re.compile(r"`(gcloud [a-z][^`]+)`|^(?:\$ )?(gcloud [a-z].*)", re.MULTILINE)


def written() -> set[str]:
    """The commands in documents and messages, between backticks or on a line of their own."""
    found = set[str]()
    for file in (PROJECT / "README.md", *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("[ci]*/**/*.py")):
        if ".venv" not in file.parts and "chicago_crime_tests" not in file.parts:
            text = re.sub(r'"\n\s+f?"', "", file.read_text())  # one message over several lines
            found |= {one or other for one, other in WRITTEN.findall(text)}
    whole = (command for command in found if "{command}" not in command)  # words of a command, not a command
    return {re.sub(r"\{.*?\}|\.\.\.", "x", command).partition("  #")[0] for command in whole}


def made() -> set[str]:
    """The commands that the doctor puts together."""
    settings = load_settings(
        deployment="gcp",
        gcp_project="a-project",
        gcs_bucket="a-bucket",
        dataproc_service_account="spark@a-project.iam.gserviceaccount.com",
        kaggle_secret="projects/a-project/secrets/kaggle",
    )
    commands = {grant_command(grant, settings, "user:a@b.c") for grant in EVERY_GRANT}
    return {command for command in commands if command.startswith("gcloud ")}


def test_gcloud_knows_every_command(tmp_path: Path) -> None:
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        pytest.skip("gcloud is missing: https://cloud.google.com/sdk/docs/install")
    wrong = "gcloud storage buckets create gs://a-bucket --no-such-option"
    commands = [*sorted(written() | made()), wrong]
    assert {"gcloud projects list", *made()} <= set(commands)
    (tmp_path / "commands.json").write_text(json.dumps([{"command_string": command} for command in commands]))
    lint = [gcloud, "meta", "lint-gcloud-commands", f"--commands-file={tmp_path / 'commands.json'}"]
    environment = {"CLOUDSDK_CONFIG": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(lint, env=environment, capture_output=True, text=True, check=True)
    linted = json.loads(done.stdout)
    assert len(linted) == len(commands)
    refused = [one for one in linted if not one["success"]]
    # A sentence may name a command without its arguments.
    unknown = [one["command_string"] for one in refused if "Must be specified" not in one["error_message"]]
    assert unknown == [wrong]
