"""The Makefile: its help, its locks, and the commands of its targets for Google Cloud, recorded by stand-ins."""

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
# Records its command line; answers `pulumi stack output`.
STAND_IN = """\
#!/usr/bin/env python3
import json, os, sys
outputs = json.loads(os.environ["OUTPUTS"])
name, *words = os.path.basename(sys.argv[0]), *sys.argv[1:]
if words[2:4] == ["stack", "output"]:
    print(json.dumps(outputs) if words[4] == "--json" else outputs[words[4]])
else:
    with open("commands", "a") as file:
        print(name, *words, file=file)
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the Makefile, environments that count as installed, and stand-ins for programs in `bin`."""
    if shutil.which("make") is None:
        program_missing("make is missing: apt-get install make")
    shutil.copy(PROJECT / "Makefile", tmp_path)
    (tmp_path / "infra_pulumi").mkdir()
    for name in ("env_file.py", "requirements.lock"):
        shutil.copy(PROJECT / "infra_pulumi" / name, tmp_path / "infra_pulumi")
    for name in (".venv/bin/python", ".venv/bin/uv", "infra_pulumi/.venv/ready"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "bin").mkdir()
    for name in ("pulumi", "gcloud", "docker"):
        (tmp_path / "bin" / name).write_text(STAND_IN)
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def make(clone: Path, *words: str, outputs: dict[str, str] = OUTPUTS) -> subprocess.CompletedProcess[str]:
    path = f"{clone / 'bin'}:{os.environ['PATH']}"
    environment = {"PATH": path, "OUTPUTS": json.dumps(outputs)}
    return subprocess.run(["make", *words], cwd=clone, env=environment, capture_output=True, text=True, check=False)


def commands(clone: Path, *words: str) -> list[str]:
    """Run make and return the commands that its stand-ins recorded, in order."""
    done = make(clone, *words)
    assert done.returncode == 0, done.stderr
    return (clone / "commands").read_text().splitlines()


def test_up_builds_the_image_that_the_machine_runs_and_pushes_it_to_the_stacks_registry(clone: Path) -> None:
    assert commands(clone, "up", "TAG=a-tag") == [
        "docker build --platform=linux/amd64 --tag=chicago-crime:a-tag .",
        "pulumi --cwd infra_pulumi up --config=chicago-crime:imageTag=a-tag",
        "gcloud auth configure-docker us-central1-docker.pkg.dev --quiet",
        f"docker tag chicago-crime:a-tag {OUTPUTS['image']}",
        f"docker push {OUTPUTS['image']}",
    ]


def test_tunnel_opens_both_ports_on_this_machine_only(clone: Path) -> None:
    tunnel = "gcloud compute start-iap-tunnel --project=a-project --zone=us-central1-b chicago-crime-dev"
    expected = [f"{tunnel} {port} --local-host-port=127.0.0.1:{port}" for port in (3000, 8050)]
    assert sorted(commands(clone, "tunnel")) == expected


def test_down_destroys_the_stack(clone: Path) -> None:
    assert commands(clone, "down") == ["pulumi --cwd infra_pulumi destroy"]


def test_env_writes_the_settings_and_nothing_else(clone: Path) -> None:
    assert make(clone, "env").returncode == 0
    settings = [f"{name}={value}\n" for name, value in OUTPUTS.items() if name.startswith("CHICAGO_CRIME_")]
    assert (clone / ".env").read_text() == "".join(settings)


def test_env_without_a_stack_fails_and_keeps_the_existing_file(clone: Path) -> None:
    (clone / ".env").write_text("A=1\n")
    done = make(clone, "env", outputs={})
    assert done.returncode != 0
    assert "run `pulumi up` first" in done.stderr
    assert (clone / ".env").read_text() == "A=1\n"
    assert not list(clone.glob(".env?*"))


def test_help_lists_every_target(clone: Path) -> None:
    listed = {line.split()[1] for line in make(clone, "help").stdout.splitlines()}
    phony = next(line for line in (clone / "Makefile").read_text().splitlines() if line.startswith(".PHONY"))
    assert listed == set(phony.split()[1:])
