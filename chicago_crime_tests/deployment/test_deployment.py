"""Tests of what runs on a server: `docker-compose.yaml`, `Dockerfile`, `deploy/` and the locks, without an engine."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._core.instance.config import dagster_instance_config
from dagster._core.workspace.config_schema import process_workspace_config

from chicago_crime.graph.run_launcher import WatchedRunLauncher
from chicago_crime.settings import PREFIX, load_settings
from chicago_crime_tests.support import PROJECT, program_missing

pytestmark = pytest.mark.programs

PLATFORM = {"migrate", "code", "webserver", "daemon", "dashboard"}

GCP = """\
ENV_FILE=.env
IMAGE=us-central1-docker.pkg.dev/crime-project/chicago-crime/chicago-crime:0.1.0
DATA_PATH=/var/lib/chicago-crime/data
POSTGRES_PATH=/var/lib/chicago-crime/postgres
WEB_ADDRESS=10.1.2.3
POSTGRES_PASSWORD=a-password-of-the-test
CHICAGO_CRIME_DEPLOYMENT=gcp
CHICAGO_CRIME_SOURCE=portal
CHICAGO_CRIME_GCP_PROJECT=crime-project
CHICAGO_CRIME_GCS_BUCKET=crime-bucket
"""


def resolved(folder: Path) -> dict[str, Any]:
    """What Compose makes of the file, with the `.env` that lies beside it."""
    program = shutil.which("docker-compose")
    if program is None:
        program_missing("docker-compose is missing: apt-get install docker-compose")
    shutil.copy(PROJECT / "docker-compose.yaml", folder)
    shutil.copytree(PROJECT / "deploy", folder / "deploy")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    told = subprocess.run([program, "config"], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert "WARNING" not in told.stderr, told.stderr
    return yaml.safe_load(told.stdout)


def sources_of(service: dict[str, Any]) -> dict[str, str]:
    """What is mounted where."""
    return {mount.split(":")[1]: mount.split(":")[0] for mount in service["volumes"]}


@pytest.fixture
def local(tmp_path: Path) -> dict[str, Any]:
    return resolved(tmp_path)


@pytest.fixture
def gcp(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / ".env").write_text(GCP)
    return resolved(tmp_path)


def test_on_a_laptop_the_stack_stands_for_itself_in_volumes(local: dict[str, Any]) -> None:
    services = local["services"]
    assert set(services) == PLATFORM | {"postgres"}
    for name in PLATFORM:
        assert services[name]["environment"]["CHICAGO_CRIME_DEPLOYMENT"] == "local"
        assert sources_of(services[name])["/data"] == "data"
    assert sources_of(services["postgres"]) == {"/var/lib/postgresql/data": "postgres"}
    assert set(local["volumes"]) == {"data", "postgres", "csv"}


def test_on_the_vm_settings_image_and_folders_come_from_the_env_file(gcp: dict[str, Any]) -> None:
    services = gcp["services"]
    for name in PLATFORM:
        assert services[name]["image"].startswith("us-central1-docker.pkg.dev/")
        assert services[name]["environment"]["CHICAGO_CRIME_GCS_BUCKET"] == "crime-bucket"
        assert sources_of(services[name])["/data"] == "/var/lib/chicago-crime/data"
    assert sources_of(services["postgres"])["/var/lib/postgresql/data"] == "/var/lib/chicago-crime/postgres"
    given = {services[name]["environment"]["DAGSTER_POSTGRES_PASSWORD"] for name in PLATFORM}
    assert given == {"a-password-of-the-test"} == {services["postgres"]["environment"]["POSTGRES_PASSWORD"]}
    assert not [name for name in services["postgres"]["environment"] if name.startswith(PREFIX)]  # no secret too many


@pytest.mark.parametrize("deployment", ["local", "gcp"])
def test_the_platform_accepts_the_settings_that_each_service_gets(
    deployment: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PLATFORM:
        for variable, value in request.getfixturevalue(deployment)["services"][name]["environment"].items():
            monkeypatch.setenv(variable, value)
        assert load_settings().deployment == deployment


def test_every_service_is_held_in_bounds(local: dict[str, Any]) -> None:
    for name, service in local["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}, name
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped"), name
        assert name == "migrate" or service["healthcheck"]["test"][0] == "CMD", name


def published(compose: dict[str, Any]) -> dict[str, list[str]]:
    return {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}


def test_nothing_listens_beyond_this_machine_unless_an_address_is_given(
    local: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert published(local) == {"webserver": ["127.0.0.1:3000:3000/tcp"], "dashboard": ["127.0.0.1:8050:8050/tcp"]}
    (other := tmp_path_factory.mktemp("gcp") / ".env").write_text(GCP)
    given = published(resolved(other.parent))
    assert given == {"webserver": ["10.1.2.3:3000:3000/tcp"], "dashboard": ["10.1.2.3:8050:8050/tcp"]}
    assert local["services"]["postgres"]["networks"] == {"records": None}
    assert local["networks"]["records"] == {"internal": True}


def test_the_images_are_pinned_and_run_as_nobody_special(local: dict[str, Any]) -> None:
    digest = r"@sha256:[0-9a-f]{64}"
    assert re.search(digest, local["services"]["postgres"]["image"])
    assert local["services"]["postgres"]["user"] == "999:999"
    steps = (PROJECT / "Dockerfile").read_text()
    bases = re.findall(r"^FROM (\S+)", steps, re.MULTILINE)
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+" + digest, bases[0])
    assert re.findall(r"^USER (.*)$", steps, re.MULTILINE) == ["10001:10001"]
    assert "--require-hashes --requirement requirements.lock" in steps


def test_what_the_image_copies_is_let_through_and_nothing_else() -> None:
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)
        for name in line.split()
    }
    ignored = (PROJECT / ".dockerignore").read_text().splitlines()
    let_through = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert {name.split("/")[0] for name in copied} == let_through
    assert all((PROJECT / name).exists() for name in copied)


def locked(name: str) -> dict[str, str]:
    """Versions in a lock, by package; those for some machines only are joined."""
    found: dict[str, str] = {}
    for package, version in re.findall(r"^([\w.-]+)(?:\[\S+\])?==(\S+)", (PROJECT / name).read_text(), re.MULTILINE):
        found[package] = f"{found.get(package, '')} {version}"
    return found


def test_the_image_gets_the_tested_versions_and_no_development_tools() -> None:
    running, development = locked("requirements.lock"), locked("requirements-dev.lock")
    running.pop("pyspark-client")  # tests have `pyspark`, the same code with Spark's Java engine
    assert {name: version for name, version in running.items() if development.get(name) != version} == {}
    assert {"dagster-postgres", "psycopg2-binary", "google-cloud-bigquery", "duckdb"} <= running.keys()
    assert not {"pyspark", "pytest", "ruff", "mypy", "playwright", "zetasql"} & running.keys()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "infra_pulumi/requirements.lock"])
def test_a_lock_names_no_server(name: str) -> None:
    assert "://" not in (PROJECT / name).read_text()


def test_the_instance_and_the_workspace_are_what_dagster_understands(monkeypatch: pytest.MonkeyPatch) -> None:
    compose = yaml.safe_load((PROJECT / "docker-compose.yaml").read_text())
    for name, value in compose["x-platform"]["environment"].items():
        monkeypatch.setenv(name, value)
    config, _ = dagster_instance_config(str(PROJECT / "deploy"))
    assert config["run_retries"] == {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False}
    assert config["run_launcher"] == {"module": WatchedRunLauncher.__module__, "class": WatchedRunLauncher.__name__}
    assert config["telemetry"] == {"enabled": False}
    workspace = process_workspace_config(yaml.safe_load((PROJECT / "deploy" / "workspace.yaml").read_text()))
    assert workspace.success, workspace.errors
    read = set(re.findall(r"env: (\w+)", "".join(file.read_text() for file in (PROJECT / "deploy").glob("*.yaml"))))
    assert read <= compose["x-platform"]["environment"].keys()
