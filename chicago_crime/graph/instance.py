"""The Dagster instance that the command line and the UI share, so that each shows the other's runs."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from chicago_crime.errors import UsageError
from chicago_crime.settings import PROJECT_FOLDER, Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

CONFIG_FILE = "dagster.yaml"
WITHOUT_PROJECT = "telemetry:\n  enabled: false\nnux:\n  enabled: false\n"
"""The configuration where the package is installed without its project folder."""


def prepare_home(settings: Settings) -> None:
    """Make Dagster's folder, with the project's configuration in it."""
    settings.home.mkdir(parents=True, exist_ok=True)
    source, target = PROJECT_FOLDER / CONFIG_FILE, settings.home / CONFIG_FILE
    if source == target:
        return
    if source.exists():
        shutil.copyfile(source, target)
    elif not target.exists():
        target.write_text(WITHOUT_PROJECT)


def open_instance(settings: Settings) -> DagsterInstance:
    """The instance of this installation; its folder is made if need be."""
    from dagster import DagsterInstance
    from dagster._core.instance.ref import InstanceRef
    from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage

    from chicago_crime.graph.event_log import BATCH_SIZE, BatchingEventLog

    prepare_home(settings)
    configured = InstanceRef.from_dir(str(settings.home))
    events = configured.event_storage_data
    if events and events.class_name == SqliteEventLogStorage.__name__:
        quicker = {
            "module": BatchingEventLog.__module__,
            "class": BatchingEventLog.__name__,
            "config": events.config_dict,  # the same files, so that whoever uses Dagster's own class sees the same
        }
        configured = InstanceRef.from_dir(str(settings.home), overrides={"event_log_storage": quicker})
        os.environ.setdefault(BATCH_SIZE, "1000")
    return DagsterInstance.from_ref(configured)


def become_dagster_dev(settings: Settings, port: int) -> NoReturn:
    """Turn this process into `dagster dev`, so that signals reach it and nothing is left behind.

    Args:
        settings: of the installation; they are handed on.
        port: where the UI listens, on 127.0.0.1.

    Raises:
        UsageError: the port is in use.
    """
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise UsageError(f"port {port} is in use: stop what uses it, or choose another with --port")
    prepare_home(settings)
    handed_on = settings.as_environment()
    workspace = PROJECT_FOLDER / "workspace.yaml"
    graph = ["-w", str(workspace)] if workspace.exists() else ["-m", "chicago_crime.definitions"]
    program = Path(sys.executable).with_name("dagster")
    arguments = [str(program), "dev", "-h", "127.0.0.1", "-p", str(port), *graph]
    # `dg dev`, which Dagster would rather be asked for, wants a project layout of its own.
    quiet = {"PYTHONWARNINGS": "ignore:Function `dev_command` is superseded"}
    os.chdir(settings.home)  # where a dagster.yaml belongs: Dagster warns of one elsewhere
    # Whoever is started with & by a script ignores SIGINT, and so would all of Dagster, which ends its parts by it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execve(program, arguments, os.environ | handed_on | quiet | {"DAGSTER_HOME": str(settings.home)})
