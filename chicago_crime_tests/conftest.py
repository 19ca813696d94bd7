"""Shared fixtures, and markers that tests get by their requirements."""

import os
import re
import shutil
import sqlite3
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event

from chicago_crime.graph.run import RunReport
from chicago_crime.settings import OTHER_VARIABLES, PREFIX, Settings, load_settings
from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime_tests.support import REAL_ROWS, crimes_of_months, folder_settings, real_year, run_well, write_csv

collect_ignore = ["infra_pulumi"]  # these tests run in the environment of Pulumi: `make test-all`
GOOGLE_SERVER = "chicago_crime_tests.servers.google_server"


def pytest_configure() -> None:
    """Remove what tests must not inherit: the settings of an installation, credentials, the width of the terminal."""
    others = {"COLUMNS", "DAGSTER_HOME", *OTHER_VARIABLES.values()} - {"JAVA_HOME"}
    for name in list(os.environ):
        if name.startswith((PREFIX, "KAGGLE_")) or name in others:
            del os.environ[name]
    os.environ["NO_PROXY"] = "127.0.0.1,localhost"  # test servers run on this machine
    import_module("chicago_crime.cli.screen")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their fixtures and imports, and run the longest modules first.

    One process runs all tests of a module, and one all tests on the real years, which it loads once.
    """
    for item in items:
        assert isinstance(item, pytest.Function)
        item.add_marker(pytest.mark.xdist_group("real" if "real_runs" in item.fixturenames else item.module.__name__))
        if _is_end_to_end(item) or "real_runs" in item.fixturenames:
            item.add_marker("slow")
        if "browser" in item.fixturenames:
            item.add_marker("browser")
        if GOOGLE_SERVER in _imports(item.module.__name__):
            item.add_marker("google")
    items.sort(key=lambda item: ("real_runs" in item.fixturenames, _is_end_to_end(item)), reverse=True)


def _is_end_to_end(item: pytest.Item) -> bool:
    return item.path.parent.name == "end_to_end"


@cache
def _imports(module: str) -> frozenset[str]:
    """Return the modules of `chicago_crime_tests` that a module imports, directly or indirectly."""
    code = Path(sys.modules[module].__file__ or "").read_text()
    found = frozenset(re.findall(r"^from (chicago_crime_tests\.[\w.]+) import", code, re.MULTILINE))
    return found.union(*(_imports(name) for name in found))


# A small run spends a third of its time syncing the disk and loading migrations of Dagster's databases. Tests need not
# survive power failures, and migrations can be cached.
@event.listens_for(Engine, "connect")
def _do_not_sync(connection: Any, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


_load_migrations = ScriptDirectory.from_config
_loaded_migrations: dict[str | None, ScriptDirectory] = {}


def _load_migrations_once(config: Config) -> ScriptDirectory:
    folder = config.get_main_option("script_location")
    if folder not in _loaded_migrations:
        _loaded_migrations[folder] = _load_migrations(config)
    return _loaded_migrations[folder]


ScriptDirectory.from_config = staticmethod(_load_migrations_once)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation without data, whose source is the empty folder `in`."""
    (tmp_path / "in").mkdir()
    return folder_settings(tmp_path / "data", tmp_path / "in")


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    """An empty warehouse."""
    return DuckDBWarehouse(load_settings(data_dir=tmp_path))


@pytest.fixture(scope="session")
def loaded_years(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation with 36 good rows of 2014 and 2015 each, from the folder `in`. Tests must not change it."""
    folder = tmp_path_factory.mktemp("loaded")
    for year in (2014, 2015):
        write_csv(folder / "in" / f"{year}.csv", crimes_of_months(year))
    settings = folder_settings(folder / "data", folder / "in")
    [report] = run_well(settings, 2014, 2015)
    assert report.checks == []
    return settings


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation with three years of sample data. Tests must not change it."""
    settings = load_settings(data_dir=tmp_path_factory.mktemp("sample") / "data", sample_rows=4000)
    run_well(settings, 2014, 2015, 2016)
    return settings


@pytest.fixture
def loaded_copy(loaded_years: Settings, tmp_path: Path) -> Settings:
    """A copy of `loaded_years` that a test may change."""
    shutil.copytree(loaded_years.data_dir.parent, tmp_path, dirs_exist_ok=True)
    return folder_settings(tmp_path / "data", tmp_path / "in")


@pytest.fixture(scope="session")
def real_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, list[RunReport]]:
    """An installation with all real years, and the reports of its runs. Tests must not change its tables."""
    for year in REAL_ROWS:
        real_year(year)
    settings = folder_settings(tmp_path_factory.mktemp("real"), real_year(2014).parent)
    return settings, run_well(settings, *REAL_ROWS)


@pytest.fixture(scope="session")
def real_years(real_runs: tuple[Settings, list[RunReport]]) -> Settings:
    return real_runs[0]
