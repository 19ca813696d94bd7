"""Google Cloud on loopback for full runs: commands, and access to its tables and calls."""

import os
import re
import subprocess
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from chicago_crime.tables import TABLES
from chicago_crime_tests.end_to_end.browsing import begin
from chicago_crime_tests.servers.faults import Request
from chicago_crime_tests.servers.google_server import GoogleServer
from chicago_crime_tests.waiting import TIMEOUT_S
from chicago_crime_tests.whole_cloud import DATASET, WholeCloud, whole_cloud

WIDE = {"COLUMNS": "250"}


def counted(table: str) -> str:
    """SQL, also valid in DuckDB, for the number of crimes that a table accounts for."""
    adds_up = TABLES[table].adds_up
    return adds_up.total if adds_up else "COUNT(*)"


class Ended(NamedTuple):
    """The exit code and the output of a command."""

    code: int
    output: str


class Cloud(WholeCloud):
    """Google Cloud, for an installation in a folder."""

    @property
    def servers(self) -> Mapping[str, GoogleServer]:
        return {"storage": self.storage, "bigquery": self.bigquery, "dataproc": self.dataproc}

    def begin(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return begin(*arguments, env=os.environ | WIDE | self.environment | environment)

    def command(self, *arguments: str, **environment: str) -> Ended:
        process = self.begin(*arguments, **environment)
        output, _ = process.communicate(timeout=TIMEOUT_S)
        return Ended(process.returncode, output)

    def rows(self, table: str) -> list[dict[str, Any]]:
        return self.bigquery.rows(DATASET, table)

    def crimes(self, table: str) -> dict[int, int]:
        """The number of crimes of each year that a table accounts for."""
        live = self.bigquery.catalog.find(DATASET, table)
        query = f"SELECT CAST(year AS INT), CAST({counted(table)} AS INT) FROM {live.rows_table} GROUP BY ALL"
        return dict(self.bigquery.catalog.database.cursor().sql(query).fetchall())

    def forget_calls(self) -> None:
        for server in self.servers.values():
            server.requests.clear()


def cloud_in(folder: Path) -> AbstractContextManager[Cloud]:
    return whole_cloud(folder, kind=Cloud)


def kind_of(request: Request) -> str:
    """The kind of a call: its method and path, without the parts that differ between runs."""
    path = re.sub(r"/(jobs|clusters|queries|operations|staging)/.*", r"/\1/*", request.path.replace("%2F", "/"))
    path = re.sub(r"\b[0-9a-f]{8,}\b|\d{4}(?=\.csv)|\d{8}T\w+-\w+", "*", path)
    path = re.sub(r"/storage/v1/b/[^/]+", "/bucket", path)
    what = "" if request.query.get("uploadType") is None else " " + request.query["uploadType"]
    media = " media" if request.query.get("alt") == "media" else ""
    return f"{request.method} {re.sub(r'.*/projects/[^/]+/', '', path)}{what}{media}"


def writes_in(cloud: Cloud) -> list[str]:
    """The writes since `forget_calls`, by service and kind. Those by Google and the Spark job are not counted."""
    return [f"{service} {kind_of(call)}" for service, server in cloud.servers.items() for call in server.writes]
