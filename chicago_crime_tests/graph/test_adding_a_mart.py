"""The example of `docs/how-to/add-a-mart.md`: a new mart needs only an SQL file and a `Table`."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from chicago_crime_tests.support import PROJECT

SQL, TABLE = re.findall(r"```\w+\n(.*?)```", (PROJECT / "docs/how-to/add-a-mart.md").read_text(), re.DOTALL)
COMMANDS = (
    "run --years 2014 --sample-rows 600",
    "status --strict",
    "query 'SELECT SUM(crimes) FROM crimes_by_ward'",
    "describe crimes_by_ward",
)


def test_a_mart_needs_only_an_sql_file_and_a_table(tmp_path: Path) -> None:
    for package in ("chicago_crime", "spark_jobs"):
        shutil.copytree(PROJECT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "chicago_crime" / "tables" / "marts.py").open("a") as file:
        file.write(f"\n\n{TABLE}")
    (tmp_path / "chicago_crime" / "sql" / "tables" / "crimes_by_ward.sql").write_text(SQL)

    environment = os.environ | {"CHICAGO_CRIME_DATA_DIR": str(tmp_path / "data"), "COLUMNS": "200"}
    python = [sys.executable, "-c", "from chicago_crime.cli.app import main; main()"]
    said = [
        subprocess.check_output([*python, *shlex.split(command)], cwd=tmp_path, env=environment, text=True)
        for command in COMMANDS
    ]
    assert "crimes_by_ward 2014: " in said[0]
    assert " 600 " in said[2]
    assert "Counts by ward." in said[3]
