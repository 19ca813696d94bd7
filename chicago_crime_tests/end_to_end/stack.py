"""The stack of `docker-compose.yaml` as plain processes, without Docker.

Commands, variables and health checks are read from the Compose file, the image's variables from the Dockerfile. Only
ports, host names and folders are replaced.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from chicago_crime_tests.end_to_end.browsing import free_port
from chicago_crime_tests.support import PROJECT, program
from chicago_crime_tests.waiting import TIMEOUT_S, wait_until

PORTS = ("3000", "4000", "5432", "8050")


def image_environment() -> dict[str, str]:
    """The image's variables, except for the search path."""
    last_stage = (PROJECT / "Dockerfile").read_text().split("\nFROM ")[-1]
    [block] = re.findall(r"^ENV ((?:.*\\\n)*.*)$", last_stage, re.MULTILINE)
    return {name: value for name, value in re.findall(r"(\w+)=(\S+)", block) if name != "PATH"}


def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs. Skips the test if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else Path(program("initdb")).parent


@dataclass
class Stack:
    """Services of the Compose file, started and stopped one by one, with settings in addition to the env file."""

    folder: Path
    settings: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with_defaults = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (PROJECT / "docker-compose.yaml").read_text())
        self.services: dict[str, Any] = yaml.safe_load(with_defaults)["services"]
        self.ports = {port: str(free_port()) for port in PORTS}
        self.folders = {"/opt/dagster": str(self.folder / "home"), "/data": str(self.folder / "data")}
        (self.folder / "data").mkdir(parents=True)
        self.home.mkdir()
        for file in ("dagster.yaml", "workspace.yaml"):
            shutil.copy(PROJECT / "deploy" / file, self.home)

    @property
    def home(self) -> Path:
        """The image's /opt/dagster."""
        return self.folder / "home"

    def start(self, *services: str) -> None:
        for service in services:
            self._start(service)
        for service in services:
            self.wait_until_healthy(service)

    def _start(self, service: str) -> None:
        with (self.folder / f"{service}.log").open("ab") as log:
            self.processes[service] = subprocess.Popen(
                # The test runner may ignore signals, which a container does not.
                ["env", "--default-signal", *self._moved(self.services[service]["command"])],
                env=self.environment(service),
                cwd=self.home,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a separate process group, like a container
            )

    def run(self, service: str) -> None:
        self._start(service)
        assert self.processes.pop(service).wait(TIMEOUT_S) == 0, self.log(service)

    def wait_until_healthy(self, service: str) -> None:
        def is_healthy() -> bool:
            ended = service in self.processes and self.processes[service].poll() is not None
            assert not ended, self.log(service)
            return subprocess.run(command, env=self.environment(service), cwd=self.home, check=False).returncode == 0

        kind, *command = self._moved(self.services[service]["healthcheck"]["test"])
        assert kind == "CMD"
        wait_until(is_healthy)

    def stop(self, service: str, by: signal.Signals = signal.SIGTERM) -> int:
        """Stop a service as Docker does, or kill it with its children. Returns its exit code."""
        process = self.processes.pop(service)
        if by is signal.SIGKILL:
            os.killpg(process.pid, by)
        else:
            process.send_signal(by)
        return process.wait(TIMEOUT_S)

    def kill_all(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def log(self, service: str) -> str:
        """The end of a service's log."""
        return (self.folder / f"{service}.log").read_text(errors="replace")[-5000:]

    @contextmanager
    def database(self) -> Iterator[None]:
        """A PostgreSQL server with the user, database and password of the Compose file."""
        programs, given = postgres_programs(), self.services["postgres"]["environment"]
        place, port = self.folder / "postgres", self.ports["5432"]
        place.mkdir()
        (password := self.folder / "password").write_text(given["POSTGRES_PASSWORD"])
        user: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to be root
            user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            for file in (place, password):
                shutil.chown(file, "nobody", "nogroup")
        options = [f"--username={given['POSTGRES_USER']}", "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync"]
        init = [programs / "initdb", "--pgdata=files", "--encoding=UTF8", "--locale=C.UTF-8", *options]
        subprocess.run(init, cwd=place, capture_output=True, check=True, **user)
        flags = ["-D", "files", "-p", port, "-h", "127.0.0.1", "-k", str(place), "-c", "fsync=off"]
        with (self.folder / "postgres.log").open("ab") as log:
            server = subprocess.Popen([programs / "postgres", *flags], cwd=place, stdout=log, stderr=log, **user)
        try:
            self.wait_until_healthy("postgres")
            login = {**os.environ, "PGPASSWORD": given["POSTGRES_PASSWORD"]}
            made = [f"--username={given['POSTGRES_USER']}", "--host=127.0.0.1", f"--port={port}", given["POSTGRES_DB"]]
            subprocess.run([programs / "createdb", *made], env=login, check=True)
            yield
        finally:
            server.send_signal(signal.SIGINT)  # disconnects all clients
            server.wait(TIMEOUT_S)

    def environment(self, service: str) -> dict[str, str]:
        """A service's variables, and those that programs need on this machine."""
        if service == "postgres":
            where = {"PGHOST": "127.0.0.1", "PGPORT": self.ports["5432"]}
            return {"PATH": f"{postgres_programs()}:{os.defpath}", **where}
        machine = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(PROJECT),
            "HOME": str(self.folder),
            "NO_PROXY": "127.0.0.1",
        }
        [env_file] = self.services[service]["env_file"]
        lines = (PROJECT / env_file).read_text().splitlines()
        from_file = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        given = {**image_environment(), **from_file, **self.settings, **self.services[service]["environment"]}
        hosts = dict.fromkeys(self.services, "127.0.0.1")
        moved = {name: hosts.get(value) or self._moved([value])[0] for name, value in given.items()}
        return machine | moved

    def _moved(self, texts: list[str]) -> list[str]:
        """Replace ports and folders of the Compose file with those of this stack."""
        moved = []
        for text in texts:
            text = re.sub(r"\b(\d{4})\b", lambda port: self.ports.get(port[1], port[1]), text)
            for inside, here in self.folders.items():
                text = re.sub(rf"^{inside}(?=/|$)", here, text)
            moved.append(text.replace("0.0.0.0", "127.0.0.1"))
        return moved
