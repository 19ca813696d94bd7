"""Both Spark engines give the same rows."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from chicago_crime.settings import Settings
from chicago_crime.tables import TABLES, Table
from chicago_crime_tests.support import REAL_DATA, folder_settings, program, run_well

pytestmark = pytest.mark.java

YEAR = 2021
MADE = [table for table in TABLES.values() if table.made_by == "spark"]


@pytest.fixture(scope="module")
def engines(real_years: Settings, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Settings]:
    """The real years from the embedded engine, and a copy with one year's Spark tables from the JVM."""
    home = Path(program("java")).resolve().parent.parent
    folder = tmp_path_factory.mktemp("engines")
    shutil.copytree(real_years.data_dir / "warehouse", folder / "jvm" / "warehouse", copy_function=os.link)
    jvm = folder_settings(folder / "jvm", REAL_DATA / "real", spark_engine="jvm", java_home=home)
    for table in MADE:
        (folder / "jvm" / "warehouse" / table.name / f"{YEAR}.parquet").unlink()
    [report] = run_well(jvm, YEAR, assets="key:enriched_crimes+ and not key:published")
    assert report.metadata["hot_spots", YEAR]["spark_engine"] == "jvm"
    return real_years, jvm


@pytest.mark.parametrize("table", MADE, ids=lambda table: table.name)
def test_both_engines_give_the_same_rows(engines: tuple[Settings, Settings], table: Table) -> None:
    folders = (settings.data_dir / "warehouse" / table.name for settings in engines)
    found = [pd.read_parquet(folder / f"{YEAR}.parquet", dtype_backend="pyarrow") for folder in folders]
    assert len(found[0]) > 0
    # The order of floating-point operations may change the last digit.
    ours, theirs = (rows.sort_values(list(table.key), ignore_index=True) for rows in found)
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-12, atol=0)
