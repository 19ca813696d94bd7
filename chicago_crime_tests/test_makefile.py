"""The Makefile's targets for Google Cloud: what they ask of the programs that reach it, which have stand-ins here."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from chicago_crime_tests.support import PROJECT, program_missing

OUTPUTS = {
    "CHICAGO_CRIME_DEPLOYMENT": "gcp",
    "CHICAGO_CRIME_GCP_PROJECT": "a-project",
    "CHICAGO_CRIME_GCS_BUCKET": "a-bucket",
    "image": "us-central1-docker.pkg.dev/a-project/chicago-crime-dev/chicago-crime:a-tag",
    "machine": "chicago-crime-dev",
    "zone": "us-central1-b",
}
# Notes what it is asked for; answers as `pulumi stack output` does.
STAND_IN = """\
#!/usr/bin/env python3
import json, os, sys
outputs = json.loads(os.environ["OUTPUTS"])
name, *words = os.path.basename(sys.argv[0]), *sys.argv[1:]
if words[2:4] == ["stack", "output"]:
    print(json.dumps(outputs) if words[4] == "--json" else outputs[words[4]])
else:
    with open(os.environ["ASKED"], "a") as file:
        print(name, *words, file=file)
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the Makefile and what its cloud targets use, all set up, and the programs' stand-ins in `bin`."""
    if shutil.which("make") is None:
        program_missing("make is missing: apt-get install make")
    (tmp_path / "infra_pulumi" / ".venv").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    shutil.copy(PROJECT / "Makefile", tmp_path)
    for name in ("env_file.py", "requirements.lock"):
        shutil.copy(PROJECT / "infra_pulumi" / name, tmp_path / "infra_pulumi")
    (tmp_path / "infra_pulumi" / ".venv" / "ready").touch()
    for name in ("pulumi", "gcloud", "docker"):
        (tmp_path / "bin" / name).write_text(STAND_IN)
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def make(
    clone: Path, *words: str, outputs: dict[str, str] = OUTPUTS
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run make; and what it asked of the programs, in order."""
    asked = clone / "asked"
    environment = {
        "PATH": f"{clone / 'bin'}:{os.environ['PATH']}",
        "OUTPUTS": json.dumps(outputs),
        "ASKED": str(asked),
    }
    told = subprocess.run(["make", *words], cwd=clone, env=environment, capture_output=True, text=True, check=False)
    return told, asked.read_text().splitlines() if asked.exists() else []


def test_up_builds_what_the_machine_will_run_and_pushes_it_where_the_stack_says(clone: Path) -> None:
    told, asked = make(clone, "up", "TAG=a-tag")
    assert told.returncode == 0, told.stderr
    assert asked == [
        "docker build --platform=linux/amd64 --tag=chicago-crime:a-tag .",
        "pulumi --cwd infra_pulumi up --config=chicago-crime:imageTag=a-tag",
        "gcloud auth configure-docker us-central1-docker.pkg.dev --quiet",
        f"docker tag chicago-crime:a-tag {OUTPUTS['image']}",
        f"docker push {OUTPUTS['image']}",
    ]


def test_tunnel_opens_both_ports_on_this_machine_only(clone: Path) -> None:
    told, asked = make(clone, "tunnel")
    assert told.returncode == 0, told.stderr
    where = "gcloud compute start-iap-tunnel --project=a-project --zone=us-central1-b chicago-crime-dev"
    assert sorted(asked) == [f"{where} {port} --local-host-port=127.0.0.1:{port}" for port in (3000, 8050)]


def test_env_writes_the_settings_and_nothing_else(clone: Path) -> None:
    told, _ = make(clone, "env")
    assert told.returncode == 0, told.stderr
    settings = [f"{name}={value}\n" for name, value in OUTPUTS.items() if name.startswith("CHICAGO_CRIME_")]
    assert (clone / ".env").read_text() == "".join(settings)


def test_env_leaves_the_file_that_is_there_when_there_is_no_stack(clone: Path) -> None:
    (clone / ".env").write_text("A=1\n")
    told, _ = make(clone, "env", outputs={})
    assert told.returncode != 0
    assert "run `pulumi up` first" in told.stderr
    assert (clone / ".env").read_text() == "A=1\n"
    assert not list(clone.glob(".env?*"))


def test_down_destroys_the_stack(clone: Path) -> None:
    assert make(clone, "down")[1] == ["pulumi --cwd infra_pulumi destroy"]


def test_help_lists_every_target_that_people_use(clone: Path) -> None:
    listed = {line.split()[1] for line in make(clone, "help")[0].stdout.splitlines()}
    phony = next(line for line in (clone / "Makefile").read_text().splitlines() if line.startswith(".PHONY"))
    assert listed == set(phony.split()[1:])
