"""The doctor's checks of the installation itself.

Those of Google Cloud are in `google.py`, which needs Google's libraries.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from typing import Literal

from rich.filesize import decimal as size

from chicago_crime.cli.doctor import Finding
from chicago_crime.cli.doctor.stored import examine_databases, examine_stored
from chicago_crime.cli.options import how_to_install
from chicago_crime.errors import PlatformError
from chicago_crime.installation import Installation, google_extra
from chicago_crime.settings import SettingsError, load_settings
from chicago_crime.sources.base import SourceError
from chicago_crime.tables.years import format_years

MIN_FREE_BYTES = 8 * 10**9
"""A full load keeps about 4 GB of CSV and 1 GB of tables, and needs room for old and new files at the same time."""


def examine(installation: Installation) -> Iterator[Finding]:
    """Run all checks in order."""
    yield _data_folder(installation)
    if find_spec("dagster") is None:
        fix = how_to_install(ModuleNotFoundError(name="dagster")) or ""
        yield Finding("pipeline", "warning", "not installed: snapshots can be read but not created", fix)
        yield from _stored(installation)
        return
    yield from _sources(installation)
    can_be_read = True
    if installation.is_on_google:
        with google_extra():
            from chicago_crime.cli.doctor.google import examine_google

        google = list(examine_google(installation))
        yield from google
        can_be_read = all(one.state != "broken" for one in google)
    else:
        yield _spark(installation)
    if can_be_read:
        yield from _stored(installation)
    yield from _dagster_home(installation)


def _data_folder(installation: Installation) -> Finding:
    folder = installation.settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        fix = f"choose a writable folder instead of {installation.settings.assigned('data_dir')}"
        return Finding("data folder", "broken", str(error), fix)
    free = shutil.disk_usage(folder).free
    detail = f"{folder}, {size(free)} free"
    if free < MIN_FREE_BYTES:
        fix = "loading all years needs about 8 GB (`run --dry-run` shows what your years need): free some space"
        return Finding("data folder", "warning", detail, fix)
    return Finding("data folder", "ok", detail)


def _sources(installation: Installation) -> Iterator[Finding]:
    """Check the configured source; without one, the sources of the loaded years, or the sample if none is loaded."""
    settings, files = installation.settings, installation.source_files
    manifests = [one for year in files.years() if (one := files.readable_manifest(year))]
    if "source" in settings.model_fields_set or not manifests:
        yield _source(installation, "broken")
        return
    years: dict[tuple[str, str], list[int]] = {}
    for one in manifests:
        folder = str(one.details.get("folder", ""))  # older versions did not record it
        if folder or one.source != "folder":
            years.setdefault((one.source, folder), []).append(one.year)
    for (source, folder), covered in years.items():
        chosen = settings.model_dump(exclude_unset=True) | {"source": source, "folder": folder or None}
        try:
            found = _source(Installation(load_settings(chosen)), "warning")  # the next run may use another source
        except SettingsError as error:
            found = Finding(f"source {source}", "warning", str(error), "set it before the next run from this source")
        yield replace(found, what=f"{found.what}, for {format_years(covered)}")


def _source(installation: Installation, state: Literal["broken", "warning"]) -> Finding:
    """Check that the source has years to fetch; a failure is reported as `state`."""
    source = installation.source
    what = f"source {source.name}"
    try:
        access = source.check_access()  # first: it gives up quickly
        years = source.years()
    except SourceError as error:
        return Finding(what, state, str(error), "follow the message above, then repeat: chicago-crime doctor")
    if not years:
        fix = "add CSV or JSON files to it, plain or compressed"
        return Finding(what, state, f"{installation.settings.folder} has no files with crimes", fix)
    note = " (SYNTHETIC rows)" if source.name == "sample" else f"; {access}" if access else ""
    return Finding(what, "ok", f"{len(years)} years, {years[0]} to {years[-1]}{note}")


def _spark(installation: Installation) -> Finding:
    if installation.spark.engine == "jvm":
        home = installation.settings.java_home
        java = str(home / "bin" / "java") if home else "java"
        fix = "install Java 17 and set JAVA_HOME, or export CHICAGO_CRIME_SPARK_ENGINE=embedded"
        return _check("spark engine jvm", lambda: _java_version(java), fix)
    return _check("spark engine embedded", _start_sail, "make setup")


def _java_version(java: str) -> str:
    return subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr.splitlines()[0]


def _start_sail() -> str:
    from chicago_crime.storage.local.sail import embedded_server

    with embedded_server() as address:
        return f"Spark Connect server started at {address}"


def _stored(installation: Installation) -> Iterator[Finding]:
    try:
        yield from examine_stored(installation)
    except (PlatformError, OSError) as error:
        yield Finding(
            "stored files", "broken", str(error), "follow the message above, then repeat: chicago-crime doctor"
        )


def _dagster_home(installation: Installation) -> Iterator[Finding]:
    from chicago_crime.graph.instance import open_instance

    def runs() -> str:
        with open_instance(installation.settings) as instance:
            return f"{installation.settings.home}, runs: {instance.get_runs_count():,}"

    damaged = list(examine_databases(installation.settings.home))
    yield from damaged or [_check("dagster home", runs, "export CHICAGO_CRIME_DAGSTER_HOME=...  (a writable folder)")]


def _check(what: str, check: Callable[[], str], fix: str) -> Finding:
    try:
        return Finding(what, "ok", check())
    except Exception as error:  # every error is a finding
        return Finding(what, "broken", f"{type(error).__name__}: {error}", how_to_install(error) or fix)
