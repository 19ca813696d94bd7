"""The Dagster instance that the command line and the UI share, so that each shows the other's runs."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from chicago_crime.settings import PROJECT_FOLDER, Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

CONFIG_FILE = "dagster.yaml"
WITHOUT_PROJECT = "telemetry:\n  enabled: false\n"
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

    prepare_home(settings)
    return DagsterInstance.from_config(str(settings.home))
