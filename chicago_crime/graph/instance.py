"""The Dagster instance, shared by the command line and the UI."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from chicago_crime.errors import PlatformError
from chicago_crime.settings import PROJECT_FOLDER, Settings

if TYPE_CHECKING:  # slow to import
    from dagster import DagsterInstance

CONFIG = Path(__file__).with_name("dagster.yaml")

DAGSTER = (
    "import signal as s; s.signal(s.SIGINT, s.SIG_DFL); from dagster._cli import main; "
    "s.signal(s.SIGINT, s.default_int_handler); main()"
)
"""The program `dagster`, without a traceback on Ctrl-C while it imports for seconds."""


def prepare_home(settings: Settings) -> None:
    """Create Dagster's folder with our configuration; a folder chosen by the user keeps its existing one."""
    settings.home.mkdir(parents=True, exist_ok=True)
    target = settings.home / CONFIG.name
    if not (settings.dagster_home and target.exists()):
        shutil.copyfile(CONFIG, target)


@contextmanager
def open_instance(settings: Settings) -> Iterator[DagsterInstance]:
    """Open the Dagster instance of an installation, creating its folder if necessary.

    Raises:
        PlatformError: a database cannot be read or written.
    """
    from sqlalchemy.exc import DBAPIError

    from chicago_crime.graph.dagster_internals import open_with_batches

    try:
        prepare_home(settings)
        with open_with_batches(str(settings.home)) as instance:
            yield instance
    except (sqlite3.Error, DBAPIError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise PlatformError(
            f"Dagster's databases in {settings.home} cannot be used: {reason}. Is the disk full, or a file damaged? "
            "`chicago-crime doctor` checks both"
        ) from error


def exec_dagster_dev(settings: Settings, port: int) -> NoReturn:
    """Replace this process with `dagster dev` on 127.0.0.1, so that it receives signals directly."""
    from chicago_crime.graph.command_line_runs import fail_dead_runs

    with open_instance(settings) as instance:
        lock = os.open(settings.home / "ui.lock", os.O_CREAT | os.O_RDWR)
        os.set_inheritable(lock, True)  # inherited by Dagster; filelock would release it
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fail_dead_runs(instance, settings)
        else:
            fail_dead_runs(instance, settings, no_ui_is_running=True)
    workspace = PROJECT_FOLDER / "workspace.yaml"
    graph = ["-w", str(workspace)] if workspace.exists() else ["-m", "chicago_crime.definitions"]
    arguments = [sys.executable, "-c", DAGSTER, "dev", "-h", "127.0.0.1", "-p", str(port), *graph]
    # Dagster recommends `dg dev` instead, which works in the project's folder, but not for an installed wheel.
    quiet = {"PYTHONWARNINGS": "ignore:Function `dev_command` is superseded"}
    os.chdir(settings.home)  # Dagster warns if the current folder has no dagster.yaml
    # Background jobs of a script ignore SIGINT; Dagster would inherit that, but stops its subprocesses with SIGINT.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execve(sys.executable, arguments, settings.as_environment() | quiet | {"DAGSTER_HOME": str(settings.home)})
