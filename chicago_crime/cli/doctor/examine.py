"""`chicago-crime doctor`: what is configured, what works, and what to do about what does not.

Here belongs what every installation has, and what only a laptop has. What is looked at on Google Cloud is in
`doctor_gcp.py`.
"""

import importlib.metadata
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from chicago_crime.installation import Installation, build_source
from chicago_crime.settings import Settings
from chicago_crime.sources.base import SourceError
from chicago_crime.storage.local.spark import embedded_server

LEAST_FREE_DISK = 8 * 1024**3
"""A full load keeps about 4 GB of CSV and 1 GB of tables, and replaces them beside the old ones."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what, how it is, and what mends it ("" if it is well)."""

    what: str
    state: Literal["ok", "warning", "broken"]
    detail: str
    fix: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything the platform needs, one thing after another."""
    for look in (_packages, _data_folder, _source):
        yield look(settings)
    if settings.deployment == "gcp":
        from chicago_crime.cli.doctor.google import examine_cloud

        yield from examine_cloud(settings)
    else:
        yield _warehouse(settings)
        yield _spark(settings)
    yield _dagster_home(settings)
    yield _port(settings)


def _packages(settings: Settings) -> Finding:
    names = ("dagster", "dagster-webserver", "dagster-graphql", "duckdb", "pysail", "sqlglot")
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


def _source(settings: Settings) -> Finding:
    source = build_source(settings)
    try:
        access = source.try_access()  # first, because it does not try for long
        years = source.years()
    except SourceError as error:
        return Finding(f"source {source.name}", "broken", str(error), "mend what the message names")
    if not years:
        fix = "put the yearly CSVs there: .csv, .csv.gz or .zip, with the year in their names"
        return Finding(f"source {source.name}", "broken", f"{settings.folder} has no yearly file", fix)
    note = " (SYNTHETIC rows)" if source.name == "sample" else f"; {access}" if access else ""
    return Finding(f"source {source.name}", "ok", f"{len(years)} years, {years[0]} to {years[-1]}{note}")


def _warehouse(settings: Settings) -> Finding:
    from chicago_crime.storage.local.duckdb_views import VIEWS_FILE

    warehouse = Installation(settings).warehouse
    folder = settings.data_dir / "warehouse"
    if not (folder / VIEWS_FILE).exists():
        return Finding("warehouse", "ok", "empty so far: chicago-crime run --years 2021 fills it")
    return _try(
        "warehouse",
        lambda: f"{warehouse.query('FROM crimes SELECT COUNT(*)')[0][0].as_py():,} crimes in {folder}",
        "load the years again: chicago-crime run --years ...",
    )


def _spark(settings: Settings) -> Finding:
    spark = Installation(settings).spark
    if spark.engine == "jvm":
        java = str(settings.java_home / "bin" / "java") if settings.java_home else "java"
        fix = "install Java 17 and set JAVA_HOME, or CHICAGO_CRIME_SPARK_ENGINE=embedded"
        return _try("spark engine jvm", lambda: _java_version(java), fix)
    return _try("spark engine embedded", _sail_answers, "make setup installs pysail and pyspark-client")


def _java_version(java: str) -> str:
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    return answer.splitlines()[0]


def _sail_answers() -> str:
    with embedded_server() as address:
        return f"a Spark Connect server started at {address}"


def _dagster_home(settings: Settings) -> Finding:
    from chicago_crime.graph.instance import open_instance

    def look() -> str:
        with open_instance(settings) as instance:
            return f"{settings.home}, {instance.get_runs_count():,} runs"

    return _try("dagster home", look, "choose another folder with DAGSTER_HOME")


def _port(settings: Settings) -> Finding:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 3000)) == 0:
            return Finding("port 3000", "warning", "in use", "stop what uses it, if it is not `make dev` itself")
    return Finding("port 3000", "ok", "free for `make dev`")


def _try(what: str, look: Callable[[], str], fix: str) -> Finding:
    try:
        return Finding(what, "ok", look())
    except Exception as error:  # a doctor reports what ails, whatever it is
        return Finding(what, "broken", f"{type(error).__name__}: {error}", fix)
