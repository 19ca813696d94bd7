"""Tests of `docker-compose.yaml`, `Dockerfile`, `deploy/` and the locks, without Docker."""

import os
import re
import subprocess
from typing import Any

import pytest
import yaml

from chicago_crime_tests.support import PROJECT, program

pytestmark = pytest.mark.programs


@pytest.fixture(scope="module")
def resolved() -> dict[str, Any]:
    """The Compose file as resolved on a laptop; `test_cloud_init.py` has the machine on Google Cloud."""
    command = [program("docker-compose"), "--env-file=deploy/local.env", "config"]
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr
    return yaml.safe_load(done.stdout)


def test_every_service_is_restricted(resolved: dict[str, Any]) -> None:
    for name, service in resolved["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}, name
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped"), name
        assert name == "migrate" or service["healthcheck"]["test"][0] == "CMD", name


def test_services_listen_on_this_machine_only(resolved: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in resolved["services"].items() if "ports" in service}
    assert ports == {"webserver": ["127.0.0.1:3000:3000/tcp"], "dashboard": ["127.0.0.1:8050:8050/tcp"]}
    assert resolved["services"]["postgres"]["networks"] == {"records": None}
    assert resolved["networks"]["records"] == {"internal": True}


def test_images_are_pinned_and_do_not_run_as_root(resolved: dict[str, Any]) -> None:
    digest = r"@sha256:[0-9a-f]{64}"
    postgres = resolved["services"]["postgres"]
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
