"""What the machine on Google Cloud does when it starts: `infra_pulumi/cloud-init.yaml`, whose scripts are run here."""

import os
import re
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
import yaml

from chicago_crime_tests.support import PROJECT, program_missing

pytestmark = pytest.mark.programs

IMAGE = "us-central1-docker.pkg.dev/a-project/chicago-crime-dev/chicago-crime:0.1.0"
SETTINGS = {"CHICAGO_CRIME_DEPLOYMENT": "gcp", "CHICAGO_CRIME_GCS_BUCKET": "a-bucket"}
HOME = "/etc/chicago-crime/"

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may mount a disk")


def program(name: str) -> str:
    """A program, of this virtual environment or of the system."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"])
    return shutil.which(name, path=path) or program_missing(f"{name} is missing")


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> str:
    """The file as the machine gets it."""
    monkeypatch.syspath_prepend(PROJECT / "infra_pulumi")
    from cloud_init import render  # where Pulumi itself looks for it

    return render((PROJECT / "infra_pulumi" / "cloud-init.yaml").read_text(), image=IMAGE, environment=SETTINGS)


@pytest.fixture
def config(rendered: str) -> dict[str, Any]:
    return yaml.safe_load(rendered)


@pytest.fixture
def etc(config: dict[str, Any], tmp_path: Path) -> Path:
    """Its own files, as they would lie in /etc/chicago-crime."""
    folder = tmp_path / "etc"
    folder.mkdir()
    for file in config["write_files"]:
        if file["path"].startswith(HOME) and "encoding" not in file:
            script = folder / file["path"].removeprefix(HOME)
            script.write_text(file["content"])
            script.chmod(0o755)
    return folder


def unit(config: dict[str, Any], name: str) -> str:
    return next(file["content"] for file in config["write_files"] if file["path"] == f"/etc/systemd/system/{name}")


def run(script: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{environment.pop('PATH', os.environ['PATH'])}:/usr/sbin:/sbin"
    command = ["bash", str(script), *map(str, arguments)]
    return subprocess.run(
        command, env={"PATH": path, **environment}, cwd=script.parent, capture_output=True, text=True, check=False
    )


def empty_disk(folder: Path, megabytes: int = 32) -> Path:
    disk = folder / "disk"
    with disk.open("wb") as file:
        file.truncate(megabytes * 2**20)
    return disk


def test_cloud_init_takes_it(rendered: str, tmp_path: Path) -> None:
    (tmp_path / "user-data").write_text(rendered)
    command = [program("cloud-init"), "schema", "--config-file", str(tmp_path / "user-data")]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_its_scripts_have_nothing_that_shellcheck_finds(etc: Path) -> None:
    scripts = [str(file) for file in etc.iterdir() if file.read_text().startswith("#!")]
    assert {Path(script).name for script in scripts} == {"prepare-disk", "write-env", "compose", "start", "tidy"}
    told = subprocess.run([program("shellcheck"), *scripts], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout


def test_every_file_that_something_runs_is_written_and_may_be_run(config: dict[str, Any], etc: Path) -> None:
    modes = {file["path"]: file.get("permissions") for file in config["write_files"]}
    units = [unit(config, name) for name in ("chicago-crime.service", "chicago-crime-tidy.service")]
    ran = set(re.findall(r"^Exec\w+=(\S+)", "\n".join(units), re.MULTILINE))
    ran |= {HOME + name for name in re.findall(r"^\./(\S+)", (etc / "start").read_text(), re.MULTILINE)}
    assert len(ran) == 5
    assert {modes.get(path) for path in ran} == {"0755"}
    enabled = {word for command in config["runcmd"] for word in command if word.startswith("chicago-crime")}
    assert {f"/etc/systemd/system/{name}" for name in enabled} < modes.keys()
    assert all("[Install]" in unit(config, name) for name in enabled), "what is not installed, no reboot starts"


def test_no_secret_and_no_placeholder_is_left_in_it(rendered: str, config: dict[str, Any]) -> None:
    assert not re.findall(r"@[A-Z]+@", rendered)
    files = {Path(file["path"]).name: file["content"] for file in config["write_files"]}
    assert files["image"] == IMAGE
    assert "POSTGRES_PASSWORD" not in "".join(files.values()).replace("POSTGRES_PASSWORD=$(<", "")


def test_the_machine_has_ten_minutes_and_more_to_let_runs_end(config: dict[str, Any]) -> None:
    compose = yaml.safe_load((PROJECT / "docker-compose.yaml").read_text())
    assert compose["services"]["code"]["stop_grace_period"] == "10m"
    assert "TimeoutStopSec=11min" in unit(config, "chicago-crime.service")


@pytest.mark.parametrize("content", ["a file system", "a partition table", "something unknown"])
def test_a_disk_that_holds_anything_is_not_formatted(etc: Path, tmp_path: Path, content: str) -> None:
    disk = empty_disk(tmp_path)
    if content == "a file system":
        subprocess.run([program("mkfs.ext2"), "-q", "-L", "precious", str(disk)], check=True)
    elif content == "a partition table":
        with disk.open("r+b") as file:
            file.seek(446)
            file.write(bytes.fromhex("00020000 83ffffff 00080000 00e00000").ljust(64, b"\0") + bytes.fromhex("55aa"))
    else:
        with disk.open("r+b") as file:
            file.seek(700_000)
            file.write(b"precious")
    before = disk.read_bytes()
    told = run(etc / "prepare-disk", disk, tmp_path / "mounted-by-nobody", PATH=without_mount(tmp_path))
    assert told.returncode != 0
    assert disk.read_bytes()[:1024] == before[:1024]
    assert content != "something unknown" or (disk.read_bytes() == before and "something unknown" in told.stderr)
    found = subprocess.run([program("blkid"), "--probe", str(disk)], capture_output=True, text=True, check=False).stdout
    assert "chicago-crime" not in found
    assert "precious" in found or content != "a file system"


def without_mount(folder: Path) -> str:
    """A path on which `mount` fails, so that a test by root leaves nothing mounted."""
    (folder / "bin").mkdir()
    (folder / "bin" / "mount").write_text("#!/bin/sh\nexit 32\n")
    (folder / "bin" / "mount").chmod(0o755)
    return f"{folder / 'bin'}:{os.environ['PATH']}"


def test_an_empty_disk_gets_a_file_system(etc: Path, tmp_path: Path) -> None:
    disk = empty_disk(tmp_path)
    run(etc / "prepare-disk", disk, tmp_path / "data", PATH=without_mount(tmp_path))
    found = subprocess.run([program("blkid"), "--probe", str(disk)], capture_output=True, text=True, check=True).stdout
    assert 'LABEL="chicago-crime"' in found
    assert 'TYPE="ext4"' in found


def test_a_disk_that_is_missing_is_told(etc: Path, tmp_path: Path) -> None:
    told = run(etc / "prepare-disk", "/dev/no-such-disk", tmp_path / "data", 0)
    assert (told.returncode, told.stderr) == (1, "There is no /dev/no-such-disk: is the disk attached?\n")


@needs_root
def test_what_is_on_the_disk_is_there_after_a_reboot_and_after_it_has_grown(etc: Path, tmp_path: Path) -> None:
    disk, data = empty_disk(tmp_path), tmp_path / "data"
    try:
        first = run(etc / "prepare-disk", disk, data)
        if re.search("^mount:.*(loop device|not permitted|permission denied)", first.stderr, re.MULTILINE):
            pytest.skip(f"this machine's root may not mount: {first.stderr}")
        assert first.returncode == 0, first.stderr
        assert [(data / name).stat().st_uid for name in ("platform", "postgres")] == [10001, 999]
        (data / "platform" / "a-file").write_text("kept")
        size = shutil.disk_usage(data).total
        assert run(etc / "prepare-disk", disk, data).returncode == 0, "mounted is mounted"
        subprocess.run(["umount", str(data)], check=True)
        with disk.open("r+b") as file:
            file.truncate(64 * 2**20)
        again = run(etc / "prepare-disk", disk, data)
        assert again.returncode == 0, again.stderr
        assert (data / "platform" / "a-file").read_text() == "kept"
        if "Permission denied to resize" not in again.stderr:  # a container's root may not
            assert shutil.disk_usage(data).total > 1.8 * size
    finally:
        subprocess.run(["umount", str(data)], capture_output=True, check=False)


@needs_root
@pytest.mark.parametrize("image_is_there", [True, False])
def test_a_start_clears_away_mounts_and_only_then_brings_the_stack_up(
    etc: Path, tmp_path: Path, image_is_there: bool
) -> None:
    (tmp_path / "bin").mkdir()
    answers = {"docker": 'case "$1" in ps) echo left-over ;; pull) exit $MISSING ;; esac'}
    for name in ("docker", "docker-credential-gcr", "mount"):  # what would change this machine only notes its arguments
        (tmp_path / "bin" / name).write_text(f'#!/bin/sh\necho {name} "$@" >> "$NOTES"\n{answers.get(name, "")}\n')
        (tmp_path / "bin" / name).chmod(0o755)
    notes = tmp_path / "notes"
    surroundings = {"NOTES": str(notes), "MISSING": str(int(not image_is_there))}
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    told = run(etc / "start", empty_disk(tmp_path), tmp_path / "data", PATH=path, **surroundings)
    assert (told.returncode == 0) is image_is_there, told.stderr
    steps = [" ".join(line.split()[:2]) for line in notes.read_text().splitlines()]
    before = ["docker ps", "docker rm", "mount -t", "docker-credential-gcr configure-docker", "docker pull"]
    assert steps == before + ["docker run"] * image_is_there
    assert "docker rm --force left-over" in notes.read_text()
    assert "--registries=us-central1-docker.pkg.dev\n" in notes.read_text()
    assert f"IMAGE={IMAGE}\n" in (etc / ".env").read_text()


def test_the_password_is_made_once_and_for_root_only(etc: Path, tmp_path: Path) -> None:
    disk = tmp_path / "data"
    disk.mkdir()
    assert run(etc / "write-env", disk, etc).returncode == 0
    password = disk / "postgres-password"
    made = password.read_text()
    assert re.fullmatch(r"[0-9a-f]{48}", made)
    assert [file.stat().st_mode & 0o777 for file in (password, etc / ".env")] == [0o600, 0o600]
    assert run(etc / "write-env", disk, etc).returncode == 0
    assert password.read_text() == made
    variables = dict(line.split("=", 1) for line in (etc / ".env").read_text().splitlines())
    assert variables.pop("POSTGRES_PASSWORD") == made
    assert variables == {
        "ENV_FILE": "environment",
        "IMAGE": IMAGE,
        "DATA_PATH": f"{disk}/platform",
        "POSTGRES_PATH": f"{disk}/postgres",
        "WEB_ADDRESS": "0.0.0.0",
    }
    known = (PROJECT / "docker-compose.yaml").read_text()
    assert all("${" + name + ":-" in known for name in [*variables, "POSTGRES_PASSWORD"])
    other = tmp_path / "other"
    other.mkdir()
    assert run(etc / "write-env", other, etc).returncode == 0
    assert (other / "postgres-password").read_text() != made


def test_compose_makes_of_its_files_what_shall_run_there(config: dict[str, Any], etc: Path, tmp_path: Path) -> None:
    for file in config["write_files"]:
        if file.get("encoding") == "b64":
            (etc / file["path"].removeprefix(HOME)).write_bytes(b64decode(file["content"]))
    disk = tmp_path / "data"
    disk.mkdir()
    assert run(etc / "write-env", disk, etc).returncode == 0
    command = [program("docker-compose"), "config"]
    told = subprocess.run(
        command, cwd=etc, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    assert (told.returncode, "WARNING" in told.stderr) == (0, False), told.stderr
    services = yaml.safe_load(told.stdout)["services"]
    assert services["webserver"]["ports"] == ["0.0.0.0:3000:3000/tcp"]
    assert services["dashboard"]["ports"] == ["0.0.0.0:8050:8050/tcp"]
    assert services["code"]["image"] == IMAGE
    assert services["code"]["environment"].items() >= SETTINGS.items()
    assert f"{disk}/platform:/data:rw" in services["code"]["volumes"]
    password = (disk / "postgres-password").read_text()
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"] == password


def test_no_second_password_is_made_for_a_database_that_is_there(etc: Path, tmp_path: Path) -> None:
    disk = tmp_path / "data"
    (disk / "postgres" / "files").mkdir(parents=True)
    (disk / "postgres" / "files" / "PG_VERSION").write_text("17\n")
    told = run(etc / "write-env", disk, etc)
    assert told.returncode == 1
    assert "ALTER ROLE" in told.stderr
    assert not (disk / "postgres-password").exists()
