"""The checks of `chicago-crime doctor` that every installation needs, and those of a laptop."""

import importlib.metadata
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from chicago_crime.cli.options import refuse_busy_port
from chicago_crime.errors import UsageError
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings
from chicago_crime.sources.base import SourceError

LEAST_FREE_DISK = 8 * 1024**3
"""A full load keeps about 4 GB of CSV and 1 GB of tables, and writes new ones before it deletes the old ones."""


@dataclass(frozen=True)
class Finding:
    """The result of one check: its subject, its state, details, and how to fix it ("" if it is ok)."""

    what: str
    state: Literal["ok", "warning", "broken"]
    detail: str
    fix: str = ""


def examine(installation: Installation) -> Iterator[Finding]:
    """Check everything that the platform needs."""
    settings = installation.settings
    yield _packages()
    yield _data_folder(settings)
    yield _source(installation)
    if installation.is_on_google:
        from chicago_crime.cli.doctor.google import examine_cloud

        yield from examine_cloud(settings)
    else:
        yield _warehouse(installation)
        yield _spark(installation)
    yield _dagster_home(settings)
    yield _port()


def _packages() -> Finding:
    names = ("dagster", "dagster-webserver", "dagster-graphql", "duckdb", "pyspark", "pysail", "sqlglot")
    versions = {name: importlib.metadata.version(name) for name in names}
    detail = ", ".join(f"{name} {version}" for name, version in versions.items())
    if len({version for name, version in versions.items() if name.startswith("dagster")}) > 1:
        return Finding("packages", "broken", detail, "Dagster's packages must be of one release: make setup")
    return Finding("packages", "ok", detail)


def _data_folder(settings: Settings) -> Finding:
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding("data folder", "broken", str(error), "choose another with CHICAGO_CRIME_DATA_DIR")
    free = shutil.disk_usage(folder).free
    detail = f"{folder}, {free / 1024**3:,.0f} GB free"
    if free < LEAST_FREE_DISK:
        return Finding("data folder", "warning", detail, "all 22 years need about 8 GB: free some, or load fewer years")
    return Finding("data folder", "ok", detail)


def _source(installation: Installation) -> Finding:
    source = installation.source
    try:
        access = source.try_access()  # first, because it does not retry
        years = source.years()
    except SourceError as error:
        return Finding(f"source {source.name}", "broken", str(error), "fix what the message names")
    if not years:
        fix = "put the yearly CSVs there: .csv, .csv.gz or .zip, with the year in their names"
        return Finding(f"source {source.name}", "broken", f"{installation.settings.folder} has no yearly file", fix)
    note = " (SYNTHETIC rows)" if source.name == "sample" else f"; {access}" if access else ""
    return Finding(f"source {source.name}", "ok", f"{len(years)} years, {years[0]} to {years[-1]}{note}")


def _warehouse(installation: Installation) -> Finding:
    from chicago_crime.storage.local.parquet_reader import VIEWS_FILE

    folder = installation.settings.data_dir / "warehouse"
    if not (folder / VIEWS_FILE).exists():
        return Finding("warehouse", "ok", "empty: chicago-crime run --years 2021 fills it")

    def count() -> str:
        [[crimes]] = installation.reader.first_rows("SELECT COUNT(*) FROM crimes", None).rows
        return f"{crimes:,} crimes in {folder}"

    return _try("warehouse", count, "load the years again: chicago-crime run --years ...")


def _spark(installation: Installation) -> Finding:
    if installation.spark.engine == "jvm":
        home = installation.settings.java_home
        fix = "install Java 17 and set JAVA_HOME, or CHICAGO_CRIME_SPARK_ENGINE=embedded"
        return _try("spark engine jvm", lambda: _java_version(str(home / "bin" / "java") if home else "java"), fix)
    return _try("spark engine embedded", _start_sail, "make setup installs pysail and pyspark")


def _java_version(java: str) -> str:
    output = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    return output.splitlines()[0]


def _start_sail() -> str:
    from chicago_crime.storage.local.spark import embedded_server

    with embedded_server() as address:
        return f"a Spark Connect server started at {address}"


def _dagster_home(settings: Settings) -> Finding:
    from chicago_crime.graph.instance import open_instance

    def count() -> str:
        with open_instance(settings) as instance:
            return f"{settings.home}, {instance.get_runs_count():,} runs"

    return _try("dagster home", count, "choose another folder with DAGSTER_HOME")


def _port() -> Finding:
    try:
        refuse_busy_port(3000)
    except UsageError:
        return Finding("port 3000", "warning", "in use", "stop what uses it, if it is not `make dev` itself")
    return Finding("port 3000", "ok", "free for `make dev`")


def _try(what: str, check: Callable[[], str], fix: str) -> Finding:
    try:
        return Finding(what, "ok", check())
    except Exception as error:  # whatever is broken, the other checks go on
        return Finding(what, "broken", f"{type(error).__name__}: {error}", fix)
