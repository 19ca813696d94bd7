"""GitHub's workflows: everything in them is pinned, and each job has only the permissions that it needs."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from chicago_crime_tests.support import PROJECT

FOLDER = PROJECT / ".github" / "workflows"
WRITE_PERMISSIONS = {
    "docs": {"site": {"id-token", "pages"}},
    "preview": {"preview": {"id-token"}},
    "publish": {"github": {"packages"}, "google": {"id-token"}},
}


@pytest.fixture(params=["docs", "preview", "publish", "test"])
def file(request: pytest.FixtureRequest) -> Path:
    return FOLDER / f"{request.param}.yml"


@pytest.fixture
def workflow(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text())


def test_actions_and_images_are_pinned_with_their_version_in_a_comment(file: Path) -> None:
    used = re.findall(r"uses: (.*)", file.read_text())
    actions = [action for action in used if not action.startswith("./")]
    assert actions
    pinned = r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+"
    assert [action for action in actions if not re.fullmatch(pinned, action)] == []
    images = re.findall(r"[\w./-]+:[\w.]+@sha256:\w*", file.read_text())
    assert all(re.search(r"@sha256:[0-9a-f]{64}$", image) for image in images)


def test_jobs_can_write_only_what_they_must_and_end_within_a_limit(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"]
    for name, job in workflow["jobs"].items():
        assert "timeout-minutes" in job or "uses" in job, name
        writes = {what for what, access in job.get("permissions", {}).items() if access == "write"}
        assert writes == WRITE_PERMISSIONS.get(workflow["name"], {}).get(name, set()), name
        for step in job.get("steps", []):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
            assert "${{" not in step.get("run", ""), "an expression in a command can inject code: pass it in `env`"


def test_forks_get_no_token() -> None:
    preview = yaml.safe_load((FOLDER / "preview.yml").read_text())
    assert "head.repo.full_name == github.repository" in preview["jobs"]["preview"]["if"]
    assert set(preview[True]) == {"pull_request"}, "`on`, which YAML reads as true; never pull_request_target"
