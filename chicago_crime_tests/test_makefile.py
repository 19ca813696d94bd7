"""Tests of the Makefile, with a stub for Pulumi."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from chicago_crime_tests.support import PROJECT, program

OUTPUTS = {"CHICAGO_CRIME_DEPLOYMENT": "gcp", "CHICAGO_CRIME_GCS_BUCKET": "a-bucket", "machine": "chicago-crime-dev"}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the Makefile and the files of `make env`, whose virtual environments seem installed."""
    for name in ("Makefile", "infra_pulumi/env_file.py", "infra_pulumi/requirements.lock"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    for name in (".venv/bin/python", ".venv/bin/uv", "infra_pulumi/.venv/ready"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "pulumi").write_text('#!/bin/sh\necho "$OUTPUTS"\n')
    (tmp_path / "pulumi").chmod(0o755)
    return tmp_path


def make(clone: Path, *targets: str, outputs: dict[str, str] = OUTPUTS) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{clone}:{os.environ['PATH']}", "OUTPUTS": json.dumps(outputs)}
    command = [program("make"), *targets]
    return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)


def test_env_writes_only_settings(clone: Path) -> None:
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


def test_the_image_tag_is_the_commit_and_dirty_if_code_changed(clone: Path) -> None:
    def git(*command: str) -> str:
        as_someone = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        return subprocess.check_output(["git", *as_someone, *command], cwd=clone, text=True).strip()

    stack_file, code = clone / "infra_pulumi" / "Pulumi.dev.yaml", clone / "infra_pulumi" / "env_file.py"
    stack_file.write_text("config: {}\n")
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message=a")
    stack_file.write_text("config: {imageTag: a}\n")
    for suffix in ("", "-dirty"):
        tag = f"{git('rev-parse', '--short=12', 'HEAD')}{suffix}"
        assert f"imageTag={tag}\n" in make(clone, "--dry-run", "up").stdout
        code.write_text("")
