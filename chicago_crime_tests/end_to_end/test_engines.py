"""The Spark job gives the same rows on both engines."""

import math
import os
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chicago_crime.definitions import build_definitions
from chicago_crime.graph.instance import open_instance
from chicago_crime.graph.run import run_years
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings
from chicago_crime.tables import CRIME_TYPE_COUNT, CRIMES_DAILY, ENRICHED_CRIMES, HOT_SPOTS, Table
from chicago_crime_tests.support import REAL_DATA, folder_settings, program_missing

pytestmark = pytest.mark.java

YEAR = 2021


def java_home() -> Path:
    """Java 17 or 21, as JAVA_HOME or the path name it; the test is skipped without."""
    java = shutil.which("java", path=f"{os.environ.get('JAVA_HOME', '')}/bin:{os.environ.get('PATH', '')}")
    if java is None:
        program_missing("Java is missing: apt-get install openjdk-17-jre-headless")
    version = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    if not any(f'version "{number}' in version for number in (17, 21)):
        program_missing(f"Java 17 or 21 is needed, not {version.splitlines()[0]}")
    return Path(java).resolve().parent.parent


@pytest.fixture(scope="module")
def engines(real_years: Settings, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Settings]:
    """The real years, made by the embedded engine, and a copy whose Spark tables of one year are made by the JVM."""
    home = java_home()
    folder = tmp_path_factory.mktemp("engines")
    shutil.copytree(real_years.data_dir / "warehouse", folder / "jvm" / "warehouse", copy_function=os.link)
    jvm = folder_settings(folder / "jvm", REAL_DATA / "real", spark_engine="jvm", java_home=home)
    for name in (table.name for table in (ENRICHED_CRIMES, CRIME_TYPE_COUNT, CRIMES_DAILY, HOT_SPOTS)):
        (folder / "jvm" / "warehouse" / name / f"{YEAR}.parquet").unlink()
    installation = Installation(jvm)
    with open_instance(jvm) as instance:
        [report] = run_years(
            installation,
            build_definitions(installation),
            instance,
            [YEAR],
            "key:enriched_crimes+ and not key:published",
        )
    assert report.success, (report.failures, report.checks)
    assert report.metadata["hot_spots", YEAR]["spark_engine"] == "jvm"
    return real_years, jvm


@pytest.mark.parametrize("table", [ENRICHED_CRIMES, CRIME_TYPE_COUNT, CRIMES_DAILY, HOT_SPOTS], ids=lambda t: t.name)
def test_both_engines_give_the_same_rows(engines: tuple[Settings, Settings], table: Table) -> None:
    found = [pq.read_table(settings.data_dir / "warehouse" / table.name / f"{YEAR}.parquet") for settings in engines]
    assert_same_rows(table, *found)


def assert_same_rows(table: Table, ours: pa.Table, theirs: pa.Table) -> None:
    """Two engines' rows of a table are the same, in any order."""
    found = [rows.sort_by([(name, "ascending") for name in table.key]) for rows in (ours, theirs)]
    assert found[0].schema.names == found[1].schema.names
    assert found[0].schema.types == found[1].schema.types
    assert found[0].num_rows == found[1].num_rows > 0
    for name in found[0].column_names:
        ours, theirs = (rows.column(name).to_pylist() for rows in found)
        if ours != theirs:
            # The order of floating-point operations may change the last digit.
            pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
            assert all(isinstance(a, float) and math.isclose(a, b, rel_tol=1e-12) for a, b in pairs), (name, pairs[:3])
