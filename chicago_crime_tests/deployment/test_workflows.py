"""GitHub's workflows: what runs in them cannot change unseen, and may do no more than it must."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from chicago_crime_tests.support import PROJECT

FILES = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
MAY_WRITE = {"preview": {"preview": {"id-token"}}, "publish": {"github": {"packages"}, "google": {"id-token"}}}
"""What the jobs of each workflow may change, or prove that they are."""


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def file(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def workflow(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text())


def test_there_is_one_for_each_occasion() -> None:
    assert [file.stem for file in FILES] == ["preview", "publish", "test"]


def test_what_others_wrote_is_pinned_and_its_version_told(file: Path) -> None:
    used = re.findall(r"uses: (.*)", file.read_text())
    others = [one for one in used if not one.startswith("./")]
    assert others
    assert [one for one in others if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)] == []
    images = re.findall(r"[\w./-]+:[\w.]+@sha256:\w*", file.read_text())
    assert all(re.search(r"@sha256:[0-9a-f]{64}$", image) for image in images)


def test_every_job_may_read_only_but_for_its_own_task(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        may = job.get("permissions", {})
        writes = {what for what, how in may.items() if how == "write"}
        assert writes == MAY_WRITE.get(workflow["name"], {}).get(name, set()), name
        for step in job.get("steps", []):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_none_runs_for_hours_or_twice_at_once(workflow: dict[str, Any]) -> None:
    assert workflow["concurrency"]["group"]
    assert all("timeout-minutes" in job or "uses" in job for job in workflow["jobs"].values())


def test_no_text_of_others_is_part_of_a_command(workflow: dict[str, Any]) -> None:
    for job in workflow["jobs"].values():
        for step in job.get("steps", []):
            assert "${{" not in step.get("run", ""), "hand it over in `env`"


def test_forks_get_no_token() -> None:
    preview = yaml.safe_load((PROJECT / ".github" / "workflows" / "preview.yml").read_text())
    assert "head.repo.full_name == github.repository" in preview["jobs"]["preview"]["if"]
    assert True in preview and set(preview[True]) == {"pull_request"}, (
        "YAML reads `on` as true; never pull_request_target"
    )


def test_all_pythons_that_the_package_supports_are_tested() -> None:
    tests = yaml.safe_load((PROJECT / ".github" / "workflows" / "test.yml").read_text())
    least = re.search(r'python_requires=">=(3\.\d+)"', (PROJECT / "setup.py").read_text())
    assert least and tests["jobs"]["test"]["strategy"]["matrix"]["python"] == [least[1], "3.12", "3.13"]


def test_nothing_is_published_untested() -> None:
    jobs = yaml.safe_load((PROJECT / ".github" / "workflows" / "publish.yml").read_text())["jobs"]
    assert jobs.pop("test")["uses"] == "./.github/workflows/test.yml"
    assert {job["needs"] for job in jobs.values()} == {"test"}
