"""Tests of `docker-compose.yaml`, `Dockerfile`, `deploy/` and the locks, without Docker."""

import os
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from chicago_crime_tests.support import PROJECT, program_missing

pytestmark = pytest.mark.programs


ENV_FILES = {
    "local": "",
    "gcp": """\
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
""",
}


@pytest.fixture(scope="module")
def resolved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The Compose file as resolved on a laptop ("local") and on the machine on Google Cloud ("gcp")."""
    program = shutil.which("docker-compose")
    if program is None:
        program_missing("docker-compose is missing: apt-get install docker-compose")
    found = {}
    for name, env_file in ENV_FILES.items():
        folder = tmp_path_factory.mktemp(name)
        shutil.copy(PROJECT / "docker-compose.yaml", folder)
        shutil.copytree(PROJECT / "deploy", folder / "deploy")
        if env_file:
            (folder / ".env").write_text(env_file)
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        done = subprocess.run(
            [program, "config"], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr
        found[name] = yaml.safe_load(done.stdout)
    return found


def test_every_service_is_restricted(resolved: dict[str, dict[str, Any]]) -> None:
    for name, service in resolved["local"]["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}, name
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped"), name
        assert name == "migrate" or service["healthcheck"]["test"][0] == "CMD", name


def test_services_listen_on_this_machine_only_unless_an_address_is_set(resolved: dict[str, dict[str, Any]]) -> None:
    for deployment, address in (("local", "127.0.0.1"), ("gcp", "10.1.2.3")):
        expected = {"webserver": [f"{address}:3000:3000/tcp"], "dashboard": [f"{address}:8050:8050/tcp"]}
        services = resolved[deployment]["services"]
        assert {name: service["ports"] for name, service in services.items() if "ports" in service} == expected
    local = resolved["local"]
    assert local["services"]["postgres"]["networks"] == {"records": None}
    assert local["networks"]["records"] == {"internal": True}


def test_images_are_pinned_and_do_not_run_as_root(resolved: dict[str, dict[str, Any]]) -> None:
    digest = r"@sha256:[0-9a-f]{64}"
    postgres = resolved["local"]["services"]["postgres"]
    assert re.search(digest, postgres["image"]) and postgres["user"] == "999:999"
    dockerfile = (PROJECT / "Dockerfile").read_text()
    (base,) = set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE))
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+" + digest, base)
    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE) == ["10001:10001"]
    assert "--require-hashes --requirement requirements.lock" in dockerfile


def test_dockerignore_admits_exactly_what_the_image_copies() -> None:
    lines = re.findall(r"^COPY (?!--from)(.*) \S+$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)
    copied = {name for line in lines for name in line.split()}
    ignored = (PROJECT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert {name.split("/")[0] for name in copied} == {line[1:] for line in ignored if line.startswith("!")}
    assert all((PROJECT / name).exists() for name in copied)


def locked(name: str) -> dict[str, str]:
    """Package -> version in a lock; platform-specific versions are joined."""
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
