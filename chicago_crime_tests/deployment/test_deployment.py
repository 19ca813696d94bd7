"""Tests of containers, image and locks without Docker, and of the machine's startup.

They run the scripts in `infra_pulumi/cloud-init.yaml`.
"""

import json
import os
import re
import subprocess
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
import yaml

from chicago_crime_tests.support import PROJECT, program

pytestmark = pytest.mark.programs

IMAGE = "us-central1-docker.pkg.dev/a-project/chicago-crime-dev/chicago-crime:0.1.0"
SETTINGS = {"CHICAGO_CRIME_GCS_BUCKET": "a-bucket", "CHICAGO_CRIME_REPORT_AREAS": "Hyde Park, Loop #1"}
HOME = "/etc/chicago-crime/"


def compose(folder: Path, *options: str) -> dict[str, Any]:
    """The Compose file of a folder, resolved."""
    command = [program("docker-compose"), *options, "config"]
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "WARNING" in done.stderr) == (0, False), done.stderr
    return yaml.safe_load(done.stdout)


@pytest.fixture(scope="module")
def resolved() -> dict[str, Any]:
    """The Compose file as resolved on a laptop."""
    return compose(PROJECT, "--env-file=deploy/local.env")


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


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> str:
    """The file as the machine receives it."""
    monkeypatch.syspath_prepend(PROJECT / "infra_pulumi")
    from cloud_init import render

    return render(image=IMAGE, environment=SETTINGS)


@pytest.fixture
def etc(rendered: str, tmp_path: Path) -> Path:
    """A folder with the files of the machine's /etc/chicago-crime."""
    folder = tmp_path / "etc"
    folder.mkdir()
    for file in yaml.safe_load(rendered)["write_files"]:
        if file["path"].startswith(HOME):
            target = folder / file["path"].removeprefix(HOME)
            target.write_bytes(b64decode(file["content"]) if "encoding" in file else file["content"].encode())
            target.chmod(0o755)
    return folder


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    with (tmp_path / "disk").open("wb") as file:
        file.truncate(32 * 2**20)
    return tmp_path / "disk"


def run(script: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    environment["PATH"] = f"{environment.get('PATH', os.environ['PATH'])}:/usr/sbin:/sbin"
    command = ["bash", str(script), *map(str, arguments)]
    return subprocess.run(command, env=environment, cwd=script.parent, capture_output=True, text=True, check=False)


def fake_programs(folder: Path, **programs: str) -> str:
    """A search path that begins with fake programs, given as shell commands."""
    (folder / "bin").mkdir()
    for name, command in programs.items():
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{command}\n")
        (folder / "bin" / name).chmod(0o755)
    return f"{folder / 'bin'}:{os.environ['PATH']}"


def blkid(disk: Path) -> str:
    return subprocess.run([program("blkid"), "--probe", str(disk)], capture_output=True, text=True, check=False).stdout


def test_cloud_init_accepts_the_file(rendered: str, tmp_path: Path) -> None:
    assert not re.findall(r"@[A-Z]+@", rendered)
    (tmp_path / "user-data").write_text(rendered)
    command = [program("cloud-init"), "schema", "--config-file", str(tmp_path / "user-data")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_shellcheck_finds_nothing_in_the_scripts(etc: Path) -> None:
    scripts = [str(file) for file in etc.iterdir() if file.read_text().startswith("#!")]
    names = "prepare-disk read-secret write-env compose start tidy"
    assert {Path(script).name for script in scripts} == {*names.split()}
    done = subprocess.run([program("shellcheck"), *scripts], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("content", ["a file system", "a partition table", "unknown data"])
def test_a_disk_that_contains_data_is_not_formatted(etc: Path, disk: Path, tmp_path: Path, content: str) -> None:
    if content == "a file system":
        subprocess.run([program("mkfs.ext2"), "-q", "-L", "precious", str(disk)], check=True)
    else:
        table = bytes.fromhex("00020000 83ffffff 00080000 00e00000").ljust(64, b"\0") + bytes.fromhex("55aa")
        with disk.open("r+b") as file:
            file.seek(446 if content == "a partition table" else 700_000)
            file.write(table if content == "a partition table" else b"precious")
    before = disk.read_bytes()
    done = run(etc / "prepare-disk", disk, tmp_path / "folder", PATH=fake_programs(tmp_path, mount="exit 32"))
    assert done.returncode != 0
    assert disk.read_bytes()[:1024] == before[:1024]
    assert content != "unknown data" or (disk.read_bytes() == before and "unknown data" in done.stderr)
    assert "chicago-crime" not in blkid(disk)
    assert content != "a file system" or "precious" in blkid(disk)


def test_an_empty_disk_gets_a_file_system(etc: Path, disk: Path, tmp_path: Path) -> None:
    run(etc / "prepare-disk", disk, tmp_path / "data", PATH=fake_programs(tmp_path, mount="exit 32"))
    assert 'LABEL="chicago-crime"' in blkid(disk) and 'TYPE="ext4"' in blkid(disk)


def test_the_password_is_generated_once_and_only_root_can_read_it(etc: Path, tmp_path: Path) -> None:
    passwords = []
    for name in ("one", "one", "other"):
        (tmp_path / name).mkdir(exist_ok=True)
        assert run(etc / "write-env", tmp_path / name, etc).returncode == 0
        passwords.append((tmp_path / name / "postgres-password").read_text())
    assert re.fullmatch(r"[0-9a-f]{48}", passwords[0])
    assert passwords[0] == passwords[1] != passwords[2]
    secret_files = (tmp_path / "one" / "postgres-password", etc / ".env")
    assert [file.stat().st_mode & 0o777 for file in secret_files] == [0o600, 0o600]


def test_no_new_password_is_generated_for_an_existing_database(etc: Path, tmp_path: Path) -> None:
    (tmp_path / "postgres" / "files").mkdir(parents=True)
    (tmp_path / "postgres" / "files" / "PG_VERSION").write_text("17\n")
    done = run(etc / "write-env", tmp_path, etc)
    assert (done.returncode, "ALTER ROLE" in done.stderr) == (1, True)
    assert not (tmp_path / "postgres-password").exists()


def test_compose_gets_image_settings_folders_and_password(etc: Path, tmp_path: Path) -> None:
    assert run(etc / "write-env", tmp_path, etc).returncode == 0
    services = compose(etc)["services"]
    assert services["webserver"]["ports"] == ["0.0.0.0:3000:3000/tcp"]
    assert services["dashboard"]["ports"] == ["0.0.0.0:8050:8050/tcp"]
    assert services["code"]["image"] == IMAGE
    assert services["code"]["environment"].items() >= SETTINGS.items()
    assert f"{tmp_path}/platform:/data:rw" in services["code"]["volumes"]
    assert f"{tmp_path}/postgres:/var/lib/postgresql/data:rw" in services["postgres"]["volumes"]
    password = services["postgres"]["environment"]["POSTGRES_PASSWORD"]
    assert password == (tmp_path / "postgres-password").read_text()


def test_secret_settings_are_added_to_the_others_at_startup(etc: Path, tmp_path: Path) -> None:
    secret, text = "projects/1/secrets/settings/versions/2", "CHICAGO_CRIME_ALERTS='json://a b'\n"
    (etc / "secret").write_text(secret)
    payload = json.dumps({"payload": {"data": b64encode(text.encode()).decode(), "dataCrc32c": "1"}}, indent=2)
    answers = {
        "*Metadata-Flavor:?Google*/default/token": '{"access_token":"t0ken","expires_in":3599}',
        f"*Bearer?t0ken*/v1/{secret}:access": payload,
    }
    cases = "".join(f"{pattern}) echo '{answer}';;\n" for pattern, answer in answers.items())
    path = fake_programs(tmp_path, curl=f'case "$*" in {cases} *) exit 22;; esac')
    assert run(etc / "write-env", tmp_path, etc, PATH=path).returncode == 0
    assert (etc / "environment").read_text() == (etc / "settings").read_text() + text
    assert (etc / "environment").stat().st_mode & 0o777 == 0o600
    (etc / "secret").write_text("projects/1/secrets/missing/versions/1")
    assert run(etc / "write-env", tmp_path, etc, PATH=path).returncode != 0


def test_tidy_keeps_the_image_that_a_restart_needs(etc: Path, tmp_path: Path) -> None:
    done = run(etc / "tidy", tmp_path, PATH=fake_programs(tmp_path, docker='echo "$@"'))
    command, labels = done.stdout.split(" --filter=label="), (PROJECT / "Dockerfile").read_text()
    assert command[0] == "image prune --force", "--all would remove Compose's image, which no container uses"
    assert f"LABEL {command[1]}" in labels
